// Time is passed in, so that tests decide what time it is.
#pragma once

#include <chrono>
#include <functional>

namespace shared {

using WallTime = std::chrono::system_clock::time_point;

// Wall clock, seconds and below since the Unix epoch. Components that compare against stored or signed
// times take one of these instead of calling system_clock::now() themselves.
using WallClock = std::function<WallTime()>;

inline WallTime system_now() {
    return std::chrono::system_clock::now();
}

}  // namespace shared
