#include "shared/jwt/reader.hpp"

#include <bit>
#include <cstdint>
#include <cstring>

#include "shared/base/text.hpp"
#include "shared/jwt/verifier.hpp"

namespace shared::jwt {
namespace {

constexpr std::size_t kMaxKid = 256;

// kDecode[i][c]: the six bits of character c where they belong in a group of four, as the first three bytes
// in memory; kInvalid in the byte above them for any other character.
constexpr std::uint32_t kInvalid = 0x80000000U;

constexpr auto kDecode = [] {
    constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    std::array<std::array<std::uint32_t, 256>, 4> tables{};
    for (auto& table : tables)
        for (auto& entry : table) entry = kInvalid;
    for (std::size_t i = 0; i < alphabet.size(); ++i) {
        for (unsigned place = 0; place < 4; ++place) {
            const auto bits = static_cast<std::uint32_t>(i) << (18 - 6 * place);  // of a 24-bit group
            // First byte of the group lowest: the order in memory of a little-endian word.
            tables[place][static_cast<unsigned char>(alphabet[i])] =
                (bits >> 16) | (bits & 0xFF00U) | ((bits & 0xFFU) << 16);
        }
    }
    return tables;
}();
static_assert(std::endian::native == std::endian::little, "decode() stores groups as little-endian words");

std::uint32_t place(unsigned number, char c) {
    return kDecode[number][static_cast<unsigned char>(c)];
}

// Canonical base64url only (RFC 7515 section 2): no padding, no other bytes, no non-zero bits behind the last
// one. Returns the end of what was written to `out`, nullptr if the text is not that. Writes up to one byte
// more than it returns. shared/base has the same rule with a string as its result; this one allocates
// nothing.
char* decode(std::string_view text, char* out) {
    const char* p = text.data();
    const char* const last_group = p + (text.size() & ~std::size_t{3});
    std::uint32_t seen = 0;
    for (; p != last_group; p += 4, out += 3) {
        const auto group = place(0, p[0]) | place(1, p[1]) | place(2, p[2]) | place(3, p[3]);
        seen |= group;
        std::memcpy(out, &group, sizeof group);
    }
    const auto rest = text.size() & 3;
    if (rest == 1) return nullptr;
    if (rest >= 2) {
        const auto group = place(0, p[0]) | place(1, p[1]) | (rest == 3 ? place(2, p[2]) : 0);
        seen |= group;
        // What does not belong to a whole byte must be zero.
        if ((group & (rest == 3 ? 0xFF0000U : 0xFFFF00U)) != 0) return nullptr;
        *out++ = static_cast<char>(group);
        if (rest == 3) *out++ = static_cast<char>(group >> 8);
    }
    return (seen & kInvalid) != 0 ? nullptr : out;
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
        } else if (place(0, c) == kInvalid) {
            return Errc::bad_character;
        }
        before = c;
    }
    if (dots != 2) return Errc::wrong_part_count;
    return empty_part ? Errc::empty_part : Errc::bad_base64url;
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
        switch (nodes[i].name_head) {
            case pack_name("alg"):
                alg = &nodes[i];
                break;
            case pack_name("typ"):
                typ = &nodes[i];
                break;
            case pack_name("kid"):
                kid = &nodes[i];
                break;
            case pack_name("crit"):  // and any other name of four bytes that begins with "cri"
                crit = crit || nodes[i].name() == "crit";
                break;
            default:
                break;
        }
    }
    if (alg == nullptr) return Errc::alg_missing;
    const auto algorithm = alg->kind == JsonKind::string ? parse_algorithm(alg->text()) : std::nullopt;
    if (!algorithm) return Errc::alg_not_allowed;
    token.algorithm = *algorithm;
    // Media types are compared without regard to case (RFC 7515 section 4.1.9, RFC 2045 section 5.1).
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

    // Each part is followed by the scanner's padding, which the next part then overwrites; decoded parts are
    // shorter than the token, so its size and the last padding are enough.
    char* const header_at = buffer.bytes(token.size() + 3 + kScanPadding);
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
