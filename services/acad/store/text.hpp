// Values on their way into SQL parameters.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "shared/pg/pg.hpp"

namespace acad::store {

// A LIKE pattern for "contains this text", with the text's own wildcards escaped.
std::string contains_pattern(std::string_view text);

inline shared::pg::Value int_param(std::optional<int> value) {
    if (!value) return std::nullopt;
    return std::to_string(*value);
}

// An array literal "{...}" of text values (nullopt: NULL), for unnest.
std::string array_literal(const std::vector<std::optional<std::string>>& values);

}  // namespace acad::store
