// What a fuzz target claims. Stops the process where it does not hold, whatever NDEBUG says.
#pragma once

#include <cstdio>
#include <cstdlib>

#define REQUIRE_THAT_ALWAYS(condition)                                           \
    do {                                                                         \
        if (!(condition)) {                                                      \
            std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
            std::abort();                                                        \
        }                                                                        \
    } while (false)
