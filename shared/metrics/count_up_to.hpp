// For counts that somebody else keeps.
#pragma once

#include <prometheus/counter.h>

#include <cstdint>

namespace shared::metrics {

// Brings the counter up to `total`; a counter takes no step back, so one that is beyond it stays. From one
// thread at a time: two would add the same difference.
void count_up_to(prometheus::Counter& counter, std::uint64_t total);

}  // namespace shared::metrics
