#include "services/acad/store/text.hpp"

namespace acad::store {

std::string contains_pattern(std::string_view text) {
    std::string pattern = "%";
    for (const char c : text) {
        if (c == '%' || c == '_' || c == '\\') pattern += '\\';
        pattern += c;
    }
    return pattern + "%";
}

std::string array_literal(const std::vector<std::optional<std::string>>& values) {
    std::string literal = "{";
    for (const auto& value : values) {
        if (literal.size() > 1) literal += ',';
        if (!value) {
            literal += "NULL";
            continue;
        }
        literal += '"';
        for (const char c : *value) {
            if (c == '"' || c == '\\') literal += '\\';
            literal += c;
        }
        literal += '"';
    }
    return literal + "}";
}

}  // namespace acad::store
