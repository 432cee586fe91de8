// One reader for each part of the file. Internal to this folder.
#pragma once

#include "gateway/config/section.hpp"

namespace gateway::config {

void read_edge(Section& root, Config& config);      // listeners, admin, client, forwarding, logs, shutdown
void read_issuers(Section& root, Config& config);   // token issuers and their keys
void read_clusters(Section& root, Config& config);  // upstreams
void read_routes(Section& root, Config& config);    // rate limits and routes; after issuers and clusters
void read_in_flight(Section& section, InFlight& out);

// Reports `name` unless it is a fit label: letters, digits, '-', '_', '.', at most 64.
void check_name(Section& section, const std::string& name);
// Reports header names that are no tokens.
void check_header_name(Section& section, std::string_view key, const std::string& name);
std::string lower_case(std::string text);

}  // namespace gateway::config
