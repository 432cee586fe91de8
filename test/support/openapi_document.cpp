#include "test/support/openapi_document.hpp"

#include <rapidjson/pointer.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <regex>
#include <stdexcept>

#include "test/support/process.hpp"

namespace test {
namespace {

using rapidjson::Value;
using Allocator = rapidjson::Document::AllocatorType;

// YAML 1.2's core schema: a quoted scalar is text, a plain one may be null, a boolean or a number.
Value scalar(const YAML::Node& node, Allocator& allocator) {
    const auto text = node.Scalar();
    if (node.Tag() != "!") {
        if (text == "null" || text == "~" || text.empty()) return Value();
        if (text == "true" || text == "false") return Value(text == "true");
        static const std::regex kInteger("-?[0-9]+");
        static const std::regex kNumber("-?[0-9]+\\.[0-9]+");
        if (std::regex_match(text, kInteger)) return Value(static_cast<std::int64_t>(std::stoll(text)));
        if (std::regex_match(text, kNumber)) return Value(std::stod(text));
    }
    return Value(text.c_str(), static_cast<rapidjson::SizeType>(text.size()), allocator);
}

Value convert(const YAML::Node& node, Allocator& allocator) {
    if (node.IsMap()) {
        Value object(rapidjson::kObjectType);
        for (const auto& member : node) {
            const auto key = member.first.Scalar();
            object.AddMember(Value(key.c_str(), allocator), convert(member.second, allocator), allocator);
        }
        return object;
    }
    if (node.IsSequence()) {
        Value array(rapidjson::kArrayType);
        for (const auto& item : node) array.PushBack(convert(item, allocator), allocator);
        return array;
    }
    return node.IsScalar() ? scalar(node, allocator) : Value();
}

std::string upper(std::string text) {
    for (auto& c : text)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
    return text;
}

bool has_type(const Value& instance, const std::string& type) {
    if (type == "object") return instance.IsObject();
    if (type == "array") return instance.IsArray();
    if (type == "string") return instance.IsString();
    if (type == "integer") return instance.IsInt64();
    if (type == "number") return instance.IsNumber();
    if (type == "boolean") return instance.IsBool();
    return type == "null" && instance.IsNull();
}

bool matches_type(const Value& type, const Value& instance) {
    if (type.IsString()) return has_type(instance, type.GetString());
    return std::any_of(type.Begin(), type.End(),
                       [&](const Value& one) { return has_type(instance, one.GetString()); });
}

const Value* member(const Value& object, const char* name) {
    if (!object.IsObject()) return nullptr;
    const auto found = object.FindMember(name);
    return found == object.MemberEnd() ? nullptr : &found->value;
}

}  // namespace

OpenApiDocument::OpenApiDocument(const std::string& name) {
    const auto root = YAML::LoadFile(source_path("docs/openapi/" + name + ".yaml"));
    const Value converted = convert(root, document_.GetAllocator());
    document_.CopyFrom(converted, document_.GetAllocator());
    if (member(document_, "paths") == nullptr) throw std::runtime_error(name + ".yaml has no paths");
}

std::vector<OpenApiDocument::Operation> OpenApiDocument::operations() const {
    std::vector<Operation> list;
    for (const auto& path : document_["paths"].GetObject())
        for (const auto& entry : path.value.GetObject()) {
            const auto method = upper(entry.name.GetString());
            if (method == "GET" || method == "POST" || method == "PUT" || method == "PATCH" ||
                method == "DELETE")
                list.push_back({method, path.name.GetString()});
        }
    return list;
}

const Value& OpenApiDocument::resolve(const Value& value) const {
    const auto* reference = member(value, "$ref");
    if (reference == nullptr) return value;
    const auto* target = rapidjson::Pointer(reference->GetString()).Get(document_);
    if (target == nullptr) throw std::runtime_error(std::string("dangling $ref ") + reference->GetString());
    return resolve(*target);
}

std::vector<std::string> OpenApiDocument::check(const Operation& operation, const Reply& reply) const {
    std::vector<std::string> faults;
    auto method = operation.method;
    std::transform(method.begin(), method.end(), method.begin(),
                   [](char c) { return static_cast<char>(c + 32); });
    const auto& responses = document_["paths"][operation.path.c_str()][method.c_str()]["responses"];
    const auto* response = member(responses, std::to_string(reply.status).c_str());
    if (response == nullptr)
        return {"status " + std::to_string(reply.status) + " is not described: " + reply.body};
    const auto& described = resolve(*response);

    if (const auto* headers = member(described, "headers"))
        for (const auto& header : headers->GetObject()) {
            const auto* required = member(resolve(header.value), "required");
            if (required != nullptr && required->IsTrue() && !reply.has_header(header.name.GetString()))
                faults.push_back(std::string("no header ") + header.name.GetString());
        }

    const auto* content = member(described, "content");
    if (content == nullptr) {
        if (!reply.body.empty()) faults.push_back("a body that is not described");
        return faults;
    }
    auto media_type = reply.header("Content-Type");
    media_type = media_type.substr(0, media_type.find(';'));
    const auto* media = member(*content, media_type.c_str());
    if (media == nullptr) return {"media type " + media_type + " is not described"};
    if (const auto* schema = member(*media, "schema"); schema != nullptr && media_type.ends_with("json")) {
        const auto body = reply.json();
        validate(*schema, body, "", faults);
    }
    return faults;
}

// The part of JSON Schema 2020-12 that our documents use.
void OpenApiDocument::validate(const Value& schema_or_reference, const Value& instance, const std::string& at,
                               std::vector<std::string>& faults) const {
    const auto& schema = resolve(schema_or_reference);
    if (const auto* all = member(schema, "allOf"))
        for (const auto& part : all->GetArray()) validate(part, instance, at, faults);
    if (const auto* type = member(schema, "type"); type != nullptr && !matches_type(*type, instance)) {
        faults.push_back(at + ": wrong type");
        return;
    }
    if (const auto* values = member(schema, "enum");
        values != nullptr && instance.IsString() &&
        std::none_of(values->Begin(), values->End(), [&](const Value& v) {
            return v.IsString() && std::string_view(v.GetString()) == instance.GetString();
        }))
        faults.push_back(at + ": not one of the enum's values");
    if (instance.IsString())
        if (const auto* pattern = member(schema, "pattern");
            pattern != nullptr && !std::regex_search(instance.GetString(), std::regex(pattern->GetString())))
            faults.push_back(at + ": does not match the pattern");
    if (instance.IsArray())
        if (const auto* items = member(schema, "items"))
            for (rapidjson::SizeType i = 0; i < instance.Size(); ++i)
                validate(*items, instance[i], at + "/" + std::to_string(i), faults);
    if (!instance.IsObject()) return;
    if (const auto* required = member(schema, "required"))
        for (const auto& name : required->GetArray())
            if (!instance.HasMember(name)) faults.push_back(at + "/" + name.GetString() + ": missing");
    const auto* properties = member(schema, "properties");
    if (properties == nullptr) return;
    for (const auto& entry : instance.GetObject()) {
        const auto* property = member(*properties, entry.name.GetString());
        const auto place = at + "/" + entry.name.GetString();
        if (property != nullptr)
            validate(*property, entry.value, place, faults);
        else if (const auto* more = member(schema, "additionalProperties");
                 more == nullptr || more->IsFalse())
            faults.push_back(place + ": not described");  // say additionalProperties where more is meant
    }
}

}  // namespace test
