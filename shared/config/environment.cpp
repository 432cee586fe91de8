#include "shared/config/environment.hpp"
