#include "shared/jwt/key.hpp"
