// The token reader's own JSON scanner against shared/json (RapidJSON with checks): both take the same texts,
// and where both do, they read the same strings.
#include <cstring>
#include <string>
#include <vector>

#include "shared/json/json.hpp"
#include "shared/jwt/json_scan.hpp"
#include "test/fuzz/require.hpp"

using shared::jwt::JsonKind;
using shared::jwt::JsonNode;

namespace {

constexpr std::size_t kValues = 256;

// Values and the largest number of members an object has.
void count(const rapidjson::Value& value, std::size_t& values, std::size_t& members) {
    ++values;
    if (value.IsObject()) {
        members = std::max<std::size_t>(members, value.MemberCount());
        for (const auto& member : value.GetObject()) count(member.value, values, members);
    } else if (value.IsArray()) {
        for (const auto& item : value.GetArray()) count(item, values, members);
    }
}

std::size_t same(const rapidjson::Value& value, std::span<const JsonNode> nodes, std::size_t at) {
    const auto& node = nodes[at];
    switch (node.kind) {
        case JsonKind::null:
            REQUIRE_THAT_ALWAYS(value.IsNull());
            break;
        case JsonKind::boolean:
            REQUIRE_THAT_ALWAYS(value.IsBool() && (node.text() == "true") == value.GetBool());
            break;
        case JsonKind::number:
            REQUIRE_THAT_ALWAYS(value.IsNumber());
            break;
        case JsonKind::string:
            REQUIRE_THAT_ALWAYS(value.IsString());
            REQUIRE_THAT_ALWAYS(node.text() == std::string_view(value.GetString(), value.GetStringLength()));
            REQUIRE_THAT_ALWAYS(shared::json::valid_utf8(node.text()));
            break;
        case JsonKind::array: {
            REQUIRE_THAT_ALWAYS(value.IsArray());
            auto next = at + 1;
            for (const auto& item : value.GetArray()) next = same(item, nodes, next);
            REQUIRE_THAT_ALWAYS(next == node.end);
            break;
        }
        case JsonKind::object: {
            REQUIRE_THAT_ALWAYS(value.IsObject());
            auto next = at + 1;
            for (const auto& member : value.GetObject()) {
                const std::string_view name(member.name.GetString(), member.name.GetStringLength());
                REQUIRE_THAT_ALWAYS(nodes[next].name() == name);
                REQUIRE_THAT_ALWAYS(nodes[next].name_head == shared::jwt::pack_name(name));
                REQUIRE_THAT_ALWAYS(shared::jwt::find_member(nodes, at, name) == &nodes[next]);
                next = same(member.value, nodes, next);
            }
            REQUIRE_THAT_ALWAYS(next == node.end);
            break;
        }
    }
    return node.end;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(reinterpret_cast<const char*>(data), size);
    // Exactly the promised padding, on the heap: a look behind it is found.
    std::vector<char> memory(text.begin(), text.end());
    memory.resize(size + shared::jwt::kScanPadding, 'x');
    std::vector<JsonNode> storage(kValues);
    const auto nodes = shared::jwt::scan_object(memory.data(), memory.data() + size, storage);
    const auto other = shared::json::parse(text);

    if (!nodes.empty()) {
        if (!other) {
            // A number that no double can hold is JSON to the scanner; the claims check refuses it.
            REQUIRE_THAT_ALWAYS(other.error() == shared::json::Errc::malformed);
            bool has_number = false;
            for (const auto& node : nodes) has_number = has_number || node.kind == JsonKind::number;
            REQUIRE_THAT_ALWAYS(has_number);
            return 0;
        }
        REQUIRE_THAT_ALWAYS(same(*other, nodes, 0) == nodes.size());
    } else if (other && other->IsObject()) {
        std::size_t values = 0;
        std::size_t members = 0;
        count(*other, values, members);
        REQUIRE_THAT_ALWAYS(values > kValues || members > shared::jwt::kMaxMembers);
    }
    return 0;
}
