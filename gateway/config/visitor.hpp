// What describes the configuration, and who goes over it. For each structure of config.hpp a function
// fields(Visitor&, T&) names its keys once, in the order of the file, with everything that is to be known of
// them; reader, shown text, known keys, JSON Schema and the tables of docs/configuration.md are visitors.
// Internal to this folder.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/config/config.hpp"

namespace gateway::config {

class Section;

constexpr std::int64_t kDay = 86'400'000;  // ms

struct Range {
    std::int64_t min;
    std::int64_t max;
};

// A key without a default: it must be there.
constexpr std::string_view kRequired = "required";
// A text or list of objects that is not there when it is empty.
constexpr std::string_view kAbsent = "–";

// For people. All literals: what refers to one lives as long as the program.
struct Doc {
    std::string_view meaning;    // Markdown; sentences
    std::string_view example{};  // as JSON; of texts and words without the quotes; of booleans nothing
    std::string_view
        by_default{};  // kRequired, kAbsent, or words where the member's own default does not say it
};

class Visitor {
  public:
    // `config` is what is shown, or what has been read so far: for the names that keys refer to.
    explicit Visitor(const Config& config) : config_(config) {}
    virtual ~Visitor() = default;
    Visitor(const Visitor&) = delete;
    Visitor& operator=(const Visitor&) = delete;

    const Config& config() const { return config_; }
    // The section of the file that is being read; null for those who only look. What fields() does with it
    // are the checks that concern more than one key, and those of a text's form.
    virtual Section* reading() { return nullptr; }

    // An optional member is one that may be missing from the file and has no default.
    void text(std::string_view key, std::string& value, const Doc& doc) {
        on_text(key, value, !(value.empty() && doc.by_default == kAbsent), doc);
    }
    void text(std::string_view key, std::optional<std::string>& value, const Doc& doc) {
        maybe(value, [&](auto& inner, bool there) { return on_text(key, inner, there, doc); });
    }
    // Shown as "***".
    void secret(std::string_view key, std::string& value, std::size_t min_bytes, const Doc& doc) {
        on_secret(key, value, min_bytes, doc);
    }
    void boolean(std::string_view key, bool& value, const Doc& doc) { on_boolean(key, value, true, doc); }
    void boolean(std::string_view key, std::optional<bool>& value, const Doc& doc) {
        maybe(value, [&](auto& inner, bool there) { return on_boolean(key, inner, there, doc); });
    }
    template <class T>
    void number(std::string_view key, T& value, Range range, const Doc& doc) {
        auto n = static_cast<std::int64_t>(value);
        if (on_number(key, n, true, range, doc)) value = static_cast<T>(n);
    }
    template <class T>
    void number(std::string_view key, std::optional<T>& value, Range range, const Doc& doc) {
        auto n = static_cast<std::int64_t>(value.value_or(T{}));
        if (on_number(key, n, value.has_value(), range, doc)) value = static_cast<T>(n);
    }
    // "<key>_ms" and "<key>_s" in the file.
    void duration(std::string_view key, milliseconds& value, Range range, const Doc& doc) {
        time(key, "_ms", value, range, doc);
    }
    void duration(std::string_view key, std::optional<milliseconds>& value, Range range, const Doc& doc) {
        time(key, "_ms", value, range, doc);
    }
    void seconds(std::string_view key, std::chrono::seconds& value, Range range, const Doc& doc) {
        time(key, "_s", value, range, doc);
    }
    template <class E>
    using Words = std::initializer_list<std::pair<std::string_view, E>>;
    template <class E>
    void choice(std::string_view key, E& value, Words<E> words, const Doc& doc) {
        std::optional<E> chosen = value;
        choose(key, chosen, words, doc);
        value = *chosen;
    }
    template <class E>
    void choice(std::string_view key, std::optional<E>& value, Words<E> words, const Doc& doc) {
        choose(key, value, words, doc);
    }
    void texts(std::string_view key, std::vector<std::string>& values, const Doc& doc) {
        on_texts(key, values, true, doc);
    }
    void texts(std::string_view key, std::optional<std::vector<std::string>>& values, const Doc& doc) {
        maybe(values, [&](auto& inner, bool there) { return on_texts(key, inner, there, doc); });
    }
    void numbers(std::string_view key, std::vector<std::uint16_t>& values, Range range, const Doc& doc) {
        on_numbers(key, values, range, doc);
    }

