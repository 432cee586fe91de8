#include "shared/config/environment.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "shared/base/text.hpp"

namespace shared::config {
namespace {

std::optional<std::string> process_environment(const std::string& name) {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return std::nullopt;
    return std::string(value);
}

// Values that come with tutorials and examples. Compared in lower case; any of them repeated or padded to the
// required length is refused as well.
bool is_placeholder(const std::string& secret) {
    static constexpr std::array<std::string_view, 12> kPlaceholders{
        "secret", "changeme", "change-me", "change_me",   "password", "supersecret",
        "jwt",    "default",  "example",   "your-secret", "mysecret", "test"};
    const auto text = lower_case(secret);
    for (const auto word : kPlaceholders) {
        if (text == word) return true;
        if (text.starts_with(word)) {
            // "changemechangeme…", "secret000…", "your-secret-key-here"
            const auto rest = text.substr(word.size());
            const bool filler =
                std::all_of(rest.begin(), rest.end(), [&](char c) { return c == rest.front(); });
            bool repeats = true;  // "secretsecretsec" too
            for (std::size_t i = 0; repeats && i < rest.size(); i += word.size())
                repeats = word.starts_with(rest.substr(i, word.size()));
            if (filler || repeats) return true;
        }
    }
    if (text.find("change-me") != std::string::npos || text.find("changeme") != std::string::npos ||
        text.find("your-secret") != std::string::npos || text.find("your_secret") != std::string::npos)
        return true;
    // One character over and over.
    return !text.empty() && text.find_first_not_of(text.front()) == std::string::npos;
}

}  // namespace

Environment::Environment() : lookup_(process_environment) {}
Environment::Environment(Lookup lookup) : lookup_(std::move(lookup)) {}

std::optional<std::string> Environment::optional_text(const std::string& name) {
    auto value = lookup_(name);
    if (value && value->empty()) value.reset();
    auto file = lookup_(name + "_FILE");
    if (file && file->empty()) file.reset();
    if (value && file) {
        problem(name, "is set together with " + name + "_FILE; set one of them");
        return std::nullopt;
    }
    if (!file) return value;

    std::ifstream stream(*file, std::ios::binary);
    std::ostringstream content;
    content << stream.rdbuf();
    if (!stream) {
        problem(name + "_FILE", "cannot read the file " + *file);
        return std::nullopt;
    }
    auto text = content.str();
    if (text.ends_with('\n')) text.pop_back();
    if (text.ends_with('\r')) text.pop_back();
    if (text.empty()) {
        problem(name + "_FILE", "the file " + *file + " is empty");
        return std::nullopt;
    }
    return text;
}

std::string Environment::text(const std::string& name, std::string_view fallback) {
    return optional_text(name).value_or(std::string(fallback));
}

std::string Environment::required_text(const std::string& name, std::string_view what_it_is) {
    const auto before = problems_.size();
    if (auto value = optional_text(name)) return *value;
    if (problems_.size() == before) problem(name, "is not set; it is " + std::string(what_it_is));
    return {};
}

std::optional<std::string> Environment::optional_secret(const std::string& name, std::size_t min_bytes) {
    auto value = optional_text(name);
    if (!value) return std::nullopt;
    if (value->size() < min_bytes) {
        problem(name, "is too short: " + std::to_string(value->size()) + " bytes, at least " +
                          std::to_string(min_bytes) + " are needed (e.g. openssl rand -hex 32)");
    } else if (is_placeholder(*value)) {
        problem(name, "is a well-known placeholder value; make a random one (e.g. openssl rand -hex 32)");
    }
    return value;
}

std::string Environment::required_secret(const std::string& name, std::size_t min_bytes) {
    const auto before = problems_.size();
    if (auto value = optional_secret(name, min_bytes)) return *value;
    if (problems_.size() == before)
        problem(name, "is not set; it is a secret of at least " + std::to_string(min_bytes) +
                          " bytes (e.g. openssl rand -hex 32)");
    return {};
}

std::int64_t Environment::integer(const std::string& name, std::int64_t fallback, std::int64_t min,
                                  std::int64_t max) {
    const auto value = optional_text(name);
    if (!value) return fallback;
    const auto number = parse_number<std::int64_t>(*value);
    if (!number || *number < min || *number > max) {
        problem(name, "\"" + *value + "\" is not a whole number from " + std::to_string(min) + " to " +
                          std::to_string(max));
        return fallback;
    }
    return *number;
}

std::uint16_t Environment::port(const std::string& name, std::uint16_t fallback) {
    return static_cast<std::uint16_t>(integer(name, fallback, 0, 65535));
}

bool Environment::boolean(const std::string& name, bool fallback) {
    const auto value = optional_text(name);
    if (!value) return fallback;
    const auto word = lower_case(*value);
    if (word == "true" || word == "1" || word == "on" || word == "yes") return true;
    if (word == "false" || word == "0" || word == "off" || word == "no") return false;
    problem(name, "\"" + *value + "\" is neither true nor false");
    return fallback;
}

std::string Environment::choice(const std::string& name, std::string_view fallback,
                                const std::vector<std::string>& allowed) {
    auto value = text(name, fallback);
    if (std::find(allowed.begin(), allowed.end(), value) != allowed.end()) return value;
    std::string message = "\"" + value + "\" is not one of:";
    for (const auto& word : allowed) message += " " + word;
    problem(name, message);
    return std::string(fallback);
}

std::vector<std::string> Environment::list(const std::string& name, std::string_view fallback) {
    const auto value = text(name, fallback);
    std::vector<std::string> items;
    std::string_view rest = value;
    while (!rest.empty()) {
        const auto comma = std::min(rest.find(','), rest.size());
        if (const auto item = trim(rest.substr(0, comma)); !item.empty()) items.emplace_back(item);
        rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
    return items;
}

void Environment::problem(std::string name, std::string message) {
    problems_.push_back(std::move(name) + ": " + std::move(message));
}

std::string Environment::report() const {
    std::string text;
    for (const auto& line : problems_) {
        if (!text.empty()) text += '\n';
        text += line;
    }
    return text;
}

}  // namespace shared::config
