// What is described where. A structure's fields() stands with its checks in the file that is named here.
// Internal to this folder.
#pragma once

#include "gateway/config/names.hpp"
#include "gateway/config/section.hpp"
#include "gateway/config/visitor.hpp"

namespace gateway::config {

// edge.cpp
void fields(Visitor& v, Certificate& certificate);
void fields(Visitor& v, ServerTls& tls);
void fields(Visitor& v, Listener& listener);
void fields(Visitor& v, Admin& admin);
void fields(Visitor& v, AccessLog& log);
void fields(Visitor& v, Shutdown& shutdown);
void fields(Visitor& v, Client& client);
void fields(Visitor& v, RequestId& id);
void fields(Visitor& v, Forwarding& forwarding);

// issuers.cpp
void fields(Visitor& v, SigningKey& key);
void fields(Visitor& v, Jwks& jwks);
void fields(Visitor& v, RevocationFeed& feed);
void fields(Visitor& v, ClaimHeader& pair);
void fields(Visitor& v, TokenCache& cache);
void fields(Visitor& v, Issuer& issuer);

// clusters.cpp
void fields(Visitor& v, HealthCheck& health);
void fields(Visitor& v, Outlier& outlier);
void fields(Visitor& v, CircuitBreaker& breaker);
void fields(Visitor& v, Pool& pool);
void fields(Visitor& v, UpstreamTimeouts& timeouts);
void fields(Visitor& v, Retry& retry);
void fields(Visitor& v, InFlight& limit);
void fields(Visitor& v, UpstreamTls& tls);
void fields(Visitor& v, Cluster& cluster);

// route_match.cpp
void fields(Visitor& v, HeaderMatch& header);
void fields(Visitor& v, RouteMatch& match);

// route_auth.cpp
void fields(Visitor& v, ClaimRule& rule);
void auth_field(Visitor& v, AuthRule& rule);

// route_target.cpp
void fields(Visitor& v, StaticTarget& target);
void fields(Visitor& v, RedirectTarget& target);
void fields(Visitor& v, Target& target);

// routes.cpp
void fields(Visitor& v, RouteLimits& limits);
void fields(Visitor& v, RouteTimeouts& timeouts);
void fields(Visitor& v, Cors& cors);
void fields(Visitor& v, HeaderChange& change);
void fields(Visitor& v, Route& route);
void fields(Visitor& v, RateLimit& limit);

// The whole file, part by part: what refers to a name comes after what is called so.
void edge_fields(Visitor& v, Config& config);
void issuer_fields(Visitor& v, Config& config);
void cluster_fields(Visitor& v, Config& config);
void route_fields(Visitor& v, Config& config);
void fields(Visitor& v, Config& config);

// whole.cpp: what concerns several parts of a file that are right in themselves.
void check_whole(Section& in, const Config& config);

}  // namespace gateway::config