    using Body = std::function<void(Visitor&)>;
    template <class T>
    void object(std::string_view key, T& value, const Doc& doc) {
        on_object(key, Presence::always, doc, [&](Visitor& inner) { fields(inner, value); });
    }
    template <class T>
    void object(std::string_view key, std::optional<T>& value, const Doc& doc) {
        T inner = value.value_or(T{});
        const auto presence = value ? Presence::there : Presence::absent;
        if (on_object(key, presence, doc, [&](Visitor& visitor) { fields(visitor, inner); }))
            value = std::move(inner);
    }
    template <class T>
    void objects(std::string_view key, std::vector<T>& values, const Doc& doc) {
        Items items;
        items.count = values.size();
        items.show = [&](Visitor& inner, std::size_t i) { fields(inner, values[i]); };
        items.clear = [&] { values.clear(); };
        items.read = [&](Visitor& inner) {
            T item;
            fields(inner, item);
            values.push_back(std::move(item));
        };
        list(key, items, doc);
    }
    // How a visitor goes through a list of objects without knowing what they are.
    struct Items {
        std::size_t count = 0;
        std::function<void(Visitor&, std::size_t)> show;
        std::function<void()> clear;
        Body read;  // one more
        // Items that are plain strings; `place` is a JSON Pointer for problems. May be empty: there are none.
        std::function<void(const std::string& text, const std::string& place)> read_text{};
    };
    void list(std::string_view key, Items& items, const Doc& doc) { on_list(key, items, doc); }
    // A member that is one of `words` or an object. `word` is empty for an object, or is one that was read
    // and may be none of them.
    void word_or_object(std::string_view key, std::optional<std::string>& word,
                        std::initializer_list<std::string_view> words, const Doc& doc, const Body& body) {
        on_word_or_object(key, word, words, doc, body);
    }

  protected:
    enum class Presence { always, there, absent };
    // `there` is false for an optional member without a value. True: a value has been read.
    virtual bool on_text(std::string_view key, std::string& value, bool there, const Doc& doc) = 0;
    virtual bool on_secret(std::string_view key, std::string& value, std::size_t min_bytes,
                           const Doc& doc) = 0;
    virtual bool on_boolean(std::string_view key, bool& value, bool there, const Doc& doc) = 0;
    virtual bool on_number(std::string_view key, std::int64_t& value, bool there, Range range,
                           const Doc& doc) = 0;
    virtual bool on_choice(std::string_view key, std::string& value, bool there,
                           const std::vector<std::string_view>& words, const Doc& doc) = 0;
    virtual bool on_texts(std::string_view key, std::vector<std::string>& values, bool there,
                          const Doc& doc) = 0;
    virtual bool on_numbers(std::string_view key, std::vector<std::uint16_t>& values, Range range,
                            const Doc& doc) = 0;
    virtual bool on_object(std::string_view key, Presence presence, const Doc& doc, const Body& body) = 0;
    virtual void on_list(std::string_view key, Items& items, const Doc& doc) = 0;
    virtual void on_word_or_object(std::string_view key, std::optional<std::string>& word,
                                   const std::vector<std::string_view>& words, const Doc& doc,
                                   const Body& body) = 0;

  private:
    template <class T, class F>
    static void maybe(std::optional<T>& value, F&& visit) {
        T inner = value.value_or(T{});
        if (visit(inner, value.has_value())) value = std::move(inner);
    }
    template <class T>
    void time(std::string_view key, const char* unit, T& value, Range range, const Doc& doc) {
        std::int64_t n = value.count();
        if (on_number(std::string(key) + unit, n, true, range, doc)) value = T(n);
    }
    template <class T>
    void time(std::string_view key, const char* unit, std::optional<T>& value, Range range, const Doc& doc) {
        std::int64_t n = value.value_or(T{}).count();
        if (on_number(std::string(key) + unit, n, value.has_value(), range, doc)) value = T(n);
    }
    template <class E>
    void choose(std::string_view key, std::optional<E>& value, Words<E> words, const Doc& doc) {
        std::string name;
        std::vector<std::string_view> names;
        for (const auto& [word, meant] : words) {
            names.push_back(word);
            if (value == meant) name = word;
        }
        if (!on_choice(key, name, value.has_value(), names, doc)) return;
        for (const auto& [word, meant] : words)
            if (word == name) value = meant;
    }

    const Config& config_;
};

}  // namespace gateway::config
