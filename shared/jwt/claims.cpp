#include "shared/jwt/claims.hpp"

#include <algorithm>

#include "shared/base/text.hpp"

namespace shared::jwt {

std::optional<std::string_view> Claims::find(std::string_view name) const {
    const auto unless_empty = [](const std::string& text) -> std::optional<std::string_view> {
        if (text.empty()) return std::nullopt;
        return text;
    };
    if (name == "sub") return unless_empty(sub);
    if (name == "nim") return unless_empty(nim);
    if (name == "role") return unless_empty(role);
    if (name == "sid") return unless_empty(sid);
    if (name == "jti") return unless_empty(jti);
    if (name == "iss") return unless_empty(iss);
    for (const auto& [other, text] : others)
        if (other == name) return text;
    return std::nullopt;
}

WallTime to_time(double seconds) {
    constexpr double kFarAway = 9.0e9;
    return WallTime(std::chrono::duration_cast<WallTime::duration>(
        std::chrono::duration<double>(std::min(seconds, kFarAway))));
}

bool safe_in_header(std::string_view value) {
    if (std::any_of(value.begin(), value.end(), is_control)) return false;
    return value.empty() || (value.front() != ' ' && value.back() != ' ');
}

}  // namespace shared::jwt
