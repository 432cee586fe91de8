// Unicode forms of text that people type (UAX #15), by utf8proc.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace auth::domain {

// Normalization form C: the same password typed on two keyboards gives the same bytes. nullopt: no valid
// UTF-8.
std::optional<std::string> to_nfc(std::string_view utf8);

// NFKC with case folding: what two user names are compared by. nullopt: no valid UTF-8.
std::optional<std::string> fold_case(std::string_view utf8);

}  // namespace auth::domain
