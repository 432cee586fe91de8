#include "shared/http/client.hpp"
