// Text encodings of bytes: hex and base64url (RFC 4648 section 5, unpadded).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace shared {

std::string to_hex(std::string_view bytes);

std::string base64url_encode(std::string_view bytes);

// Strict: only the canonical form is accepted (no padding, no white space, no non-zero trailing bits), so
// that one value has exactly one text. Returns nullopt for anything else.
std::optional<std::string> base64url_decode(std::string_view text);

}  // namespace shared
