#include "test/unit/gateway/config_documents.hpp"

#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <limits>
#include <sstream>
#include <vector>

#include "gateway/config/catalogue.hpp"

namespace test {
namespace {

using gateway::config::Key;
using Kind = gateway::config::Key::Kind;
using Json = rapidjson::Document;

constexpr std::size_t kColumns = 120;
constexpr const char* kReference = R"({"$ref": "#/$defs/reference"})";

class Schema {
  public:
    explicit Schema(std::vector<Key> keys) : keys_(std::move(keys)) {}

    std::string text() {
        Json root;
        root.Parse(
            R"({"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Gateway configuration"})");
        merge(root, object_node(root, "", ""));
        Json definitions(&root.GetAllocator());
        definitions.Parse(R"({"reference": {
            "description": "An environment reference: ${NAME} or ${NAME:-default}.",
            "type": "string", "pattern": "\\$\\{[A-Za-z0-9_]+(:-[^}]*)?\\}"}})");
        root.AddMember("$defs", definitions, root.GetAllocator());
        std::string out;
        print(root, 0, 0, out);
        return out + '\n';
    }

  private:
    static rapidjson::Value text_value(Json& root, std::string_view text) {
        return rapidjson::Value(text.data(), static_cast<rapidjson::SizeType>(text.size()),
                                root.GetAllocator());
    }
    static rapidjson::Value parsed(Json& root, const std::string& text) {
        Json value(&root.GetAllocator());
        value.Parse(text.c_str());
        rapidjson::Value moved;
        moved.Swap(value);
        return moved;
    }
    static void merge(rapidjson::Value& into, rapidjson::Value&& from, Json& root) {
        for (auto& member : from.GetObject()) into.AddMember(member.name, member.value, root.GetAllocator());
    }
    static void merge(Json& into, rapidjson::Value&& from) { merge(into, std::move(from), into); }

    // The object whose members are the keys directly below `path`.
    rapidjson::Value object_node(Json& root, const std::string& path, std::string_view meaning) {
        auto node = described(root, meaning);
        node.AddMember("type", "object", root.GetAllocator());
        node.AddMember("additionalProperties", false, root.GetAllocator());
        rapidjson::Value properties(rapidjson::kObjectType);
        rapidjson::Value required(rapidjson::kArrayType);
        for (const Key& key : keys_) {
            if (!key.path.starts_with(path + '/') || key.path.find('/', path.size() + 1) != std::string::npos)
                continue;
            const auto name = key.path.substr(path.size() + 1);
            if (name == "*") continue;
            properties.AddMember(text_value(root, name), key_node(root, key), root.GetAllocator());
            if (key.required) required.PushBack(text_value(root, name), root.GetAllocator());
        }
        node.AddMember("properties", properties, root.GetAllocator());
        if (!required.Empty()) node.AddMember("required", required, root.GetAllocator());
        return node;
    }

    rapidjson::Value key_node(Json& root, const Key& key) {
        if (key.kind == Kind::object) return object_node(root, key.path, key.meaning);
        auto node = described(root, key.meaning);
        const auto range =
            "\"minimum\": " + std::to_string(key.min) + ", \"maximum\": " + std::to_string(key.max) + '}';
        const auto or_reference = [&](rapidjson::Value&& value) {
            rapidjson::Value any(rapidjson::kArrayType);
            any.PushBack(value, root.GetAllocator());
            any.PushBack(parsed(root, kReference), root.GetAllocator());
            node.AddMember("anyOf", any, root.GetAllocator());
        };
        const auto list_of = [&](rapidjson::Value&& item) {
            node.AddMember("type", "array", root.GetAllocator());
            if (key.required) node.AddMember("minItems", 1, root.GetAllocator());
            node.AddMember("items", item, root.GetAllocator());
        };
        switch (key.kind) {
            case Kind::text:
                node.AddMember("type", "string", root.GetAllocator());
                break;
            case Kind::boolean:
                or_reference(parsed(root, R"({"type": "boolean"})"));
                break;
            case Kind::number:
                or_reference(parsed(root, R"({"type": "integer", )" + range));
                break;
            case Kind::choice:
                or_reference(enumeration(root, key));
                break;
            case Kind::texts:
                list_of(parsed(root, R"({"type": "string"})"));
                break;
            case Kind::numbers:
                list_of(parsed(root, R"({"type": "integer", )" + range));
                break;
            case Kind::objects:
                list_of(object_node(root, key.path + "/*", ""));
                break;
            case Kind::objects_or_texts: {
                rapidjson::Value any(rapidjson::kArrayType);
                any.PushBack(parsed(root, R"({"type": "string"})"), root.GetAllocator());
                any.PushBack(object_node(root, key.path + "/*", ""), root.GetAllocator());
                rapidjson::Value item(rapidjson::kObjectType);
                item.AddMember("anyOf", any, root.GetAllocator());
                list_of(std::move(item));
                break;
            }
            case Kind::word_or_object: {
                rapidjson::Value any(rapidjson::kArrayType);
                any.PushBack(enumeration(root, key), root.GetAllocator());
                any.PushBack(object_node(root, key.path, ""), root.GetAllocator());
                node.AddMember("anyOf", any, root.GetAllocator());
                break;
            }
            case Kind::object:
                break;
        }
        return node;
    }

