#include "gateway/wire/rules.hpp"

#include <algorithm>

#include "gateway/wire/chars.hpp"
#include "gateway/wire/header_name.hpp"

namespace gateway::wire {

void ReaderRules::add_identity_header(std::string_view name) {
    std::string lower(name);
    for (auto& c : lower) c = chars::lower(c);
    identity_lengths_ |= std::uint64_t{1} << (lower.size() % 64);
    identity_.push_back(std::move(lower));
}

bool ReaderRules::is_identity_header(std::string_view name) const {
    if ((identity_lengths_ >> (name.size() % 64) & 1) == 0) return false;
    for (const auto& candidate : identity_)
        if (equals_lower(name, candidate)) return true;
    return false;
}

bool ReaderRules::is_decisive_header(std::string_view name) const {
    return std::any_of(decisive_.begin(), decisive_.end(),
                       [name](const std::string& known) { return equals_lower(name, known); });
}

}  // namespace gateway::wire
