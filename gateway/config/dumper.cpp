// The effective configuration as JSON in the file's own shape: what a reader of the file cannot see are the
// defaults.
#include <string>

#include "gateway/config/fields.hpp"
#include "shared/json/json.hpp"

namespace gateway::config {
namespace {

class Dumper final : public Visitor {
  public:
    Dumper(const Config& config, shared::json::Writer& out) : Visitor(config), out_(out) {}

  private:
    bool on_text(std::string_view key, std::string& value, bool there, const Doc&) override {
        if (there) out_.member(key, value);
        return false;
    }
    bool on_secret(std::string_view key, std::string& value, std::size_t, const Doc&) override {
        if (!value.empty()) out_.member(key, "***");
        return false;
    }
    bool on_boolean(std::string_view key, bool& value, bool there, const Doc&) override {
        if (there) out_.member(key, value);
        return false;
    }
    bool on_number(std::string_view key, std::int64_t& value, bool there, Range, const Doc&) override {
        if (there) out_.member(key, value);
        return false;
    }
    bool on_choice(std::string_view key, std::string& value, bool there, const std::vector<std::string_view>&,
                   const Doc&) override {
        if (there) out_.member(key, value);
        return false;
    }
    bool on_texts(std::string_view key, std::vector<std::string>& values, bool there, const Doc&) override {
        if (there)
            out_.member_array(key, [&] {
                for (const auto& value : values) out_.value(value);
            });
        return false;
    }
    bool on_numbers(std::string_view key, std::vector<std::uint16_t>& values, Range, const Doc&) override {
        out_.member_array(key, [&] {
            for (const auto value : values) out_.value(int{value});
        });
        return false;
    }
    bool on_object(std::string_view key, Presence presence, const Doc&, const Body& body) override {
        if (presence != Presence::absent) out_.member_object(key, [&] { body(*this); });
        return false;
    }
    void on_list(std::string_view key, Items& items, const Doc& doc) override {
        if (items.count == 0 && doc.by_default == kAbsent) return;
        out_.member_array(key, [&] {
            for (std::size_t i = 0; i < items.count; ++i) out_.object([&] { items.show(*this, i); });
        });
    }
    void on_word_or_object(std::string_view key, std::optional<std::string>& word,
                           const std::vector<std::string_view>&, const Doc&, const Body& body) override {
        if (word) return out_.member(key, *word);
        out_.member_object(key, [&] { body(*this); });
    }

    shared::json::Writer& out_;
};

}  // namespace

std::string dump(const Config& config) {
    Config shown = config;  // a visitor might change what it is shown; this one does not
    shared::json::Writer out;
    Dumper dumper(config, out);
    out.object([&] { fields(dumper, shown); });
    return out.str();
}

}  // namespace gateway::config
