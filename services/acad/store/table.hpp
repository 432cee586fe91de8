// The one description of a table whose rows are read and written one by one, and imported and exported as
// CSV: its SQL, JSON and CSV are made from it, and so are the checks of what people send.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "shared/domain/nim.hpp"
#include "shared/pg/pg.hpp"

namespace acad::store {

enum class Kind {
    nim,            // shared/domain/nim.hpp
    kode,           // a key that stands in paths: letters, digits, . _ -
    text,           // what people write
    number,         // a whole number
    kode_semester,  // 20241
    nilai,          // a grade; the scale says which there are
};

struct Column {
    std::string_view name;  // in the database, in JSON and in CSV
    Kind kind = Kind::text;
    bool required = true;
    std::size_t max_length = 0;  // of a text, in characters
    int min = 0;                 // of a number
    int max = 0;

    constexpr bool is_number() const { return kind == Kind::number || kind == Kind::kode_semester; }
};

constexpr Column nim_column() {
    return {.name = "nim", .kind = Kind::nim, .max_length = shared::domain::Nim::kMaxLength};
}
constexpr Column kode_column(std::string_view name) {
    return {.name = name, .kind = Kind::kode, .max_length = 10};
}
constexpr Column text_column(std::string_view name, std::size_t max_length) {
    return {.name = name, .kind = Kind::text, .max_length = max_length};
}
constexpr Column number_column(std::string_view name, int min, int max) {
    return {.name = name, .kind = Kind::number, .min = min, .max = max};
}
constexpr Column optional(Column column) {
    column.required = false;
    return column;
}

// A query parameter of the list. In `condition` a $ stands for the value, which is text there.
struct Filter {
    Column value;
    std::string_view condition;
    bool part_of = false;  // the value is a part of what is compared by LIKE
};

struct Table {
    std::string_view name;
    std::span<const Column> columns;  // the key first
    std::span<const Filter> filters;

    constexpr const Column& key() const { return columns.front(); }
};

// A row; rows of the first release may hold NULL where a new one may not.
struct Record {
    std::vector<shared::pg::Value> values;  // in the order of the columns
    std::int64_t versi = 0;                 // changes with every write

    std::string key() const { return values.front().value_or(""); }
};

}  // namespace acad::store
