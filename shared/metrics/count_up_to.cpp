#include "shared/metrics/count_up_to.hpp"

namespace shared::metrics {

void count_up_to(prometheus::Counter& counter, std::uint64_t total) {
    if (const double missing = static_cast<double>(total) - counter.Value(); missing > 0)
        counter.Increment(missing);
}

}  // namespace shared::metrics
