// Percent-encoding of request targets (RFC 3986).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace shared::http {

// nullopt: a broken escape, a NUL or another control character, or bytes that are not UTF-8.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space = false);

// Everything but RFC 3986's unreserved characters is escaped.
std::string percent_encode(std::string_view text);

// "a=1&b=x%20y" in order. nullopt where percent_decode has none.
std::optional<std::vector<std::pair<std::string, std::string>>> parse_query(std::string_view query);

}  // namespace shared::http
