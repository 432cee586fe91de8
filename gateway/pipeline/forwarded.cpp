#include "gateway/pipeline/forwarded.hpp"

#include "gateway/wire/chars.hpp"
#include "shared/base/text.hpp"

namespace gateway::pipeline {

namespace {

namespace chars = wire::chars;

constexpr std::size_t kMostElements = 64;

void skip_space(std::string_view& rest) {
    while (!rest.empty() && (rest[0] == ' ' || rest[0] == '\t')) rest.remove_prefix(1);
}

std::string_view token(std::string_view& rest) {
    std::size_t length = 0;
    while (length < rest.size() && chars::is(rest[length], chars::kToken)) ++length;
    const std::string_view found = rest.substr(0, length);
    rest.remove_prefix(length);
    return found;
}

// A token or a quoted string.
bool read_value(std::string_view& rest, std::string& value) {
    if (!rest.starts_with('"')) {
        value = token(rest);
        return !value.empty();
    }
    for (std::size_t i = 1; i < rest.size(); ++i) {
        if (rest[i] == '"') {
            rest.remove_prefix(i + 1);
            return true;
        }
        if (rest[i] == '\\' && ++i == rest.size()) return false;
        value += rest[i];
    }
    return false;
}

bool read_pair(std::string_view& rest, ForwardedElement& element, std::vector<std::string>& seen) {
    std::string name = shared::lower_case(std::string(token(rest)));
    if (name.empty() || !rest.starts_with('=')) return false;
    rest.remove_prefix(1);
    std::string value;
    if (!read_value(rest, value)) return false;
    for (const std::string& earlier : seen)
        if (earlier == name) return false;  // section 4: each at most once
    if (name == "for") element.node = value;
    if (name == "proto") element.proto = value;
    if (name == "host") element.host = value;
    seen.push_back(std::move(name));
    return true;
}

}  // namespace

std::optional<std::vector<ForwardedElement>> parse_forwarded(std::string_view list) {
    std::vector<ForwardedElement> elements;
    while (true) {
        skip_space(list);
        ForwardedElement element;
        std::vector<std::string> seen;
        while (!list.empty() && list[0] != ',') {
            if (list[0] != ';' && !read_pair(list, element, seen)) return std::nullopt;
            skip_space(list);
            if (list.empty() || list[0] == ',') break;
            if (list[0] != ';') return std::nullopt;
            list.remove_prefix(1);
            skip_space(list);
        }
        if (!seen.empty()) elements.push_back(std::move(element));
        if (list.empty()) return elements;
        if (elements.size() > kMostElements) return std::nullopt;
        list.remove_prefix(1);
    }
}

}  // namespace gateway::pipeline
