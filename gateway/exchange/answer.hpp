#pragma once

#include <cstdint>
#include <string_view>

namespace gateway::exchange {

// An answer that the gateway gives itself. The texts are static, or in the exchange's TextStore.
struct Answer {
    enum class Body : std::uint8_t { problem, text, none };

    unsigned status = 0;
    Body body = Body::problem;
    std::string_view code;    // problem: stable, snake_case
    std::string_view detail;  // problem: Indonesian, for people
    std::string_view reason;  // for the log
    std::string_view www_authenticate;
    std::string_view allow;
    std::string_view location;
    std::string_view content_range;
    std::string_view content_type;  // Body::text
    std::string_view text;          // Body::text
    unsigned retry_after_s = 0;     // 0: no Retry-After
    bool cacheable = false;         // else Cache-Control: no-store
    bool close = false;             // the connection cannot go on after this
};

}  // namespace gateway::exchange
