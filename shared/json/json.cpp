#include "shared/json/json.hpp"
