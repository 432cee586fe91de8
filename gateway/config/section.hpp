// Checked reading of one JSON object of the configuration. Every problem is collected with its place;
// environment references are resolved; members that nobody asked for are problems. Internal to this folder.
#pragma once

#include <rapidjson/document.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/config/load.hpp"

namespace gateway::config {

// What all sections of one file share.
struct Reading {
    const Lookup& environment;
    std::vector<Problem> problems{};
    // Collects the keys that sections ask for instead of reading a file (see known_keys): every section is
    // entered, every list has one item, nothing is a problem.
    std::set<std::string>* catalogue = nullptr;
};

// A string with its references resolved. `names` are the variables that were used, for messages about
// secrets.
struct Expanded {
    std::string text;
    std::vector<std::string> names;
    std::string problem;  // empty: none
};
Expanded expand(std::string_view raw, const Lookup& environment);

class Section {
  public:
    // `object` may be null or of another type (which is reported): then all members are absent.
    Section(Reading& reading, const rapidjson::Value* object, std::string pointer, std::string pattern);

    // Each reader leaves `out` as it is when the member is absent; false then, and after a problem.
    bool text(std::string_view key, std::string& out);
    void required_text(std::string_view key, std::string& out);
    // A secret of at least `min_bytes`. Its value never appears in a message.
    bool secret(std::string_view key, std::string& out, std::size_t min_bytes);
    bool boolean(std::string_view key, bool& out);
    template <class T>
    bool number(std::string_view key, T& out, std::int64_t min, std::int64_t max) {
        const auto n = integer(key, min, max);
        if (n) out = static_cast<T>(*n);
        return n.has_value();
    }
    // "<key>_ms" and "<key>_s" in the file.
    bool duration(std::string_view key, milliseconds& out, std::int64_t min, std::int64_t max);
    bool seconds(std::string_view key, std::chrono::seconds& out, std::int64_t min, std::int64_t max);
    bool texts(std::string_view key, std::vector<std::string>& out);
    bool numbers(std::string_view key, std::vector<std::uint16_t>& out, std::int64_t min, std::int64_t max);
    template <class E>
    bool choice(std::string_view key, E& out, const std::vector<std::pair<std::string_view, E>>& allowed) {
        std::string name;
        if (!text(key, name)) return false;
        std::string list;
        for (const auto& [label, value] : allowed) {
            if (name == label) {
                out = value;
                return true;
            }
            list += (list.empty() ? "\"" : ", \"") + std::string(label) + '"';
        }
        problem(key, "\"" + name + "\" is none of " + list);
        return false;
    }

    using Body = std::function<void(Section&)>;
    // Calls `body` where the member is there; reports what `body` did not read. True if it is there.
    bool object(std::string_view key, const Body& body);
    // The same for each object of an array.
    bool objects(std::string_view key, const Body& body);
    // Items may also be plain strings: `short_form` takes those.
    bool objects_or_texts(
        std::string_view key, const Body& body,
        const std::function<void(const std::string&, const std::string& pointer)>& short_form);
    // The member is a string (returned) or an object (handed to `body`).
    std::optional<std::string> text_or_object(std::string_view key, const Body& body);

    bool has(std::string_view key) const;
    void problem(std::string_view key, std::string message);  // key "": the section itself
    void problem_at(const std::string& pointer, std::string message);
    std::size_t problem_count() const { return reading_.problems.size(); }
    bool catalogue() const { return reading_.catalogue != nullptr; }
    const std::string& pointer() const { return pointer_; }
    // Reports members that were not read.
    void finish();

  private:
    const rapidjson::Value* find(std::string_view key);
    std::optional<std::string> resolve(const std::string& pointer, const rapidjson::Value& value);
    std::optional<std::int64_t> integer(std::string_view key, std::int64_t min, std::int64_t max);
    std::optional<std::int64_t> integer_at(const std::string& pointer, const rapidjson::Value& value,
                                           std::int64_t min, std::int64_t max);
    std::string pointer_to(std::string_view key) const;

    Reading& reading_;
    const rapidjson::Value* object_;
    std::string pointer_;
    std::string pattern_;
    std::vector<std::string> seen_;
};

// 1-based line of the value that a JSON Pointer names in valid JSON text; for a pointer to nothing, of the
// nearest enclosing value.
std::size_t line_of(std::string_view text, std::string_view pointer);

}  // namespace gateway::config
