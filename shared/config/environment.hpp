// Settings from environment variables. Every problem is collected, so that a start-up error names all wrong
// settings at once.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace shared::config {

class Environment {
  public:
    using Lookup = std::function<std::optional<std::string>(const std::string& name)>;

    // Reads the process environment; tests pass their own lookup.
    Environment();
    explicit Environment(Lookup lookup);

    // NAME, or the contents of the file that NAME_FILE names (one trailing newline removed). Setting both is
    // an error. An empty value counts as not set.
    std::optional<std::string> optional_text(const std::string& name);
    std::string text(const std::string& name, std::string_view fallback);
    std::string required_text(const std::string& name, std::string_view what_it_is);

    // A secret: required, at least `min_bytes` long, and not one of the well-known placeholder values
    // ("secret", "changeme", "password", …). The value never appears in a message.
    std::string required_secret(const std::string& name, std::size_t min_bytes);
    // The same rules where it is set; nullopt where it is not.
    std::optional<std::string> optional_secret(const std::string& name, std::size_t min_bytes);

    std::int64_t integer(const std::string& name, std::int64_t fallback, std::int64_t min, std::int64_t max);
    std::uint16_t port(const std::string& name, std::uint16_t fallback);
    bool boolean(const std::string& name, bool fallback);  // true/false/1/0/on/off/yes/no
    // One of `allowed`, else a problem that lists them.
    std::string choice(const std::string& name, std::string_view fallback,
                       const std::vector<std::string>& allowed);
    // A comma-separated list; items trimmed, empty ones dropped.
    std::vector<std::string> list(const std::string& name, std::string_view fallback);

    // For checks that the caller makes itself (a URI that does not parse, two settings that exclude each
    // other).
    void problem(std::string name, std::string message);

    bool ok() const { return problems_.empty(); }
    // One line per problem: "NAME: what is wrong and what to do".
    std::string report() const;

  private:
    Lookup lookup_;
    std::vector<std::string> problems_;
};

}  // namespace shared::config
