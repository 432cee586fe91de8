// What a route accepts besides a method and a path.
#pragma once

#include <cstdint>
#include <string_view>

namespace shared::http {

enum class Body {
    none,      // one that comes is read and ignored
    json,      // application/json, whole
    streamed,  // handed on in pieces as it comes
};

// How often a route may be called; the edges' limits are held against it.
enum class Rate {
    ordinary,
    sign_in,  // costs a password hash or guesses a secret
    costly,   // seconds of a database: imports, exports
};

inline constexpr std::string_view kAnyQuery = "*";
// As ServerOptions::body_limit_bytes says: for a limit that is a setting.
inline constexpr std::uint64_t kServerLimit = 0;

struct RouteRules {
    // Names of its query parameters, a blank between two; any other one, and one that is given twice, is a
    // 422. kAnyQuery: not looked at.
    std::string_view query = "";
    Body body = Body::none;
    std::string_view content_type = "";  // of a streamed body; another one is a 415. Empty: any
    std::uint64_t body_limit_bytes = 64 * 1024;
    Rate rate = Rate::ordinary;
    bool before_ready = false;  // answers also while the service is not prepared (endpoint.hpp)
    bool at_once = false;       // waits for no turn (turns.hpp): probes, and those who wait for news
};

}  // namespace shared::http
