#include "shared/jwt/verifier.hpp"
