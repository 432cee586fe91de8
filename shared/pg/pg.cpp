#include "shared/pg/pg.hpp"
