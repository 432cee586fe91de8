// Checked reading and writing of JSON (RFC 8259) over RapidJSON. Nothing outside this folder compares or
// reads a rapidjson::Value directly: with C++20 `value == 1` recurses until the stack ends
// (docs/common-errors.md).
#pragma once

#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/result.hpp"

namespace shared::json {

enum class Errc {
    malformed = 1,     // not JSON, or bytes after the value
    not_utf8,          // a string that is not valid UTF-8
    too_deep,          // nested deeper than the limit
    duplicate_member,  // an object with the same key twice
};
const boost::system::error_category& category();
inline ErrorCode make_error_code(Errc e) {
    return {static_cast<int>(e), category()};
}

struct Limits {
    std::size_t depth = 16;
};

// Strict: UTF-8, no duplicate members, no trailing bytes, bounded depth, no NaN or comments.
Result<rapidjson::Document> parse(std::string_view text, Limits limits = {});

// One thing wrong with an input: `pointer` is a JSON Pointer (RFC 6901), e.g. "/username".
struct FieldError {
    std::string pointer;
    std::string detail;
};

struct TextRule {
    std::size_t min_length = 0;    // in code points
    std::size_t max_length = 200;  // in code points
    bool allow_control = false;    // U+0000..U+001F and U+007F
    bool allow_empty = false;
};

// Reads one object member by member, type-checked; every problem becomes a FieldError. Members that nobody
// asked for are problems too: call finish() last.
//
//   json::ObjectReader in(document, errors);
//   auto name = in.required_text("username", {.min_length = 3, .max_length = 64});
//   in.finish();
//   if (!errors.empty()) …422
//
// After an error the value returned is the type's default.
class ObjectReader {
  public:
    ObjectReader(const rapidjson::Value& object, std::vector<FieldError>& errors, std::string pointer = "");

    std::string required_text(std::string_view key, TextRule rule = {});
    std::optional<std::string> optional_text(std::string_view key, TextRule rule = {});
    // Outer nullopt: member absent. Inner nullopt: member is null. For PATCH, where null clears a field.
    std::optional<std::optional<std::string>> nullable_text(std::string_view key, TextRule rule = {});
    std::int64_t required_integer(std::string_view key, std::int64_t min, std::int64_t max);
    std::optional<std::int64_t> optional_integer(std::string_view key, std::int64_t min, std::int64_t max);
    std::optional<bool> optional_boolean(std::string_view key);
    // A number with at most two decimals, in hundredths: 3.75 is 375. `min` and `max` are in hundredths too.
    std::optional<std::int64_t> optional_hundredths(std::string_view key, std::int64_t min, std::int64_t max);
    // True if the member is there and is null; it then counts as read.
    bool take_null(std::string_view key);
    // For nested values; nullptr and a FieldError where absent or of another type.
    const rapidjson::Value* required_object(std::string_view key);
    const rapidjson::Value* required_array(std::string_view key);
    const rapidjson::Value* optional_object(std::string_view key);
    const rapidjson::Value* optional_array(std::string_view key);

    bool has(std::string_view key) const;
    void error(std::string_view key, std::string detail);
    // Reports every member that was not read.
    void finish();

  private:
    const rapidjson::Value* find(std::string_view key);
    std::string pointer_to(std::string_view key) const;

    const rapidjson::Value* object_;
    std::vector<FieldError>& errors_;
    std::string pointer_;
    std::vector<std::string> seen_;
};

// Number of Unicode code points in valid UTF-8.
std::size_t code_points(std::string_view utf8);
bool valid_utf8(std::string_view bytes);

// Streaming writer: json::Writer w; w.object([&]{ w.member("nim", nim); … }); w.str()
class Writer {
  public:
    Writer() : writer_(buffer_) {}

    template <class F>
    void object(F&& members) {
        writer_.StartObject();
        members();
        writer_.EndObject();
    }
    template <class F>
    void array(F&& items) {
        writer_.StartArray();
        items();
        writer_.EndArray();
    }
    void key(std::string_view k) { writer_.Key(k.data(), static_cast<rapidjson::SizeType>(k.size())); }
    void value(std::string_view v) { writer_.String(v.data(), static_cast<rapidjson::SizeType>(v.size())); }
    void value(const char* v) { value(std::string_view(v)); }
    void value(const std::string& v) { value(std::string_view(v)); }
    void value(bool v) { writer_.Bool(v); }
    void value(std::int64_t v) { writer_.Int64(v); }
    void value(int v) { writer_.Int(v); }
    void value(double v) { writer_.Double(v); }
    void null() { writer_.Null(); }
    template <class T>
    void value(const std::optional<T>& v) {
        if (v)
            value(*v);
        else
            null();
    }
    // A number already in decimal form, e.g. "3.50" out of exact arithmetic; written as it is.
    void raw_number(std::string_view decimal) {
        writer_.RawValue(decimal.data(), decimal.size(), rapidjson::kNumberType);
    }
    template <class T>
    void member(std::string_view k, const T& v) {
        key(k);
        value(v);
    }
    void member_null(std::string_view k) {
        key(k);
        null();
    }
    template <class F>
    void member_object(std::string_view k, F&& members) {
        key(k);
        object(static_cast<F&&>(members));
    }
    template <class F>
    void member_array(std::string_view k, F&& items) {
        key(k);
        array(static_cast<F&&>(items));
    }

    std::string str() const { return {buffer_.GetString(), buffer_.GetSize()}; }

  private:
    rapidjson::StringBuffer buffer_;
    rapidjson::Writer<rapidjson::StringBuffer> writer_;
};

}  // namespace shared::json

template <>
struct boost::system::is_error_code_enum<shared::json::Errc> : std::true_type {};
