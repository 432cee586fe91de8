#include "test/unit/edges/nginx_locations.hpp"

#include <algorithm>
#include <regex>
#include <sstream>
#include <stdexcept>

namespace test {
namespace {

std::string without_comments(const std::string& text) {
    std::istringstream lines(text);
    std::string kept;
    for (std::string line; std::getline(lines, line);) {
        const auto first = line.find_first_not_of(' ');
        if (first != std::string::npos && line[first] != '#') kept += line + '\n';
    }
    return kept;
}

// Behind the brace that closes the one in front of `begin`.
std::size_t end_of_block(const std::string& text, std::size_t begin) {
    int depth = 1;
    char quote = 0;
    for (std::size_t i = begin; i < text.size(); ++i) {
        const char c = text[i];
        if (quote != 0) {
            if (c == quote) quote = 0;
        } else if (c == '\'' || c == '"') {
            quote = c;
        } else if (c == '{') {
            ++depth;
        } else if (c == '}' && --depth == 0) {
            return i + 1;
        }
    }
    throw std::runtime_error("a block of nginx.conf has no end");
}

}  // namespace

NginxLocations::NginxLocations(const std::string& text) {
    const std::string plain = without_comments(text);
    static constexpr std::string_view kWord = " location ";
    for (auto at = plain.find(kWord); at != std::string::npos; at = plain.find(kWord, at + 1)) {
        const auto open = plain.find(" {", at);
        if (open == std::string::npos) throw std::runtime_error("a location without its block");
        std::istringstream words(plain.substr(at + kWord.size(), open - at - kWord.size()));
        std::string first;
        std::string second;
        words >> first >> second;
        Location location;
        if (first == "=") location.kind = Location::Kind::exact;
        if (first == "~") location.kind = Location::Kind::regex;
        location.pattern = second.empty() ? first : second;
        if (!second.empty() && first != "=" && first != "~")
            throw std::runtime_error("a kind of location that is not known here: " + first);
        const auto end = end_of_block(plain, open + 2);
        location.body = plain.substr(open + 2, end - open - 3);
        if (!location.pattern.starts_with('@')) locations_.push_back(std::move(location));
    }
}

const NginxLocations::Location* NginxLocations::find(const std::string& path) const {
    const Location* longest = nullptr;
    for (const auto& location : locations_) {
        if (location.kind == Location::Kind::exact && location.pattern == path) return &location;
        const bool longer = longest == nullptr || location.pattern.size() > longest->pattern.size();
        if (location.kind == Location::Kind::prefix && path.starts_with(location.pattern) && longer)
            longest = &location;
    }
    for (const auto& location : locations_)
        if (location.kind == Location::Kind::regex && std::regex_search(path, std::regex(location.pattern)))
            return &location;
    return longest;
}

}  // namespace test
