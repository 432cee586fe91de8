#include "shared/metrics/metrics.hpp"
