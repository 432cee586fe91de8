#include "shared/jwt/reader.hpp"

#include <cstdint>
#include <cstring>

#include "shared/jwt/verifier.hpp"

namespace shared::jwt {
namespace {

constexpr std::size_t kMaxKid = 256;

constexpr auto kReverse = [] {
    constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    std::array<std::int8_t, 256> table{};
    for (auto& entry : table) entry = -1;
    for (std::size_t i = 0; i < alphabet.size(); ++i)
        table[static_cast<unsigned char>(alphabet[i])] = static_cast<std::int8_t>(i);
    return table;
}();

int sextet(char c) {
    return kReverse[static_cast<unsigned char>(c)];
}

// Canonical base64url only (RFC 7515 section 2): no padding, no other bytes, no non-zero bits behind the last
// one. Returns the end of what was written to `out`, nullptr if the text is not that. shared/base has the
// same rule with a string as its result; this one allocates nothing.
char* decode(std::string_view text, char* out) {
    const char* p = text.data();
    const char* const last_group = p + (text.size() & ~std::size_t{3});
    int seen = 0;  // negative as soon as one sextet was
    for (; p != last_group; p += 4, out += 3) {
        const int a = sextet(p[0]);
        const int b = sextet(p[1]);
        const int c = sextet(p[2]);
        const int d = sextet(p[3]);
        seen |= a | b | c | d;
        const auto bits = (static_cast<std::uint32_t>(a) << 18) | (static_cast<std::uint32_t>(b) << 12) |
                          (static_cast<std::uint32_t>(c) << 6) | static_cast<std::uint32_t>(d);
        out[0] = static_cast<char>(bits >> 16);
        out[1] = static_cast<char>(bits >> 8);
        out[2] = static_cast<char>(bits);
    }
    const auto rest = text.size() & 3;
    if (rest == 1) return nullptr;
    if (rest >= 2) {
        const int a = sextet(p[0]);
        const int b = sextet(p[1]);
        const int c = rest == 3 ? sextet(p[2]) : 0;
        seen |= a | b | c;
        const auto bits = (static_cast<std::uint32_t>(a) << 18) | (static_cast<std::uint32_t>(b) << 12) |
                          (static_cast<std::uint32_t>(c) << 6);
        *out++ = static_cast<char>(bits >> 16);
        if (rest == 3) *out++ = static_cast<char>(bits >> 8);
        if ((bits & (rest == 3 ? 0xFFU : 0xFFFFU)) != 0) return nullptr;
    }
    return seen < 0 ? nullptr : out;
}

// The slow half of the reader: names what is wrong with a token that could not be taken apart.
Errc classify(std::string_view token) {
    std::size_t dots = 0;
    bool empty_part = token.empty() || token.back() == '.';
    char before = '.';
    for (const char c : token) {
        if (c == '.') {
            ++dots;
            if (before == '.') empty_part = true;
        } else if (sextet(c) < 0) {
            return Errc::bad_character;
        }
        before = c;
    }
    if (dots != 2) return Errc::wrong_part_count;
    return empty_part ? Errc::empty_part : Errc::bad_base64url;
}

// Media types are compared without regard to case (RFC 7515 section 4.1.9, RFC 2045 section 5.1).
bool equals_ignoring_case(std::string_view text, std::string_view lower) {
    if (text.size() != lower.size()) return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i] >= 'A' && text[i] <= 'Z' ? static_cast<char>(text[i] - 'A' + 'a') : text[i];
        if (c != lower[i]) return false;
    }
    return true;
}

bool printable(std::string_view text) {
    for (const char c : text)
        if (c < 0x20 || c > 0x7E) return false;
    return true;
}

// jwk, jku, x5u, x5c and whatever else a header may carry are not looked at: a token does not choose its key.
Result<void> read_header(std::span<const JsonNode> nodes, ReadToken& token) {
    const JsonNode* alg = nullptr;
    const JsonNode* typ = nullptr;
    const JsonNode* kid = nullptr;
    bool crit = false;
    for (std::size_t i = 1; i < nodes.size(); i = nodes[i].end) {
        const auto name = nodes[i].name();
        if (name == "alg") alg = &nodes[i];
        if (name == "typ") typ = &nodes[i];
        if (name == "kid") kid = &nodes[i];
        if (name == "crit") crit = true;
    }
    if (alg == nullptr) return Errc::alg_missing;
    const auto algorithm = alg->kind == JsonKind::string ? parse_algorithm(alg->text()) : std::nullopt;
    if (!algorithm) return Errc::alg_not_allowed;
    token.algorithm = *algorithm;
    if (typ != nullptr && (typ->kind != JsonKind::string || (!equals_ignoring_case(typ->text(), "jwt") &&
                                                             !equals_ignoring_case(typ->text(), "at+jwt"))))
        return Errc::typ_not_allowed;
    if (crit) return Errc::crit_present;  // we understand no extension (RFC 7515 section 4.1.11)
    if (kid != nullptr) {
        const auto text = kid->text();
        if (kid->kind != JsonKind::string || text.empty() || text.size() > kMaxKid || !printable(text))
            return Errc::bad_kid;
        token.kid = text;
    }
    return {};
}

}  // namespace

char* ReadBuffer::bytes(std::size_t size) {
    if (size <= inline_.size()) return inline_.data();
    large_ = std::make_unique_for_overwrite<char[]>(size);
    return large_.get();
}

std::optional<std::string_view> ReadToken::issuer() const {
    const auto* iss = find_member(payload, 0, "iss");
    if (iss == nullptr || iss->kind != JsonKind::string) return std::nullopt;
    return iss->text();
}

Result<ReadToken> read_token(std::string_view token, std::size_t max_bytes, ReadBuffer& buffer) {
    if (token.size() > max_bytes) return Errc::too_long;
    const auto first = token.find('.');
    if (first == std::string_view::npos) return classify(token);
    const auto second = token.find('.', first + 1);
    if (second == std::string_view::npos) return classify(token);
    const auto header = token.substr(0, first);
    const auto payload = token.substr(first + 1, second - first - 1);
    const auto signature = token.substr(second + 1);
    if (header.empty() || payload.empty() || signature.empty()) return classify(token);

    // One byte between the parts for the scanner's final zero. Decoded parts are shorter than the token, so
    // with the three separators its size is enough.
    char* const header_at = buffer.bytes(token.size() + 3);
    char* const header_end = decode(header, header_at);
    if (header_end == nullptr) return classify(token);
    char* const payload_at = header_end + 1;
    char* const payload_end = decode(payload, payload_at);
    if (payload_end == nullptr) return classify(token);
    char* const signature_at = payload_end + 1;
    char* const signature_end = decode(signature, signature_at);
    if (signature_end == nullptr) return classify(token);  // a third dot is found here too

    ReadToken out;
    const auto header_nodes = scan_object(header_at, header_end, buffer.header_nodes());
    if (header_nodes.empty()) return Errc::header_not_json_object;
    out.payload = scan_object(payload_at, payload_end, buffer.payload_nodes());
    if (out.payload.empty()) return Errc::payload_not_json_object;
    if (auto ok = read_header(header_nodes, out); !ok) return ok.error();
    out.signing_input = token.substr(0, second);
    out.signature = {signature_at, static_cast<std::size_t>(signature_end - signature_at)};
    return out;
}

}  // namespace shared::jwt
