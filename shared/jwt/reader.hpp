// The strict reader: takes a compact JWS apart and refuses everything that has a second spelling or that RFC
// 7515, 7519 or 8725 give a reason to refuse. It looks at no key and no clock. Nothing it returns is trusted
// yet.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "shared/base/result.hpp"
#include "shared/jwt/json_scan.hpp"
#include "shared/jwt/key.hpp"

namespace shared::jwt {

// Where a token is taken apart; lives on the caller's stack. Tokens up to kInlineToken bytes need no heap.
class ReadBuffer {
  public:
    static constexpr std::size_t kInlineToken = 8 * 1024;
    static constexpr std::size_t kMaxHeaderValues = 64;
    static constexpr std::size_t kMaxPayloadValues = 512;

    // User-provided and empty on purpose: nothing is zeroed.
    ReadBuffer() {}  // NOLINT(modernize-use-equals-default)
    ReadBuffer(const ReadBuffer&) = delete;
    ReadBuffer& operator=(const ReadBuffer&) = delete;

    char* bytes(std::size_t size);
    std::span<JsonNode> header_nodes() { return header_nodes_; }
    std::span<JsonNode> payload_nodes() { return payload_nodes_; }

  private:
    std::array<char, kInlineToken + 64> inline_;
    std::unique_ptr<char[]> large_;
    std::array<JsonNode, kMaxHeaderValues> header_nodes_;
    std::array<JsonNode, kMaxPayloadValues> payload_nodes_;
};

// Views into the token and into the buffer; both must outlive it.
struct ReadToken {
    std::string_view signing_input;       // "header.payload" as sent
    std::string_view signature;           // decoded
    Algorithm algorithm{};                // of the header
    std::optional<std::string_view> kid;  // of the header, 1 to 256 printable bytes
    std::span<const JsonNode> payload;    // node 0 is the claims object

    // The claim iss if it is a string: to choose the issuer whose keys decide. Not verified.
    std::optional<std::string_view> issuer() const;
};

// Errors: the reader's and the header's part of jwt::Errc.
Result<ReadToken> read_token(std::string_view token, std::size_t max_bytes, ReadBuffer& buffer);

}  // namespace shared::jwt
