#include "gateway/exchange/upstream_header.hpp"

#include "gateway/exchange/exchange.hpp"
#include "gateway/exchange/snapshot.hpp"
#include "shared/base/text.hpp"

namespace gateway::exchange {

namespace {

using wire::Header;

// Out of complete lines, "Name: value\r\n".
std::string_view line_of(std::string_view block, std::string_view name) {
    while (!block.empty()) {
        const std::size_t end = block.find("\r\n");
        const std::string_view line = block.substr(0, end);
        if (line.size() > name.size() && line[name.size()] == ':' &&
            wire::equals_lower(line.substr(0, name.size()), name))
            return shared::trim(line.substr(name.size() + 1));
        block.remove_prefix(end + 2);
    }
    return {};
}

std::string_view without_changes(const Exchange& exchange, std::string_view name, std::string& storage) {
    switch (wire::classify(name)) {
        case Header::forwarded:
            return exchange.forwarded;
        case Header::host:
            if (const auto* target = std::get_if<config::ClusterTarget>(&exchange.route->target)) {
                if (target->host == config::ClusterTarget::Host::fixed) return target->fixed_host;
                if (target->host == config::ClusterTarget::Host::endpoint) return {};
            }
            return storage = shared::lower_case(std::string(exchange.head.host()));
        case Header::traceparent:
            return {exchange.traceparent.data(), exchange.traceparent.size()};
        case Header::x_client_address:
        case Header::x_real_ip:
            return exchange.client_text;
        case Header::x_forwarded_for:
            return exchange.forwarded_for;
        case Header::x_forwarded_host:
            return exchange.forwarded_host;
        case Header::x_forwarded_proto:
            return exchange.forwarded_proto;
        case Header::x_request_id:
            return exchange.request_id;
        default:
            break;
    }
    if (exchange.snapshot->shared->rules.is_identity_header(name))
        return exchange.identity ? line_of(exchange.identity->header_block(), name) : std::string_view();
    return exchange.head.combined(name, storage).value_or(std::string_view());
}

}  // namespace

std::string_view upstream_header(const Exchange& exchange, std::string_view name, std::string& storage) {
    std::string_view value = without_changes(exchange, name, storage);
    for (const wire::Addition& change : exchange.runtime->request_headers) {
        if (!wire::equals_lower(change.name, name)) continue;
        if (change.mode == wire::Addition::Mode::set || value.empty()) value = change.value;
    }
    return value;
}

}  // namespace gateway::exchange
