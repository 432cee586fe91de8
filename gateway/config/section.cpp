#include "gateway/config/section.hpp"

#include <algorithm>
#include <charconv>

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

Expanded expand(std::string_view raw, const Lookup& environment) {
    Expanded out;
    while (!raw.empty()) {
        const auto dollar = raw.find('$');
        out.text += raw.substr(0, dollar);
        if (dollar == std::string_view::npos) break;
        raw.remove_prefix(dollar);
        if (raw.starts_with("$$")) {  // a dollar sign
            out.text += '$';
            raw.remove_prefix(2);
            continue;
        }
        const auto close = raw.find('}');
        if (!raw.starts_with("${") || close == std::string_view::npos) {
            out.problem = "'$' starts a reference: write ${NAME}, ${NAME:-default}, or $$ for a dollar sign";
            return out;
        }
        const auto body = raw.substr(2, close - 2);
        raw.remove_prefix(close + 1);
        const auto separator = body.find(":-");
        const std::string name(body.substr(0, separator));
        const bool well_formed = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
            return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
        });
        if (!well_formed) {
            out.problem = "\"" + name + "\" is not the name of an environment variable";
            return out;
        }
        out.names.push_back(name);
        const auto value = environment(name);
        if (value && !value->empty()) {  // as in a shell, ":-" also stands in for an empty value
            out.text += *value;
        } else if (separator != std::string_view::npos) {
            out.text += body.substr(separator + 2);
        } else {
            out.problem =
                "environment variable " + name + " is not set (or name a file with it in " + name + "_FILE)";
            return out;
        }
    }
    return out;
}

Section::Section(Reading& reading, const rapidjson::Value* object, std::string pointer, std::string pattern)
    : reading_(reading), object_(object), pointer_(std::move(pointer)), pattern_(std::move(pattern)) {
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
    if (!catalogue()) reading_.problems.push_back({pointer, 0, std::move(message)});
}

bool Section::has(std::string_view key) const {
    if (object_ == nullptr) return false;
    return std::any_of(object_->MemberBegin(), object_->MemberEnd(),
                       [&](const auto& member) { return text_of(member.name) == key; });
}

