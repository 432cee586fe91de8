#include "shared/session/feed_page.hpp"

#include <algorithm>
#include <charconv>

#include "shared/jwt/json_scan.hpp"

namespace shared::session {
namespace {

using jwt::JsonKind;
using jwt::JsonNode;

ErrorCode bad_message() {
    return make_error_code(boost::system::errc::bad_message);
}

// Each value but the first follows one of these, so their number bounds the values.
std::size_t bound_values(const std::string& body) {
    return 2 + static_cast<std::size_t>(std::count_if(
                   body.begin(), body.end(), [](char c) { return c == ',' || c == ':' || c == '['; }));
}

bool read_entry(std::span<const JsonNode> nodes, std::size_t index, FeedEntry& entry) {
    if (nodes[index].kind != JsonKind::object) return false;
    const auto* sid = jwt::find_member(nodes, index, "sid");
    const auto* until = jwt::find_member(nodes, index, "until");
    if (sid == nullptr || sid->kind != JsonKind::string || sid->text().empty()) return false;
    if (until == nullptr || until->kind != JsonKind::number) return false;
    // A fraction is cut off and one second added: rather too long than too short.
    const auto text = until->text();
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), entry.until);
    if (error != std::errc()) return false;
    if (end != text.data() + text.size()) {
        if (*end != '.' || text.find_first_of("eE") != std::string_view::npos) return false;
        ++entry.until;
    }
    entry.sid = sid->text();
    return true;
}

// Absent: stays as it is. False: something else than a boolean.
bool read_flag(std::span<const JsonNode> nodes, std::string_view name, bool& flag) {
    const auto* member = jwt::find_member(nodes, 0, name);
    if (member == nullptr) return true;
    flag = member->kind == JsonKind::boolean && member->text() == "true";
    return member->kind == JsonKind::boolean;
}

}  // namespace

Result<FeedPage> parse_feed_page(std::string& body) {
    std::vector<JsonNode> storage(bound_values(body));
    const auto size = body.size();
    body.append(jwt::kScanPadding, '\0');
    const auto nodes = jwt::scan_object(body.data(), body.data() + size, storage);
    if (nodes.empty()) return bad_message();

    FeedPage page;
    const auto* cursor = jwt::find_member(nodes, 0, "cursor");
    if (cursor == nullptr || cursor->kind != JsonKind::string) return bad_message();
    page.cursor = cursor->text();
    if (!read_flag(nodes, "reset", page.reset) || !read_flag(nodes, "more", page.more)) return bad_message();
    const auto* entries = jwt::find_member(nodes, 0, "entries");
    if (entries == nullptr || entries->kind != JsonKind::array) return bad_message();
    for (auto i = static_cast<std::size_t>(entries - nodes.data()) + 1; i < entries->end; i = nodes[i].end) {
        FeedEntry entry;
        if (!read_entry(nodes, i, entry)) return bad_message();
        page.entries.push_back(entry);
    }
    return page;
}

}  // namespace shared::session
