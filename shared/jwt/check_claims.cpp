#include "shared/jwt/check_claims.hpp"

#include <charconv>
#include <cmath>

namespace shared::jwt {
namespace {

constexpr double kMaxNumericDate = 9007199254740992.0;  // 2^53: above it a double skips seconds

Result<double> numeric_date(const JsonNode& node) {
    if (node.kind != JsonKind::number) return Errc::bad_numeric_date;
    const auto text = node.text();
    // The usual case: a date in whole seconds.
    if (text.size() <= 15) {
        std::int64_t whole = 0;
        std::size_t i = 0;
        for (; i < text.size() && text[i] >= '0' && text[i] <= '9'; ++i) whole = whole * 10 + (text[i] - '0');
        if (i == text.size()) return static_cast<double>(whole);
    }
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return Errc::bad_numeric_date;
    if (!std::isfinite(value) || value < 0 || value > kMaxNumericDate) return Errc::bad_numeric_date;
    return value;
}

bool all_strings(std::span<const JsonNode> nodes, const JsonNode& array) {
    for (auto i = static_cast<std::size_t>(&array - nodes.data()) + 1; i < array.end; i = nodes[i].end)
        if (nodes[i].kind != JsonKind::string) return false;
    return true;
}

// A string, or an array of strings: calls `take` with each.
template <class Take>
bool each_string(std::span<const JsonNode> nodes, const JsonNode& node, Take take) {
    if (node.kind == JsonKind::string) {
        take(node.text());
        return true;
    }
    if (node.kind != JsonKind::array || !all_strings(nodes, node)) return false;
    for (auto i = static_cast<std::size_t>(&node - nodes.data()) + 1; i < node.end; ++i)
        take(nodes[i].text());
    return true;
}

// RFC 8693 section 4.2: "scope" is a list separated by spaces.
void split_scope(std::string_view text, std::vector<std::string>& out) {
    while (!text.empty()) {
        const auto space = text.find(' ');
        if (const auto word = text.substr(0, space); !word.empty()) out.emplace_back(word);
        text = space == std::string_view::npos ? std::string_view() : text.substr(space + 1);
    }
}

// What has been seen but is not kept.
struct Seen {
    std::string_view audience;  // that of the rules
    bool exp = false;
    bool aud = false;
};

Result<void> take_text(const JsonNode& node, std::string& text) {
    if (node.kind != JsonKind::string) return Errc::bad_claim_type;
    text.assign(node.text());
    return {};
}

Result<void> take_other(const JsonNode& node, Claims& claims) {
    const auto name = node.name();
    if (name == "role") return take_text(node, claims.role);
    if (name == "scope") {
        if (node.kind != JsonKind::string) return Errc::bad_claim_type;
        split_scope(node.text(), claims.scopes);
    } else if (node.kind == JsonKind::string || node.kind == JsonKind::number ||
               node.kind == JsonKind::boolean) {
        claims.others.emplace_back(name, node.text());
    }
    return {};
}

Result<void> take_member(std::span<const JsonNode> nodes, const JsonNode& node, Claims& claims, Seen& seen) {
    switch (node.name_head) {  // names of three bytes are whole in there
        case pack_name("iss"):
            return take_text(node, claims.iss);
        case pack_name("sub"):
            return take_text(node, claims.sub);
        case pack_name("jti"):
            return take_text(node, claims.jti);
        case pack_name("sid"):
            return take_text(node, claims.sid);
        case pack_name("nim"):
            return take_text(node, claims.nim);
        case pack_name("exp"):
        case pack_name("nbf"):
        case pack_name("iat"): {
            const auto date = numeric_date(node);
            if (!date) return date.error();
            if (node.name_head == pack_name("exp")) {
                claims.exp = *date;
                seen.exp = true;
            } else {
                (node.name_head == pack_name("nbf") ? claims.nbf : claims.iat) = *date;
            }
            return {};
        }
        case pack_name("aud"):
            if (!each_string(nodes, node, [&](auto text) { seen.aud = seen.aud || text == seen.audience; }))
                return Errc::bad_claim_type;
            return {};
        case pack_name("scp"):
            if (node.kind == JsonKind::string)
                split_scope(node.text(), claims.scopes);
            else if (!each_string(nodes, node, [&](auto text) { claims.scopes.emplace_back(text); }))
                return Errc::bad_claim_type;
            return {};
        default:
            return take_other(node, claims);
    }
}

}  // namespace

Result<Claims> check_claims(std::span<const JsonNode> payload, const Rules& rules, WallTime now) {
    Result<Claims> result(boost::system::in_place_value);
    Claims& claims = *result;
    Seen seen;
    seen.audience = rules.audience;
    for (std::size_t i = 1; i < payload.size(); i = payload[i].end)
        if (auto ok = take_member(payload, payload[i], claims, seen); !ok) return ok.error();

    const double seconds = std::chrono::duration<double>(now.time_since_epoch()).count();
    const auto leeway = static_cast<double>(rules.leeway.count());
    if (!seen.exp) return Errc::exp_missing;
    if (seconds >= claims.exp + leeway) return Errc::expired;
    if (claims.nbf && *claims.nbf > seconds + leeway) return Errc::not_yet_valid;
    if (claims.iat && *claims.iat > seconds + leeway) return Errc::issued_in_future;
    if (claims.iss != rules.issuer) return Errc::issuer_mismatch;
    if (!seen.aud) return Errc::audience_mismatch;
    if (claims.sub.empty()) return Errc::sub_missing;
    return result;
}

}  // namespace shared::jwt
