#include "shared/http/problem.hpp"
