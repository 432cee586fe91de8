#include "shared/domain/nim.hpp"

#include <algorithm>

namespace shared::domain {
namespace {

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_alnum(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Takes the digits in front; false: there are none.
bool take_digits(std::string_view& text) {
    const auto count =
        static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_digit) - text.begin());
    text.remove_prefix(count);
    return count > 0;
}

// ^[0-9]+([.,][0-9]+)?[eE][+-]?[0-9]+$ or ^[0-9]+\.0+$. Neither ',' nor '+' comes this far.
bool spreadsheet_number(std::string_view text) {
    if (!take_digits(text)) return false;
    if (text.starts_with('.')) {
        text.remove_prefix(1);
        const bool only_zeros = text.find_first_not_of('0') == std::string_view::npos;
        if (!take_digits(text)) return false;
        if (only_zeros) return true;
    }
    if (!text.starts_with('e') && !text.starts_with('E')) return false;
    text.remove_prefix(1);
    if (text.starts_with('-')) text.remove_prefix(1);
    return take_digits(text) && text.empty();
}

}  // namespace

std::optional<Nim> Nim::parse(std::string_view text) {
    if (text.empty() || text.size() > kMaxLength || !is_alnum(text.front())) return std::nullopt;
    const bool plain = std::all_of(text.begin(), text.end(),
                                   [](char c) { return is_alnum(c) || c == '.' || c == '_' || c == '-'; });
    if (!plain || spreadsheet_number(text)) return std::nullopt;
    return Nim(text);
}

}  // namespace shared::domain
