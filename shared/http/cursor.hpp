// Where the next page of a list begins, as text that means nothing to clients.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace shared::http {

// `key` is that of the page's last row; `list` is the list's path: a cursor of another list is not ours.
std::string make_cursor(std::string_view list, std::string_view key);

// The key. nullopt for what make_cursor did not make (it carries a check value: no secret, so that every
// replica takes it, but nothing that is met by chance), and for a key that is no text: control characters,
// not UTF-8, longer than `max_bytes`.
std::optional<std::string> read_cursor(std::string_view list, std::string_view cursor,
                                       std::size_t max_bytes = 100);

}  // namespace shared::http
