#include "shared/pg/migrate.hpp"
