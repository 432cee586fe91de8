// The path that an upstream sees.
#pragma once

#include <string>
#include <string_view>

#include "gateway/config/config.hpp"

namespace gateway::routing {

// `path` is canonical and matched the route. Returns a view of `path` where nothing changes but its front
// being cut off, else of `storage`.
std::string_view upstream_path(const config::ClusterTarget& target, std::string_view path,
                               std::string& storage);

// Location of a redirect: {path}, {query} (with its '?', empty without one) and {host} filled in.
std::string redirect_location(const config::RedirectTarget& target, std::string_view host,
                              std::string_view path, std::string_view query, bool has_query);

}  // namespace gateway::routing
