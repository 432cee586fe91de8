#include "gateway/routing/rewrite.hpp"

namespace gateway::routing {

std::string_view upstream_path(const config::ClusterTarget& target, std::string_view path,
                               std::string& storage) {
    if (!target.rewrite_path.empty()) return target.rewrite_path;
    const std::string_view strip = target.strip_prefix;
    if (!strip.empty() && path.starts_with(strip) &&
        (path.size() == strip.size() || path[strip.size()] == '/')) {
        path.remove_prefix(strip.size());
        if (path.empty()) path = "/";
    }
    if (target.add_prefix.empty()) return path;
    storage.assign(target.add_prefix);
    if (path != "/" || target.add_prefix.ends_with('/'))
        storage += path.substr(target.add_prefix.ends_with('/') ? 1 : 0);
    return storage;
}

std::string redirect_location(const config::RedirectTarget& target, std::string_view host,
                              std::string_view path, std::string_view query, bool has_query) {
    std::string location;
    std::string_view rest = target.location;
    while (!rest.empty()) {
        const auto brace = rest.find('{');
        location += rest.substr(0, brace);
        if (brace == std::string_view::npos) break;
        rest.remove_prefix(brace);
        if (rest.starts_with("{path}")) {
            location += path;
            rest.remove_prefix(6);
        } else if (rest.starts_with("{query}")) {
            if (has_query) {
                location += '?';
                location += query;
            }
            rest.remove_prefix(7);
        } else if (rest.starts_with("{host}")) {
            location += host;
            rest.remove_prefix(6);
        } else {
            location += '{';
            rest.remove_prefix(1);
        }
    }
    return location;
}

}  // namespace gateway::routing