const rapidjson::Value* Section::find(std::string_view key) {
    if (catalogue()) reading_.catalogue->insert(pattern_ + '/' + std::string(key));
    seen_.emplace_back(key);
    if (object_ == nullptr) return nullptr;
    for (auto member = object_->MemberBegin(); member != object_->MemberEnd(); ++member)
        if (text_of(member->name) == key) return &member->value;
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

bool Section::text(std::string_view key, std::string& out) {
    const auto* value = find(key);
    if (value == nullptr) return false;
    auto resolved = resolve(pointer_to(key), *value);
    if (resolved) out = std::move(*resolved);
    return resolved.has_value();
}

void Section::required_text(std::string_view key, std::string& out) {
    if (!has(key)) problem(key, "is missing");
    if (text(key, out) && out.empty()) problem(key, "must not be empty");
}

bool Section::secret(std::string_view key, std::string& out, std::size_t min_bytes) {
    const auto* value = find(key);
    if (value == nullptr) return false;
    if (!value->IsString()) {
        problem(key, "must be a string");
        return false;
    }
    auto expanded = expand(text_of(*value), reading_.environment);
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
    out = std::move(expanded.text);
    return true;
}

bool Section::boolean(std::string_view key, bool& out) {
    const auto* value = find(key);
    if (value == nullptr) return false;
    if (value->IsBool()) {
        out = value->GetBool();
        return true;
    }
    if (value->IsString()) {
        const auto resolved = resolve(pointer_to(key), *value);
        if (!resolved) return false;
        if (*resolved == "true" || *resolved == "false") {
            out = *resolved == "true";
            return true;
        }
    }
    problem(key, "must be true or false");
    return false;
}

std::optional<std::int64_t> Section::integer(std::string_view key, std::int64_t min, std::int64_t max) {
    const auto* value = find(key);
    if (value == nullptr) return std::nullopt;
    return integer_at(pointer_to(key), *value, min, max);
}

std::optional<std::int64_t> Section::integer_at(const std::string& pointer, const rapidjson::Value& value,
                                                std::int64_t min, std::int64_t max) {
    std::optional<std::int64_t> number;
    if (value.IsInt64()) {
        number = value.GetInt64();
    } else if (value.IsString()) {
        const auto resolved = resolve(pointer, value);
        if (!resolved) return std::nullopt;
        std::int64_t parsed = 0;
        const auto* end = resolved->data() + resolved->size();
        const auto [rest, error] = std::from_chars(resolved->data(), end, parsed);
        if (error == std::errc() && rest == end && !resolved->empty()) number = parsed;
    }
    if (number && *number >= min && *number <= max) return number;
    problem_at(pointer, "must be a whole number from " + std::to_string(min) + " to " + std::to_string(max));
    return std::nullopt;
}

bool Section::numbers(std::string_view key, std::vector<std::uint16_t>& out, std::int64_t min,
                      std::int64_t max) {
    const auto* value = find(key);
    if (value == nullptr) return false;
    if (!value->IsArray()) {
        problem(key, "must be an array of whole numbers");
        return false;
    }
    out.clear();
    for (rapidjson::SizeType i = 0; i < value->Size(); ++i)
        if (const auto n = integer_at(pointer_to(key) + '/' + std::to_string(i), (*value)[i], min, max))
            out.push_back(static_cast<std::uint16_t>(*n));
    return true;
}

bool Section::duration(std::string_view key, milliseconds& out, std::int64_t min, std::int64_t max) {
    const auto n = integer(std::string(key) + "_ms", min, max);
    if (n) out = milliseconds(*n);
    return n.has_value();
}

bool Section::seconds(std::string_view key, std::chrono::seconds& out, std::int64_t min, std::int64_t max) {
    const auto n = integer(std::string(key) + "_s", min, max);
    if (n) out = std::chrono::seconds(*n);
    return n.has_value();
}

bool Section::texts(std::string_view key, std::vector<std::string>& out) {
    const auto* value = find(key);
    if (value == nullptr) return false;
    if (!value->IsArray()) {
        problem(key, "must be an array of strings");
        return false;
    }
    out.clear();
    for (rapidjson::SizeType i = 0; i < value->Size(); ++i)
        if (auto item = resolve(pointer_to(key) + '/' + std::to_string(i), (*value)[i]))
            out.push_back(std::move(*item));
    return true;
}

bool Section::object(std::string_view key, const Body& body) {
    const auto* value = find(key);
    if (value == nullptr && !catalogue()) return false;
    Section inner(reading_, value, pointer_to(key), pattern_ + '/' + std::string(key));
    body(inner);
    inner.finish();
    return value != nullptr;
}

bool Section::objects(std::string_view key, const Body& body) {
    return objects_or_texts(key, body, nullptr);
}

bool Section::objects_or_texts(
    std::string_view key, const Body& body,
    const std::function<void(const std::string&, const std::string&)>& short_form) {
    const auto* value = find(key);
    const auto pattern = pattern_ + '/' + std::string(key) + "/*";
    if (catalogue()) {
        Section item(reading_, nullptr, "", pattern);
        body(item);
    }
    if (value == nullptr) return false;
    if (!value->IsArray()) {
        problem(key, "must be an array");
        return false;
    }
    for (rapidjson::SizeType i = 0; i < value->Size(); ++i) {
        const auto pointer = pointer_to(key) + '/' + std::to_string(i);
        const auto& element = (*value)[i];
        if (short_form && element.IsString()) {
            if (const auto resolved = resolve(pointer, element)) short_form(*resolved, pointer);
            continue;
        }
        Section item(reading_, &element, pointer, pattern);
        if (item.object_ == nullptr) continue;  // reported; its members would only be reported as missing
        body(item);
        item.finish();
    }
    return true;
}

std::optional<std::string> Section::text_or_object(std::string_view key, const Body& body) {
    const auto* value = find(key);
    if (value != nullptr && value->IsString()) return resolve(pointer_to(key), *value);
    if (value == nullptr && !catalogue()) return std::nullopt;
    Section inner(reading_, value, pointer_to(key), pattern_ + '/' + std::string(key));
    body(inner);
    inner.finish();
    return std::nullopt;
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
