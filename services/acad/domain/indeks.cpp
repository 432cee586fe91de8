#include "services/acad/domain/indeks.hpp"

namespace acad::domain {

std::optional<Rounding> parse_rounding(std::string_view name) {
    if (name == "half_up") return Rounding::half_up;
    if (name == "truncate") return Rounding::truncate;
    if (name == "half_even") return Rounding::half_even;
    return std::nullopt;
}

Indeks divide(std::int64_t sum, std::int64_t count, Rounding rounding) {
    const auto whole = sum / count;
    const auto twice_rest = 2 * (sum % count);
    bool up = false;
    switch (rounding) {
        case Rounding::half_up:
            up = twice_rest >= count;
            break;
        case Rounding::truncate:
            break;
        case Rounding::half_even:
            up = twice_rest > count || (twice_rest == count && whole % 2 == 1);
            break;
    }
    return {static_cast<int>(whole) + (up ? 1 : 0)};
}

std::string to_decimal(Indeks indeks) {
    auto text = std::to_string(indeks.ratus / 100);
    const int tenths = indeks.ratus / 10 % 10;
    const int hundredths = indeks.ratus % 10;
    if (tenths == 0 && hundredths == 0) return text;
    text += '.';
    text += static_cast<char>('0' + tenths);
    if (hundredths != 0) text += static_cast<char>('0' + hundredths);
    return text;
}

}  // namespace acad::domain
