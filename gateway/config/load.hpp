// File and environment → Config. Every problem is found in one pass and told with its place.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/config/config.hpp"

namespace gateway::config {

// One thing wrong with a file: `pointer` is a JSON Pointer (RFC 6901), `line` is 1-based (0: unknown).
struct Problem {
    std::string pointer;
    std::size_t line = 0;
    std::string message;
};

struct Loaded {
    std::shared_ptr<const Config> config;  // null if there are problems
    std::vector<Problem> problems;
    std::vector<Problem> warnings{};  // what is legal and probably a mistake

    explicit operator bool() const { return config != nullptr; }
    // One line per problem: "deploy/config/gateway.json:12: /routes/3/auth …".
    std::string report(std::string_view file) const;
    // The same of the warnings: "deploy/config/gateway.json:12: warning: /routes/3/match/path …".
    std::string warning_report(std::string_view file) const;
};

using Lookup = std::function<std::optional<std::string>(const std::string& name)>;

// Value of NAME, or contents of the file that NAME_FILE names (one trailing newline removed).
Lookup process_environment();

// `text` is the file's contents. String values may hold ${NAME} and ${NAME:-default}; a number or boolean may
// be given as such a string too.
Loaded parse(std::string_view text, const Lookup& environment);
Loaded load_file(const std::string& path, const Lookup& environment);

// The effective configuration with all defaults as JSON; secrets are "***".
std::string dump(const Config& config);

}  // namespace gateway::config