    static rapidjson::Value described(Json& root, std::string_view meaning) {
        rapidjson::Value node(rapidjson::kObjectType);
        if (!meaning.empty()) node.AddMember("description", text_value(root, meaning), root.GetAllocator());
        return node;
    }
    static rapidjson::Value enumeration(Json& root, const Key& key) {
        rapidjson::Value words(rapidjson::kArrayType);
        for (const auto word : key.words) words.PushBack(text_value(root, word), root.GetAllocator());
        rapidjson::Value node(rapidjson::kObjectType);
        node.AddMember("enum", words, root.GetAllocator());
        return node;
    }

    // One line where that fits, else one line a member. `column`: where the value begins.
    static void print(const rapidjson::Value& value, std::size_t indent, std::size_t column,
                      std::string& out) {
        const auto line = on_one_line(value);
        if (!(value.IsObject() || value.IsArray()) || column + line.size() < kColumns) {
            out += line;
            return;
        }
        const std::string margin(indent + 2, ' ');
        const bool object = value.IsObject();
        out += object ? '{' : '[';
        const char* separator = "\n";
        const auto item = [&](const std::string& name, const rapidjson::Value& one) {
            out += separator + margin + name;
            print(one, indent + 2, margin.size() + name.size(), out);
            separator = ",\n";
        };
        if (object)
            for (const auto& member : value.GetObject()) item(on_one_line(member.name) + ": ", member.value);
        else
            for (const auto& one : value.GetArray()) item("", one);
        out += '\n' + std::string(indent, ' ') + (object ? '}' : ']');
    }
    static std::string on_one_line(const rapidjson::Value& value) {
        std::string out;
        const char* separator = "";
        if (value.IsObject()) {
            for (const auto& member : value.GetObject()) {
                out += separator + on_one_line(member.name) + ": " + on_one_line(member.value);
                separator = ", ";
            }
            return '{' + out + '}';
        }
        if (value.IsArray()) {
            for (const auto& one : value.GetArray()) {
                out += separator + on_one_line(one);
                separator = ", ";
            }
            return '[' + out + ']';
        }
        rapidjson::StringBuffer buffer;
        rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
        value.Accept(writer);
        return buffer.GetString();
    }

    std::vector<Key> keys_;
};

std::string range_of(const Key& key) {
    const bool open = key.max == std::numeric_limits<std::int64_t>::max();
    return std::to_string(key.min) + " …" + (open ? "" : ' ' + std::to_string(key.max));
}

std::string value_cell(const Key& key) {
    std::string words;
    switch (key.kind) {
        case Kind::text:
            return "text";
        case Kind::boolean:
            return "boolean";
        case Kind::number:
            return range_of(key);
        case Kind::choice:
            for (const auto word : key.words)
                words += (words.empty() ? "`" : " \\| `") + std::string(word) + '`';
            return words;
        case Kind::texts:
            return "list of text";
        case Kind::numbers:
            return "list of " + range_of(key);
        case Kind::object:
            return "object";
        case Kind::objects:
            return "list of objects";
        case Kind::objects_or_texts:
            return "list";
        case Kind::word_or_object:
            return "text or object";
    }
    return "";
}

std::string default_cell(const Key& key) {
    if (!key.by_default.empty()) return std::string(key.by_default);
    if (key.kind == Kind::object) return key.optional ? "none" : "see below";
    if (key.kind == Kind::objects) return "`[]`";
    std::string value = key.value.empty() ? "–" : '`' + key.value + '`';
    for (auto at = value.find("\",\""); at != std::string::npos; at = value.find("\",\"", at))
        value.insert(at + 2, " ");
    return value;
}

std::string example_cell(const Key& key) {
    if (key.kind == Kind::boolean) return key.value == "false" ? "`true`" : "`false`";
    if (key.example.empty()) return "";
    const bool text = key.kind == Kind::text || key.kind == Kind::choice || key.kind == Kind::word_or_object;
    return (text ? "`\"" : "`") + std::string(key.example) + (text ? "\"`" : "`");
}

// The rows of one top-level key and of what is below it.
void add_rows(const std::vector<Key>& keys, const std::string& top, std::string& out) {
    for (const Key& key : keys) {
        if (key.path != '/' + top && !key.path.starts_with('/' + top + '/')) continue;
        out += "| `" + key.path.substr(1) + "` | " + value_cell(key) + " | " + default_cell(key) + " | " +
               example_cell(key) + " | " + std::string(key.meaning) + " |\n";
    }
}

}  // namespace

std::string configuration_schema() {
    return Schema(gateway::config::catalogue()).text();
}

std::string with_key_tables(const std::string& document) {
    const std::string begin = "<!-- keys: ";
    const std::string end = "<!-- end of keys -->";
    const auto keys = gateway::config::catalogue();
    std::string out;
    std::size_t at = 0;
    for (auto from = document.find(begin); from != std::string::npos; from = document.find(begin, at)) {
        const auto names = from + begin.size();
        const auto line = document.find('\n', from) + 1;
        out += document.substr(at, line - at) +
               "\n| key | value | default | example | meaning |\n|---|---|---|---|---|\n";
        std::istringstream tops(document.substr(names, document.find(" -->", names) - names));
        for (std::string top; tops >> top;) add_rows(keys, top, out);
        at = document.find(end, line);
        if (at == std::string::npos) return out;
        out += '\n';
    }
    return out + document.substr(at);
}

}  // namespace test
