#include "gateway/config/section.hpp"

#include <algorithm>

#include "gateway/config/expand.hpp"
#include "shared/base/text.hpp"

namespace gateway::config {
namespace {

std::string_view text_of(const rapidjson::Value& value) {
    return {value.GetString(), value.GetStringLength()};
}

// RFC 6901 section 3.
std::string escaped(std::string_view key) {
    std::string out;
    for (const char c : key) {
        if (c == '~')
            out += "~0";
        else if (c == '/')
            out += "~1";
        else
            out += c;
    }
    return out;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j < row.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        auto diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const auto above = row[j];
            row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0U : 1U)});
            diagonal = above;
        }
    }
    return row.back();
}

}  // namespace

Section::Section(Reading& reading, const rapidjson::Value* object, std::string pointer)
    : Visitor(reading.config), reading_(reading), object_(object), pointer_(std::move(pointer)) {
    if (object_ != nullptr && !object_->IsObject()) {
        problem("", "must be an object");
        object_ = nullptr;
    }
}

std::string Section::pointer_to(std::string_view key) const {
    return key.empty() ? pointer_ : pointer_ + '/' + escaped(key);
}

void Section::problem(std::string_view key, std::string message) {
    problem_at(pointer_to(key), std::move(message));
}

void Section::problem_at(const std::string& pointer, std::string message) {
    reading_.problems.push_back({pointer, 0, std::move(message)});
}

void Section::warning(std::string_view key, std::string message) {
    warning_at(pointer_to(key), std::move(message));
}

void Section::warning_at(const std::string& pointer, std::string message) {
    reading_.warnings.push_back({pointer, 0, std::move(message)});
}

bool Section::has(std::string_view key) const {
    if (object_ == nullptr) return false;
    return std::any_of(object_->MemberBegin(), object_->MemberEnd(),
                       [&](const auto& member) { return text_of(member.name) == key; });
}

const rapidjson::Value* Section::find(std::string_view key, const Doc& doc) {
    seen_.emplace_back(key);
    if (object_ != nullptr)
        for (auto member = object_->MemberBegin(); member != object_->MemberEnd(); ++member)
            if (text_of(member->name) == key) return &member->value;
    if (doc.by_default == kRequired) problem(key, "is missing");
    return nullptr;
}

std::optional<std::string> Section::resolve(const std::string& pointer, const rapidjson::Value& value) {
    if (!value.IsString()) {
        problem_at(pointer, "must be a string");
        return std::nullopt;
    }
    auto expanded = expand(text_of(value), reading_.environment);
    if (!expanded.problem.empty()) {
        problem_at(pointer, std::move(expanded.problem));
        return std::nullopt;
    }
    return std::move(expanded.text);
}

bool Section::on_text(std::string_view key, std::string& value, bool, const Doc& doc) {
    const auto* member = find(key, doc);
    if (member == nullptr) return false;
    auto resolved = resolve(pointer_to(key), *member);
    if (!resolved) return false;
    if (resolved->empty() && doc.by_default == kRequired) problem(key, "must not be empty");
    value = std::move(*resolved);
    return true;
}

bool Section::on_secret(std::string_view key, std::string& value, std::size_t min_bytes, const Doc& doc) {
    const auto* member = find(key, doc);
    if (member == nullptr) return false;
    if (!member->IsString()) {
        problem(key, "must be a string");
        return false;
    }
    auto expanded = expand(text_of(*member), reading_.environment);
    if (!expanded.problem.empty()) {
        problem(key, std::move(expanded.problem));
        return false;
    }
    if (!expanded.text.empty() && expanded.text.size() < min_bytes) {
        const auto what = expanded.names.empty() ? std::string("the secret") : expanded.names.front();
        problem(key, what + " is " + std::to_string(expanded.text.size()) + " bytes long, at least " +
                         std::to_string(min_bytes) +
                         " are needed; `openssl rand -base64 48` makes a good one");
        return false;
    }
    value = std::move(expanded.text);
    return true;
}

bool Section::on_boolean(std::string_view key, bool& value, bool, const Doc& doc) {
    const auto* member = find(key, doc);
    if (member == nullptr) return false;
    if (member->IsBool()) {
        value = member->GetBool();
        return true;
    }
    if (member->IsString()) {
        const auto resolved = resolve(pointer_to(key), *member);
        if (!resolved) return false;
        if (*resolved == "true" || *resolved == "false") {
            value = *resolved == "true";
            return true;
        }
    }
    problem(key, "must be true or false");
    return false;
}

bool Section::on_number(std::string_view key, std::int64_t& value, bool, Range range, const Doc& doc) {
    const auto* member = find(key, doc);
    if (member == nullptr) return false;
    const auto number = number_at(pointer_to(key), *member, range);
    if (number) value = *number;
    return number.has_value();
}

