#include "gateway/config/catalogue.hpp"

#include "gateway/config/fields.hpp"
#include "shared/json/json.hpp"

namespace gateway::config {
namespace {

class Collector final : public Visitor {
  public:
    Collector(const Config& nothing, std::vector<Key>& keys) : Visitor(nothing), keys_(keys) {}

  private:
    using Kind = Key::Kind;

    bool on_text(std::string_view key, std::string& value, bool there, const Doc& doc) override {
        add(key, Kind::text, there, value, doc);
        return false;
    }
    bool on_secret(std::string_view key, std::string& value, std::size_t, const Doc& doc) override {
        return on_text(key, value, true, doc);
    }
    bool on_boolean(std::string_view key, bool& value, bool there, const Doc& doc) override {
        add(key, Kind::boolean, there, value, doc);
        return false;
    }
    bool on_number(std::string_view key, std::int64_t& value, bool there, Range range,
                   const Doc& doc) override {
        auto& added = add(key, Kind::number, there, value, doc);
        added.min = range.min;
        added.max = range.max;
        return false;
    }
    bool on_choice(std::string_view key, std::string& value, bool there,
                   const std::vector<std::string_view>& words, const Doc& doc) override {
        add(key, Kind::choice, there, value, doc).words = words;
        return false;
    }
    bool on_texts(std::string_view key, std::vector<std::string>& values, bool there,
                  const Doc& doc) override {
        add_list(key, Kind::texts, there, values, doc);
        return false;
    }
    bool on_numbers(std::string_view key, std::vector<std::uint16_t>& values, Range range,
                    const Doc& doc) override {
        auto& added = add_list(key, Kind::numbers, true, std::vector<int>(values.begin(), values.end()), doc);
        added.min = range.min;
        added.max = range.max;
        return false;
    }
    bool on_object(std::string_view key, Presence presence, const Doc& doc, const Body& body) override {
        add(key, Kind::object, doc).optional = presence != Presence::always;
        below("/" + std::string(key), body);
        return false;
    }
    void on_list(std::string_view key, Items& items, const Doc& doc) override {
        add(key, items.read_text ? Kind::objects_or_texts : Kind::objects, doc);
        below("/" + std::string(key) + "/*", items.read);
    }
    void on_word_or_object(std::string_view key, std::optional<std::string>&,
                           const std::vector<std::string_view>& words, const Doc& doc,
                           const Body& body) override {
        add(key, Kind::word_or_object, doc).words = words;
        below("/" + std::string(key), body);
    }

    void below(const std::string& path, const Body& body) {
        const auto length = path_.size();
        path_ += path;
        body(*this);
        path_.resize(length);
    }
    Key& add(std::string_view key, Kind kind, const Doc& doc) {
        Key added;
        added.path = path_ + '/' + std::string(key);
        added.kind = kind;
        added.required = doc.by_default == kRequired;
        added.by_default = doc.by_default;
        added.example = doc.example;
        added.meaning = doc.meaning;
        return keys_.emplace_back(std::move(added));
    }
    template <class T>
    Key& add(std::string_view key, Kind kind, bool there, const T& value, const Doc& doc) {
        auto& added = add(key, kind, doc);
        added.optional = !there;
        if (there) added.value = json([&](auto& out) { out.value(value); });
        return added;
    }
    template <class T>
    Key& add_list(std::string_view key, Kind kind, bool there, const std::vector<T>& values, const Doc& doc) {
        auto& added = add(key, kind, doc);
        added.optional = !there;
        if (there)
            added.value = json([&](auto& out) {
                out.array([&] {
                    for (const auto& value : values) out.value(value);
                });
            });
        return added;
    }
    template <class F>
    static std::string json(F&& write) {
        shared::json::Writer out;
        write(out);
        return out.str();
    }

    std::vector<Key>& keys_;
    std::string path_;
};

}  // namespace

std::vector<Key> catalogue() {
    std::vector<Key> keys;
    Config nothing;
    const Config no_names;
    Collector collector(no_names, keys);
    fields(collector, nothing);
    return keys;
}

}  // namespace gateway::config
