// Every key of the configuration with what is known of it: out of this the JSON Schema and the tables of
// docs/configuration.md are made, and tests walk it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gateway::config {

struct Key {
    enum class Kind {
        text,
        boolean,
        number,   // from min to max
        choice,   // one of words
        texts,    // list of text
        numbers,  // list of numbers from min to max
        object,   // its members follow
        objects,  // list of objects, whose members follow as "<path>/*/…"
        objects_or_texts,
        word_or_object,  // one of words, or an object
    };
    std::string path;  // with "*" for items of lists: "/clusters/*/health/path"
    Kind kind = Kind::text;
    std::int64_t min = 0;
    std::int64_t max = 0;
    std::vector<std::string_view> words{};
    bool required = false;
    bool optional = false;          // no value of its own where it is absent
    std::string value{};            // the default as JSON; empty: none
    std::string_view by_default{};  // words that say the default
    std::string_view example{};     // as in Doc
    std::string_view meaning{};
};

// In the order of the documentation.
std::vector<Key> catalogue();

}  // namespace gateway::config