std::optional<std::int64_t> Section::number_at(const std::string& pointer, const rapidjson::Value& value,
                                               Range range) {
    std::optional<std::int64_t> number;
    if (value.IsInt64()) {
        number = value.GetInt64();
    } else if (value.IsString()) {
        const auto resolved = resolve(pointer, value);
        if (!resolved) return std::nullopt;
        number = shared::parse_number<std::int64_t>(*resolved);
    }
    if (number && *number >= range.min && *number <= range.max) return number;
    problem_at(pointer, "must be a whole number from " + std::to_string(range.min) + " to " +
                            std::to_string(range.max));
    return std::nullopt;
}

bool Section::on_choice(std::string_view key, std::string& value, bool,
                        const std::vector<std::string_view>& words, const Doc& doc) {
    std::string word;
    if (!on_text(key, word, true, doc)) return false;
    if (std::find(words.begin(), words.end(), word) != words.end()) {
        value = std::move(word);
        return true;
    }
    std::string list;
    for (const auto allowed : words) list += (list.empty() ? "\"" : ", \"") + std::string(allowed) + '"';
    problem(key, "\"" + word + "\" is none of " + list);
    return false;
}

bool Section::on_texts(std::string_view key, std::vector<std::string>& values, bool, const Doc&) {
    const auto* member = find(key, {});
    if (member == nullptr) return false;
    if (!member->IsArray()) {
        problem(key, "must be an array of strings");
        return false;
    }
    values.clear();
    for (rapidjson::SizeType i = 0; i < member->Size(); ++i)
        if (auto item = resolve(pointer_to(key) + '/' + std::to_string(i), (*member)[i]))
            values.push_back(std::move(*item));
    return true;
}

bool Section::on_numbers(std::string_view key, std::vector<std::uint16_t>& values, Range range, const Doc&) {
    const auto* member = find(key, {});
    if (member == nullptr) return false;
    if (!member->IsArray()) {
        problem(key, "must be an array of whole numbers");
        return false;
    }
    values.clear();
    for (rapidjson::SizeType i = 0; i < member->Size(); ++i)
        if (const auto n = number_at(pointer_to(key) + '/' + std::to_string(i), (*member)[i], range))
            values.push_back(static_cast<std::uint16_t>(*n));
    return true;
}

bool Section::on_object(std::string_view key, Presence, const Doc& doc, const Body& body) {
    const auto* member = find(key, doc);
    if (member == nullptr) return false;
    Section inner(reading_, member, pointer_to(key));
    body(inner);
    inner.finish();
    return true;
}

// That a list is missing or empty is said by who describes it, in words of its own.
void Section::on_list(std::string_view key, Items& items, const Doc&) {
    const auto* member = find(key, {});
    if (member == nullptr) return;
    if (!member->IsArray()) return problem(key, "must be an array");
    items.clear();
    for (rapidjson::SizeType i = 0; i < member->Size(); ++i) {
        const auto pointer = pointer_to(key) + '/' + std::to_string(i);
        const auto& element = (*member)[i];
        if (items.read_text && element.IsString()) {
            if (const auto resolved = resolve(pointer, element)) items.read_text(*resolved, pointer);
            continue;
        }
        Section item(reading_, &element, pointer);
        if (item.object_ == nullptr) continue;  // reported; its members would only be reported as missing
        items.read(item);
        item.finish();
    }
}

void Section::on_word_or_object(std::string_view key, std::optional<std::string>& word,
                                const std::vector<std::string_view>&, const Doc&, const Body& body) {
    const auto* member = find(key, {});
    word.reset();
    if (member == nullptr) return;
    if (member->IsString()) {
        word = resolve(pointer_to(key), *member);
        return;
    }
    Section inner(reading_, member, pointer_to(key));
    if (inner.object_ == nullptr) return;  // reported
    body(inner);
    inner.finish();
}

void Section::finish() {
    if (object_ == nullptr) return;
    for (auto member = object_->MemberBegin(); member != object_->MemberEnd(); ++member) {
        const auto name = text_of(member->name);
        if (std::find(seen_.begin(), seen_.end(), name) != seen_.end()) continue;
        const auto nearest = std::min_element(seen_.begin(), seen_.end(), [&](const auto& a, const auto& b) {
            return edit_distance(a, name) < edit_distance(b, name);
        });
        std::string message = "is not a known key";
        if (nearest != seen_.end() && edit_distance(*nearest, name) <= 3)
            message += "; did you mean \"" + *nearest + "\"?";
        problem(name, std::move(message));
    }
}

}  // namespace gateway::config
