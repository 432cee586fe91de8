#include "shared/log/log.hpp"
