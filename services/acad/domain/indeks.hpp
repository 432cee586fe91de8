// Grade point averages without binary fractions: hundredths, made by one exact division.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace acad::domain {

// 3.50 is 350.
struct Indeks {
    int ratus = 0;
    auto operator<=>(const Indeks&) const = default;
};

enum class Rounding {
    half_up,    // 3.625 -> 3.63
    truncate,   // 3.625 -> 3.62
    half_even,  // 3.625 -> 3.62, 3.635 -> 3.64
};
std::optional<Rounding> parse_rounding(std::string_view name);

// sum / count as hundredths; `sum` is in hundredths and not negative, `count` is positive.
Indeks divide(std::int64_t sum, std::int64_t count, Rounding rounding);

// The shortest decimal: "3.5", "3.83", "4", "0". A JSON number.
std::string to_decimal(Indeks indeks);

}  // namespace acad::domain
