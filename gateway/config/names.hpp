// Checks of names and paths, and the search for what a name refers to. Internal to this folder.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gateway::config {

class Section;

std::string lower_case(std::string text);

// Reports `name` unless it is a fit label: letters, digits, '-', '_', '.', at most 64.
void check_name(Section& section, const std::string& name);
// Reports header names that are no tokens.
void check_header_name(Section& section, std::string_view key, const std::string& name);
// Reports a header that nothing can be decided by: the service does not see what the client has sent. What
// the gateway itself writes is known when a request is forwarded, not when its route is chosen.
enum class Decided { before_forwarding, when_forwarding };
void check_decisive_header(Section& section, std::string_view key, const std::string& name, Decided when);
// Reports paths that are not in the form that request paths are brought to: they could never match.
void check_path(Section& section, std::string_view key, const std::string& path);

template <class Item>
std::optional<std::size_t> index_of(const std::vector<Item>& items, const std::string& name) {
    const auto found =
        std::find_if(items.begin(), items.end(), [&](const Item& item) { return item.name == name; });
    if (found == items.end()) return std::nullopt;
    return static_cast<std::size_t>(found - items.begin());
}

template <class Item>
std::string unknown_name(const char* kind, const std::string& name, const std::vector<Item>& items) {
    std::string message = std::string("no ") + kind + " is called \"" + name + '"';
    for (std::size_t i = 0; i < items.size(); ++i) message += (i == 0 ? "; there is " : ", ") + items[i].name;
    return message;
}

}  // namespace gateway::config
