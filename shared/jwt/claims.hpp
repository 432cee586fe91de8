// The claims of a verified access token.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "shared/base/clock.hpp"

namespace shared::jwt {

// NumericDate values are seconds since the epoch, fractions kept. `aud` is not kept: it held the rules'
// audience.
struct Claims {
    std::string iss;
    std::string sub;
    double exp = 0;
    std::optional<double> nbf;
    std::optional<double> iat;
    std::string jti;  // empty: not in the token
    std::string sid;  // session id
    std::string role;
    std::string nim;
    std::vector<std::string> scopes;  // "scope" (space-separated string) or "scp" (array)
    // Every other top-level member with a string, number or boolean value, as text; for own-claim rules.
    std::vector<std::pair<std::string, std::string>> others;

    // Any claim by name as text, e.g. "nim", "role", "sub"; nullopt if absent.
    std::optional<std::string_view> find(std::string_view name) const;
};

// A NumericDate on our clock, whose range no date leaves.
WallTime to_time(double seconds);

// A claim that goes into a header: RFC 9110 section 5.5, less tabs, so that it arrives as it was sent and
// forges no line.
bool safe_in_header(std::string_view value);

}  // namespace shared::jwt
