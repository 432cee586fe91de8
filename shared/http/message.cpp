#include "shared/http/message.hpp"
