#include "shared/json/json.hpp"

#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <algorithm>
#include <cmath>

#include "shared/base/text.hpp"

namespace shared::json {
namespace {

// Not kParseFullPrecisionFlag: with it RapidJSON 1.1.0 leaves its table of powers and crashes at
// 6262222.52424222222242453e-337, and makes 7.66e53 of 0e-23. Without it a number of up to 15 digits is
// exact, a longer one may be off in its last place.
constexpr unsigned kParseFlags = rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag;

// Follows the nesting while RapidJSON reads, so that a text of a million brackets costs no memory, and looks
// at what escapes made of strings: RapidJSON 1.1.0 turns a lone "\udc00" into bytes that are no UTF-8.
struct DepthCheck : rapidjson::BaseReaderHandler<rapidjson::UTF8<>, DepthCheck> {
    explicit DepthCheck(std::size_t limit_) : limit(limit_) {}
    bool StartObject() { return ++depth <= limit; }
    bool StartArray() { return ++depth <= limit; }
    bool EndObject(rapidjson::SizeType) {
        --depth;
        return true;
    }
    bool EndArray(rapidjson::SizeType) {
        --depth;
        return true;
    }
    bool String(const char* text, rapidjson::SizeType size, bool) { return check_text(text, size); }
    bool Key(const char* text, rapidjson::SizeType size, bool) { return check_text(text, size); }
    bool check_text(const char* text, std::size_t size) {
        bad_text = !valid_utf8({text, size});
        return !bad_text;
    }
    std::size_t limit;
    std::size_t depth = 0;
    bool bad_text = false;
};

std::string_view view(const rapidjson::Value& text) {
    return {text.GetString(), text.GetStringLength()};
}

// Sorted and not hashed: names with the same hash are easily made, and each would be compared with all
// others.
bool has_duplicates(const rapidjson::Value& value) {
    if (value.IsArray())
        return std::any_of(value.Begin(), value.End(), [](const auto& item) { return has_duplicates(item); });
    if (!value.IsObject()) return false;
    std::vector<std::string_view> names;
    names.reserve(value.MemberCount());
    for (const auto& member : value.GetObject()) names.push_back(view(member.name));
    std::sort(names.begin(), names.end());
    if (std::adjacent_find(names.begin(), names.end()) != names.end()) return true;
    return std::any_of(value.MemberBegin(), value.MemberEnd(),
                       [](const auto& member) { return has_duplicates(member.value); });
}

std::string escape_pointer(std::string_view key) {
    std::string text;
    for (const char c : key) {
        if (c == '~')
            text += "~0";
        else if (c == '/')
            text += "~1";
        else
            text += c;
    }
    return text;
}

}  // namespace

const boost::system::error_category& category() {
    struct Category final : boost::system::error_category {
        const char* name() const noexcept override { return "json"; }
        std::string message(int value) const override {
            switch (static_cast<Errc>(value)) {
                case Errc::malformed:
                    return "not valid JSON";
                case Errc::not_utf8:
                    return "not valid UTF-8";
                case Errc::too_deep:
                    return "nested too deeply";
                case Errc::duplicate_member:
                    return "an object has the same member twice";
            }
            return "unknown";
        }
    };
    static const Category instance;
    return instance;
}

bool valid_utf8(std::string_view bytes) {
    return shared::valid_utf8(bytes);
}

std::size_t code_points(std::string_view utf8) {
    return static_cast<std::size_t>(std::count_if(
        utf8.begin(), utf8.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

Result<rapidjson::Document> parse(std::string_view text, Limits limits) {
    if (!valid_utf8(text)) return make_error_code(Errc::not_utf8);
    // RapidJSON takes a NUL for the end of the text; JSON has none outside escapes.
    if (text.find('\0') != std::string_view::npos) return make_error_code(Errc::malformed);
    {
        rapidjson::MemoryStream stream(text.data(), text.size());
        rapidjson::Reader reader;
        DepthCheck check(limits.depth);
        const auto result = reader.Parse<kParseFlags>(stream, check);
        if (result.Code() == rapidjson::kParseErrorTermination)
            return make_error_code(check.bad_text ? Errc::not_utf8 : Errc::too_deep);
        if (result.IsError()) return make_error_code(Errc::malformed);
    }
    rapidjson::Document document;
    document.Parse<kParseFlags>(text.data(), text.size());
    if (document.HasParseError()) return make_error_code(Errc::malformed);
    if (has_duplicates(document)) return make_error_code(Errc::duplicate_member);
    return document;
}

ObjectReader::ObjectReader(const rapidjson::Value& object, std::vector<FieldError>& errors,
                           std::string pointer)
    : object_(&object), errors_(errors), pointer_(std::move(pointer)) {
    if (!object.IsObject()) {
        errors_.push_back({pointer_, "harus berupa objek JSON"});
        object_ = nullptr;
    }
}

std::string ObjectReader::pointer_to(std::string_view key) const {
    return pointer_ + "/" + escape_pointer(key);
}

void ObjectReader::error(std::string_view key, std::string detail) {
    errors_.push_back({pointer_to(key), std::move(detail)});
}

const rapidjson::Value* ObjectReader::find(std::string_view key) {
    seen_.emplace_back(key);
    if (object_ == nullptr) return nullptr;
    const auto member = object_->FindMember(
        rapidjson::Value(rapidjson::StringRef(key.data(), static_cast<rapidjson::SizeType>(key.size()))));
    return member == object_->MemberEnd() ? nullptr : &member->value;
}

bool ObjectReader::has(std::string_view key) const {
    return object_ != nullptr &&
           object_->FindMember(rapidjson::Value(rapidjson::StringRef(
               key.data(), static_cast<rapidjson::SizeType>(key.size())))) != object_->MemberEnd();
}

std::optional<std::string> ObjectReader::optional_text(std::string_view key, TextRule rule) {
    const auto* value = find(key);
    if (value == nullptr) return std::nullopt;
    if (!value->IsString()) {
        error(key, "harus berupa teks");
        return std::nullopt;
    }
    const auto text = view(*value);
    const auto length = code_points(text);
    if (length == 0 && !rule.allow_empty) {
        error(key, "tidak boleh kosong");
    } else if (length < rule.min_length) {
        error(key, "minimal " + std::to_string(rule.min_length) + " karakter");
    } else if (length > rule.max_length) {
        error(key, "maksimal " + std::to_string(rule.max_length) + " karakter");
    } else if (!rule.allow_control && std::any_of(text.begin(), text.end(), is_control)) {
        error(key, "tidak boleh memuat karakter kontrol");
    } else {
        return std::string(text);
    }
    return std::nullopt;
}

std::string ObjectReader::required_text(std::string_view key, TextRule rule) {
    if (object_ != nullptr && !has(key)) {
        seen_.emplace_back(key);
        error(key, "wajib diisi");
        return {};
    }
    return optional_text(key, rule).value_or("");
}

std::optional<std::optional<std::string>> ObjectReader::nullable_text(std::string_view key, TextRule rule) {
    const auto* value = find(key);
    if (value == nullptr) return std::nullopt;
    if (value->IsNull()) return std::optional<std::string>{};
    if (auto text = optional_text(key, rule)) return text;
    return std::nullopt;
}

std::optional<std::int64_t> ObjectReader::optional_integer(std::string_view key, std::int64_t min,
                                                           std::int64_t max) {
    const auto* value = find(key);
    if (value == nullptr) return std::nullopt;
    if (!value->IsInt64()) {
        error(key, "harus berupa bilangan bulat");
        return std::nullopt;
    }
    const auto number = value->GetInt64();
    if (number < min || number > max) {
        error(key, "harus antara " + std::to_string(min) + " dan " + std::to_string(max));
        return std::nullopt;
    }
    return number;
}

std::int64_t ObjectReader::required_integer(std::string_view key, std::int64_t min, std::int64_t max) {
    if (object_ != nullptr && !has(key)) {
        seen_.emplace_back(key);
        error(key, "wajib diisi");
        return 0;
    }
    return optional_integer(key, min, max).value_or(0);
}

std::optional<bool> ObjectReader::optional_boolean(std::string_view key) {
    const auto* value = find(key);
    if (value == nullptr) return std::nullopt;
    if (!value->IsBool()) {
        error(key, "harus true atau false");
        return std::nullopt;
    }
    return value->GetBool();
}

std::optional<std::int64_t> ObjectReader::optional_hundredths(std::string_view key, std::int64_t min,
                                                              std::int64_t max) {
    const auto* value = find(key);
    if (value == nullptr) return std::nullopt;
    const double hundredths = value->IsNumber() ? value->GetDouble() * 100 : 0.5;
    // Out of range first: llround of what does not fit is undefined.
    if (std::abs(hundredths) > 1e15 || std::abs(hundredths - std::round(hundredths)) > 1e-6) {
        error(key, "harus berupa bilangan dengan paling banyak dua desimal");
        return std::nullopt;
    }
    const std::int64_t number = std::llround(hundredths);
    if (number < min || number > max) {
        error(key, "di luar batas");
        return std::nullopt;
    }
    return number;
}

bool ObjectReader::take_null(std::string_view key) {
    const auto* value = object_ != nullptr && has(key) ? find(key) : nullptr;
    return value != nullptr && value->IsNull();
}

const rapidjson::Value* ObjectReader::optional_object(std::string_view key) {
    const auto* value = find(key);
    if (value == nullptr || value->IsObject()) return value;
    error(key, "harus berupa objek JSON");
    return nullptr;
}

const rapidjson::Value* ObjectReader::optional_array(std::string_view key) {
    const auto* value = find(key);
    if (value == nullptr || value->IsArray()) return value;
    error(key, "harus berupa larik JSON");
    return nullptr;
}

const rapidjson::Value* ObjectReader::required_object(std::string_view key) {
    if (object_ != nullptr && !has(key)) error(key, "wajib diisi");
    return optional_object(key);
}

const rapidjson::Value* ObjectReader::required_array(std::string_view key) {
    if (object_ != nullptr && !has(key)) error(key, "wajib diisi");
    return optional_array(key);
}

void ObjectReader::finish() {
    if (object_ == nullptr) return;
    for (const auto& member : object_->GetObject()) {
        const auto key = view(member.name);
        if (std::find(seen_.begin(), seen_.end(), key) == seen_.end()) error(key, "kolom tidak dikenal");
    }
}

}  // namespace shared::json
