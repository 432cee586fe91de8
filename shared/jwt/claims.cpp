#include "shared/jwt/claims.hpp"
