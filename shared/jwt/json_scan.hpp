// A strict, allocation-free JSON reader (RFC 8259) for token parts and JWK sets: UTF-8 only, no duplicate
// members at any depth, nothing behind the value. It writes a flat list of nodes; strings are unescaped in
// place.
//
// Why not shared/json: this runs on bytes that nobody has signed yet, on the gateway's hot path.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace shared::jwt {

enum class JsonKind : std::uint8_t { null, boolean, number, string, array, object };

// One value. Node 0 is the whole text; a container's children follow it, siblings are found through `end`.
// Trivial on purpose: an array of these on the stack costs nothing until it is used.
struct JsonNode {
    const char* name_data;  // name in the surrounding object, unescaped
    const char* text_data;
    std::uint32_t name_size;
    std::uint32_t name_head;  // pack_name(name): tells most names apart without a look at them
    std::uint32_t text_size;
    std::uint32_t end;  // index of the first node that is not inside this one
    JsonKind kind;

    std::string_view name() const { return {name_data, name_size}; }
    // String: its value. Number: as spelled. Boolean: "true" or "false". Containers and null: empty.
    std::string_view text() const { return {text_data, text_size}; }
};

// Size and first three bytes of a name; for names of up to three bytes it is the whole name.
constexpr std::uint32_t pack_name(std::string_view name) {
    std::uint32_t packed = name.size() > 255 ? 255 : static_cast<std::uint32_t>(name.size());
    for (std::size_t i = 0; i < 3; ++i)
        packed = (packed << 8) | (i < name.size() ? static_cast<unsigned char>(name[i]) : 0U);
    return packed;
}

// Bounds the cost of the duplicate check (each new name is compared with its siblings).
inline constexpr std::size_t kMaxMembers = 64;
inline constexpr int kMaxDepth = 16;

// The scanner looks at 16 bytes at a time: so many bytes behind the text must be readable; what they are does
// not matter.
inline constexpr std::size_t kScanPadding = 16;

// Reads [begin, end) and changes it. `*end`, the first byte of the padding, is overwritten with zero. Returns
// the nodes used, empty if the text is not one JSON object within the limits (`nodes.size()` values,
// kMaxMembers members an object, kMaxDepth levels). The nodes point into the text.
std::span<const JsonNode> scan_object(char* begin, char* end, std::span<JsonNode> nodes);

// The member of that name of the object at `nodes[object]`, or nullptr.
const JsonNode* find_member(std::span<const JsonNode> nodes, std::size_t object, std::string_view name);

// Length of the valid UTF-8 sequence that starts at `p` (1 to 4), 0 if there is none. Reads at most up to the
// first byte that does not fit, so a text that ends with a zero byte is never left.
int utf8_sequence(const char* p);

}  // namespace shared::jwt
