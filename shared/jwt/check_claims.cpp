#include "shared/jwt/check_claims.hpp"

#include <charconv>
#include <cmath>

namespace shared::jwt {
namespace {

constexpr double kMaxNumericDate = 9007199254740992.0;  // 2^53: above it a double skips seconds

Result<double> numeric_date(const JsonNode& node) {
    if (node.kind != JsonKind::number) return Errc::bad_numeric_date;
    const auto text = node.text();
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

// A string, or an array of strings, into a list.
bool put_strings(std::span<const JsonNode> nodes, const JsonNode& node, std::vector<std::string>& out) {
    if (node.kind == JsonKind::string) {
        out.emplace_back(node.text());
        return true;
    }
    if (node.kind != JsonKind::array || !all_strings(nodes, node)) return false;
    for (auto i = static_cast<std::size_t>(&node - nodes.data()) + 1; i < node.end; ++i)
        out.emplace_back(nodes[i].text());
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

std::string* text_claim(Claims& claims, std::string_view name) {
    if (name == "iss") return &claims.iss;
    if (name == "sub") return &claims.sub;
    if (name == "jti") return &claims.jti;
    if (name == "sid") return &claims.sid;
    if (name == "role") return &claims.role;
    if (name == "nim") return &claims.nim;
    return nullptr;
}

struct Presence {
    bool exp = false;
};

Result<void> take_member(std::span<const JsonNode> nodes, const JsonNode& node, Claims& claims,
                         Presence& present) {
    const auto name = node.name();
    if (auto* text = text_claim(claims, name)) {
        if (node.kind != JsonKind::string) return Errc::bad_claim_type;
        text->assign(node.text());
    } else if (name == "exp" || name == "nbf" || name == "iat") {
        const auto date = numeric_date(node);
        if (!date) return date.error();
        if (name == "exp") {
            claims.exp = *date;
            present.exp = true;
        } else {
            (name == "nbf" ? claims.nbf : claims.iat) = *date;
        }
    } else if (name == "aud") {
        if (!put_strings(nodes, node, claims.aud)) return Errc::bad_claim_type;
    } else if (name == "scope") {
        if (node.kind != JsonKind::string) return Errc::bad_claim_type;
        split_scope(node.text(), claims.scopes);
    } else if (name == "scp") {
        if (node.kind == JsonKind::string)
            split_scope(node.text(), claims.scopes);
        else if (!put_strings(nodes, node, claims.scopes))
            return Errc::bad_claim_type;
    } else if (node.kind == JsonKind::string || node.kind == JsonKind::number ||
               node.kind == JsonKind::boolean) {
        claims.others.emplace_back(name, node.text());
    }
    return {};
}

bool contains(const std::vector<std::string>& list, const std::string& text) {
    for (const auto& item : list)
        if (item == text) return true;
    return false;
}

}  // namespace

Result<Claims> check_claims(std::span<const JsonNode> payload, const Rules& rules, WallTime now) {
    Result<Claims> result(boost::system::in_place_value);
    Claims& claims = *result;
    Presence present;
    for (std::size_t i = 1; i < payload.size(); i = payload[i].end)
        if (auto ok = take_member(payload, payload[i], claims, present); !ok) return ok.error();

    const double seconds = std::chrono::duration<double>(now.time_since_epoch()).count();
    const auto leeway = static_cast<double>(rules.leeway.count());
    if (!present.exp) return Errc::exp_missing;
    if (seconds >= claims.exp + leeway) return Errc::expired;
    if (claims.nbf && *claims.nbf > seconds + leeway) return Errc::not_yet_valid;
    if (claims.iat && *claims.iat > seconds + leeway) return Errc::issued_in_future;
    if (claims.iss != rules.issuer) return Errc::issuer_mismatch;
    if (!contains(claims.aud, rules.audience)) return Errc::audience_mismatch;
    if (claims.sub.empty()) return Errc::sub_missing;
    return result;
}

}  // namespace shared::jwt
