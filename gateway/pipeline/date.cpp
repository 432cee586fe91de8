#include <algorithm>

#include "gateway/exchange/exchange.hpp"
#include "gateway/exchange/response_filter.hpp"
#include "gateway/exchange/tools.hpp"

namespace gateway::pipeline {

namespace {

// RFC 9110 section 6.6.1: an intermediary adds the Date that is missing. Not to a 101: it begins a tunnel.
void add_date(exchange::Exchange& exchange, exchange::Reply& reply, std::vector<wire::Addition>& additions) {
    const bool missing = !reply.upstream || !reply.upstream->has(wire::Header::date);
    const auto given = [&] {
        return std::any_of(additions.begin(), additions.end(), [](const wire::Addition& line) {
            return line.name.size() == 4 && wire::equals_ignoring_case(line.name, "date");
        });
    };
    if (missing && reply.status != 101 && !given())
        additions.push_back({"Date", exchange.tools.date, wire::Addition::Mode::set});
}

}  // namespace

extern const exchange::ResponseFilter kDate;
const exchange::ResponseFilter kDate{"date", add_date, nullptr, nullptr};

}  // namespace gateway::pipeline
