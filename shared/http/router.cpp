#include "shared/http/server.hpp"
