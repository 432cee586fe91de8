// Checked reading of one JSON object of the configuration. Every problem is collected with its place;
// environment references are resolved; members that nobody asked for are problems. Internal to this folder.
#pragma once

#include <rapidjson/document.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/config/load.hpp"
#include "gateway/config/visitor.hpp"

namespace gateway::config {

// What all sections of one file share.
struct Reading {
    const Lookup& environment;
    const Config& config;  // that is being filled
    std::vector<Problem> problems{};
    std::vector<Problem> warnings{};
};

// A member that is absent or wrong leaves its value as it is.
class Section final : public Visitor {
  public:
    // An object of another type is reported: then all members are absent.
    Section(Reading& reading, const rapidjson::Value* object, std::string pointer);

    Section* reading() override { return this; }
    bool has(std::string_view key) const;
    void problem(std::string_view key, std::string message);  // key "": the section itself
    void problem_at(const std::string& pointer, std::string message);
    // What is legal and probably a mistake.
    void warning(std::string_view key, std::string message);
    void warning_at(const std::string& pointer, std::string message);
    std::string pointer_to(std::string_view key) const;
    std::size_t problem_count() const { return reading_.problems.size(); }
    // Reports members that were not read.
    void finish();

  private:
    bool on_text(std::string_view key, std::string& value, bool there, const Doc& doc) override;
    // A message about a secret never holds its value.
    bool on_secret(std::string_view key, std::string& value, std::size_t min_bytes, const Doc& doc) override;
    bool on_boolean(std::string_view key, bool& value, bool there, const Doc& doc) override;
    bool on_number(std::string_view key, std::int64_t& value, bool there, Range range,
                   const Doc& doc) override;
    bool on_choice(std::string_view key, std::string& value, bool there,
                   const std::vector<std::string_view>& words, const Doc& doc) override;
    bool on_texts(std::string_view key, std::vector<std::string>& values, bool there,
                  const Doc& doc) override;
    bool on_numbers(std::string_view key, std::vector<std::uint16_t>& values, Range range,
                    const Doc& doc) override;
    bool on_object(std::string_view key, Presence presence, const Doc& doc, const Body& body) override;
    void on_list(std::string_view key, Items& items, const Doc& doc) override;
    void on_word_or_object(std::string_view key, std::optional<std::string>& word,
                           const std::vector<std::string_view>& words, const Doc& doc,
                           const Body& body) override;

    // Null where the member is absent, which is a problem where it is required.
    const rapidjson::Value* find(std::string_view key, const Doc& doc);
    std::optional<std::string> resolve(const std::string& pointer, const rapidjson::Value& value);
    std::optional<std::int64_t> number_at(const std::string& pointer, const rapidjson::Value& value,
                                          Range range);

    Reading& reading_;
    const rapidjson::Value* object_;
    std::string pointer_;
    std::vector<std::string> seen_;
};

// 1-based line of the value that a JSON Pointer names in valid JSON text; for a pointer to nothing, of the
// nearest enclosing value.
std::size_t line_of(std::string_view text, std::string_view pointer);

}  // namespace gateway::config
