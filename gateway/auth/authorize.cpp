#include "gateway/auth/authorize.hpp"

#include <optional>

#include "shared/base/text.hpp"

namespace gateway::auth {
namespace {

using config::ClaimRule;

bool contains(const std::vector<std::string>& list, std::string_view text) {
    for (const auto& item : list)
        if (item == text) return true;
    return false;
}

// Compares percent-encoded text with plain text. A bare '+' equals nothing: some servers read a space there,
// some a plus, and the rule must hold for both.
bool decoded_equals(std::string_view encoded, std::string_view plain, bool plus_is_doubtful) {
    std::size_t at = 0;
    for (std::size_t i = 0; i < encoded.size(); ++i, ++at) {
        if (at == plain.size()) return false;
        char c = encoded[i];
        if (c == '+' && plus_is_doubtful) return false;
        if (c == '%') {
            if (i + 2 >= encoded.size()) return false;
            const int high = shared::hex_value(encoded[i + 1]);
            const int low = shared::hex_value(encoded[i + 2]);
            if (high < 0 || low < 0) return false;
            c = static_cast<char>(high * 16 + low);
            i += 2;
        }
        if (c != plain[at]) return false;
    }
    return at == plain.size();
}

enum class Found { none, one, twice, doubtful };

// The parameter's value, still encoded. Doubtful: the query holds a bare ';', where some servers begin a new
// parameter; what they would read could then differ from what is compared here.
Found find_parameter(std::string_view query, std::string_view name, std::string_view& value) {
    if (query.find(';') != std::string_view::npos) return Found::doubtful;
    Found found = Found::none;
    while (!query.empty()) {
        const auto end = query.find('&');
        const auto pair = query.substr(0, end);
        query = end == std::string_view::npos ? std::string_view() : query.substr(end + 1);
        const auto equals = pair.find('=');
        if (!decoded_equals(pair.substr(0, equals), name, false)) continue;
        if (found == Found::one) return Found::twice;
        found = Found::one;
        value = equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1);
    }
    return found;
}

std::optional<std::string_view> segment(std::string_view path, std::size_t number) {
    for (std::size_t i = 0;; ++i) {
        if (!path.starts_with('/')) return std::nullopt;
        path.remove_prefix(1);
        const auto text = path.substr(0, path.find('/'));
        if (i == number) return text.empty() ? std::nullopt : std::optional(text);
        path.remove_prefix(text.size());
    }
}

bool holds(const Identity& identity, const ClaimRule& rule, const RequestFacts& request) {
    if (contains(rule.unless_roles, identity.role())) return true;
    const auto claim = identity.claim(rule.claim);
    switch (rule.against) {
        case ClaimRule::Against::value:
            return claim && contains(rule.values, *claim);
        case ClaimRule::Against::query: {
            std::string_view value;
            const auto found = find_parameter(request.query, rule.query, value);
            if (found == Found::none) return rule.allow_absent;
            return found == Found::one && claim && decoded_equals(value, *claim, true);
        }
        case ClaimRule::Against::path_segment: {
            const auto text = segment(request.path, rule.path_segment);
            if (!text) return rule.allow_absent;
            return claim && decoded_equals(*text, *claim, false);
        }
    }
    return false;
}

}  // namespace

std::string_view authorize(const Identity& identity, const config::AuthRule& rule,
                           const RequestFacts& request) {
    if (!rule.roles.empty() && !contains(rule.roles, identity.role())) return "role_missing";
    for (const auto& scope : rule.scopes)
        if (!identity.has_scope(scope)) return "scope_missing";
    for (const auto& claim : rule.claims)
        if (!holds(identity, claim, request)) return "claim_mismatch";
    return {};
}

bool repeats_a_parameter(const config::AuthRule& rule, const RequestFacts& request) {
    std::string_view value;
    for (const auto& claim : rule.claims)
        if (claim.against == ClaimRule::Against::query &&
            find_parameter(request.query, claim.query, value) == Found::twice)
            return true;
    return false;
}

}  // namespace gateway::auth
