// Catch2 2 has no SKIP: a test that lacks what it needs says so here and returns.
#pragma once

#include <string>

namespace test {

// What the process ends with if nothing failed and something was skipped: ctest's SKIP_RETURN_CODE.
inline constexpr int kSkipped = 77;

// With CI=true the running test fails instead, since everything has to be there.
void skip(const std::string& why);

}  // namespace test
