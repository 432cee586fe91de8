// A file of the repository, for tests that hold documents and examples against the code.
#pragma once

#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>
#include <string>

namespace test {

// `path` is relative to the root.
inline std::string source_file(const std::string& path) {
    std::ifstream file(std::string(SOURCE_DIR) + '/' + path, std::ios::binary);
    REQUIRE(file);
    return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace test
