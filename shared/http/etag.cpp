#include "shared/http/etag.hpp"

#include <algorithm>
#include <optional>
#include <string_view>

#include "shared/base/text.hpp"

namespace shared::http {
namespace {

struct Tag {
    bool weak = false;
    std::string_view text;  // without quotes
};

bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

// RFC 9110 section 8.8.3: visible characters but the quote, or bytes beyond ASCII. A comma may be one of
// them.
bool is_tag_character(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte > 0x20 && byte != '"' && byte != 0x7F;
}

// Takes one tag from the front.
std::optional<Tag> take_tag(std::string_view& list) {
    Tag tag;
    if (list.starts_with("W/")) {
        tag.weak = true;
        list.remove_prefix(2);
    }
    if (!list.starts_with('"')) return std::nullopt;
    list.remove_prefix(1);
    const auto end = list.find('"');
    if (end == std::string_view::npos) return std::nullopt;
    tag.text = list.substr(0, end);
    if (!std::all_of(tag.text.begin(), tag.text.end(), is_tag_character)) return std::nullopt;
    list.remove_prefix(end + 1);
    return tag;
}

void skip_blanks(std::string_view& list) {
    while (!list.empty() && is_blank(list.front())) list.remove_prefix(1);
}

// nullopt: no list of tags (RFC 9110 section 5.6.1; empty elements are allowed).
std::optional<std::vector<Tag>> read_tags(std::string_view list) {
    std::vector<Tag> tags;
    while (true) {
        skip_blanks(list);
        if (list.empty()) return tags;
        if (list.front() != ',') {
            const auto tag = take_tag(list);
            if (!tag) return std::nullopt;
            tags.push_back(*tag);
            skip_blanks(list);
            if (list.empty()) return tags;
            if (list.front() != ',') return std::nullopt;
        }
        list.remove_prefix(1);
    }
}

// The version that a tag of ours names.
std::optional<std::int64_t> version_of(std::string_view text) {
    if (!text.starts_with('v')) return std::nullopt;
    const auto version = parse_number<std::int64_t>(text.substr(1));
    if (version && text.substr(1) != std::to_string(*version)) return std::nullopt;  // "v05" is not ours
    return version;
}

}  // namespace

std::string etag(std::int64_t version) {
    return "\"v" + std::to_string(version) + "\"";
}

bool Versions::allows(std::int64_t version) const {
    return any || std::find(allowed.begin(), allowed.end(), version) != allowed.end();
}

Versions if_match(const Request& request) {
    Versions versions;
    const auto list = request.header_list("If-Match");
    if (trim(list).empty() || trim(list) == "*") return versions;
    versions.any = false;
    const auto tags = read_tags(list);
    if (!tags) return versions;
    for (const auto& tag : *tags) {
        const auto version = version_of(tag.text);
        if (!tag.weak && version) versions.allowed.push_back(*version);
    }
    return versions;
}

bool none_match(const Request& request, std::int64_t version) {
    const auto list = request.header_list("If-None-Match");
    if (trim(list) == "*") return true;
    const auto tags = read_tags(list);
    if (!tags) return false;
    return std::any_of(tags->begin(), tags->end(),
                       [version](const Tag& tag) { return version_of(tag.text) == version; });
}

Response versioned(const Request& request, Response response, std::int64_t version) {
    response.with("ETag", etag(version));
    if (request.method != "GET" || response.status != 200 || !none_match(request, version)) return response;
    response.status = 304;
    response.content_type.clear();
    response.body.clear();
    response.produce = nullptr;
    return response;
}

}  // namespace shared::http
