// The gateway's configuration as immutable data, with its defaults; load.hpp makes one of these from a file.
// The fields() of a structure (fields.hpp) describes its keys: a new key is a member here and a line there.
// A reload takes over what compares equal.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "gateway/wire/ip_address.hpp"
#include "gateway/wire/method.hpp"

namespace gateway::config {

using std::chrono::milliseconds;

// ---- where clients and operators come in
// ---------------------------------------------------------------------

struct Certificate {
    std::vector<std::string>
        server_names;              // SNI names, "*.example.org" allowed; empty: the default certificate
    std::string certificate_file;  // PEM, leaf first
    std::string key_file;          // PEM
    bool operator==(const Certificate&) const = default;
};

struct ServerTls {
    std::vector<Certificate> certificates;  // never empty
    std::string min_version = "1.2";        // "1.2" | "1.3"
    std::string ciphers;                    // OpenSSL list for TLS 1.2; empty: OpenSSL's default
    bool operator==(const ServerTls&) const = default;
};

struct Listener {
    std::string name;  // for logs; default "address:port"
    std::string address = "0.0.0.0";
    std::uint16_t port = 8081;  // 0: the system chooses; the log says which
    int backlog = 4096;
    bool proxy_protocol =
        false;  // every connection from a trusted proxy starts with a PROXY header (v1 or v2)
    std::optional<ServerTls> tls;
    bool operator==(const Listener&) const = default;
};

struct Admin {
    bool enabled = true;
    std::string address = "127.0.0.1";
    std::uint16_t port = 9901;
    std::vector<std::string> hosts;  // names it answers to, lower-case, besides IP addresses and localhost
    std::string token;               // of POST; empty: POST is refused
    bool operator==(const Admin&) const = default;
};

// How client connections are treated.
struct Client {
    milliseconds head_timeout{10'000};            // from the first byte to the end of the head
    milliseconds idle_timeout{75'000};            // between two requests
    milliseconds body_timeout{60'000};            // no body byte for so long
    std::uint64_t min_body_rate_bytes = 240;      // per second, after the first 5 s of a body; 0: off
    milliseconds write_timeout{60'000};           // client takes no byte of the answer for so long
    milliseconds tunnel_idle_timeout{3'600'000};  // WebSocket without a byte in either direction
    std::size_t max_head_bytes = 32 * 1024;
    std::size_t max_target_bytes = 8 * 1024;
    std::size_t max_headers = 100;
    bool merge_slashes = true;
    std::uint32_t max_connections = 10'000;             // all workers together; who goes first: WorkerContext
    std::uint32_t max_connections_per_address = 8'192;  // 0: no limit
    std::uint32_t max_requests_per_connection = 0;      // 0: no limit
    std::uint64_t drain_bytes = 64 * 1024;  // unread request body that is read away to keep a connection
    std::uint64_t body_memory_bytes = 128 * 1024 * 1024;  // kept of request bodies, all workers together
    bool operator==(const Client&) const = default;
};

struct RequestId {
    bool accept_from_client = true;  // a sane one is kept, else a new one is made
    bool operator==(const RequestId&) const = default;
};

struct Forwarding {
    std::vector<wire::Network> trusted_proxies;  // peers whose X-Forwarded-* and PROXY headers are believed
    bool forwarded_header = false;               // also write RFC 7239 Forwarded
    bool operator==(const Forwarding&) const = default;
};

struct AccessLog {
    bool enabled = true;
    std::string path = "-";     // "-": standard output
    std::string security_path;  // empty: security events are lines like others
    std::uint32_t sample = 1;   // log every n-th 2xx/3xx answer; 4xx and 5xx always
    bool operator==(const AccessLog&) const = default;
};

struct Shutdown {
    milliseconds drain_delay{0};  // keep accepting for so long after SIGTERM while /ready says 503
    milliseconds grace{30'000};   // then wait so long for requests and tunnels
    bool operator==(const Shutdown&) const = default;
};

// ---- tokens
// ---------------------------------------------------------------------------------------------------

struct SigningKey {
    std::string algorithm = "HS256";  // HS256 | RS256 | PS256 | ES256 | EdDSA
    std::string kid;
    std::string secret;      // HS256: at least 32 bytes
    std::string public_key;  // PEM text; read from public_key_file where that is given
    bool operator==(const SigningKey&) const = default;
};

struct Jwks {
    std::string url;   // http:// or https://; or
    std::string file;  // a file, read again on reload
    milliseconds refresh{300'000};
    milliseconds max_stale{86'400'000};         // last good keys are used for so long when fetching fails
    milliseconds unknown_kid_interval{30'000};  // at most one extra fetch per so long
    milliseconds timeout{5'000};
    bool operator==(const Jwks&) const = default;
};

struct RevocationFeed {
    std::string url;                // http://host:port/internal/revocations
    std::string token;              // bearer; empty: derived from the issuer's HS256 secret
    std::chrono::seconds wait{25};  // long-poll
    milliseconds retry{500};
    milliseconds max_age{60'000};  // feed unreachable for longer: `on_stale` decides
    enum class OnStale { allow, refuse } on_stale = OnStale::allow;
    std::size_t max_entries = 1'000'000;
    bool operator==(const RevocationFeed&) const = default;
};

struct ClaimHeader {
    std::string claim;
    std::string header;
    bool operator==(const ClaimHeader&) const = default;
};

struct TokenCache {
    std::size_t entries = 8192;  // per worker
    milliseconds max_age{60'000};
    bool operator==(const TokenCache&) const = default;
};

struct Issuer {
    std::string name = "default";  // how routes refer to it
    std::string issuer;            // `iss`
    std::string audience;
    std::string realm = "api";
    std::chrono::seconds leeway{30};
    std::size_t max_token_bytes = 8 * 1024;
    std::vector<SigningKey> keys;
    std::optional<Jwks> jwks;
    std::optional<RevocationFeed> revocations;
    std::vector<ClaimHeader> claim_headers{
        {"sub", "X-User-Id"}, {"role", "X-User-Role"}, {"nim", "X-User-Nim"}, {"sid", "X-Session-Id"}};
    TokenCache cache;
    bool operator==(const Issuer&) const = default;
};

// ---- upstreams
// ------------------------------------------------------------------------------------------------

struct Endpoint {
    std::string host;
    std::uint16_t port = 80;
    std::uint32_t weight = 1;  // 0: takes part in health checks, gets no request
    bool operator==(const Endpoint&) const = default;
};

enum class Balancer { round_robin, least_requests, hash };

// Key of consistent hashing.
struct HashOn {
    enum class Source { client_address, header } source = Source::client_address;
    std::string header;
    bool operator==(const HashOn&) const = default;
};

struct HealthCheck {
    bool enabled = true;
    std::string path = "/health";
    std::string host;  // Host header; empty: the endpoint's
    milliseconds interval{5'000};
    milliseconds timeout{2'000};
    std::uint32_t rise = 2;  // good answers in a row until an endpoint is up
    std::uint32_t fall = 3;  // bad ones until it is down
    std::uint16_t status_min = 200;
    std::uint16_t status_max = 399;
    bool operator==(const HealthCheck&) const = default;
};

// Ejection by what real requests see.
struct Outlier {
    bool enabled = true;
    std::uint32_t consecutive_failures = 5;  // 5xx answers (502, 503, 504), failed connects, resets, timeouts
    milliseconds base_ejection{10'000};      // times the number of ejections so far
    milliseconds max_ejection{300'000};
    std::uint32_t max_ejected_percent = 50;
    // Fewer usable endpoints than this share: ejection and health are ignored, everything is tried.
    std::uint32_t panic_percent = 50;
    bool operator==(const Outlier&) const = default;
};

struct CircuitBreaker {
    bool enabled = true;
    std::uint32_t failure_percent = 50;
    std::uint32_t min_requests = 20;  // in the window
    milliseconds window{10'000};
    milliseconds open_for{5'000};
    std::uint32_t half_open_requests = 3;
    bool operator==(const CircuitBreaker&) const = default;
};

struct Pool {
    std::uint32_t max_idle = 64;       // per endpoint and worker
    milliseconds idle_timeout{4'000};  // below the server's own, else it closes under us
    milliseconds max_age{600'000};
    std::uint32_t max_connections = 0;  // per endpoint and worker; 0: no limit
    bool operator==(const Pool&) const = default;
};

struct UpstreamTimeouts {
    milliseconds connect{2'000};
    milliseconds first_byte{30'000};  // request sent → first byte of the answer
    milliseconds idle{60'000};  // between two reads of an answer's body, between two writes of a request's
    milliseconds total{0};      // whole exchange; 0: none (streams)
    bool operator==(const UpstreamTimeouts&) const = default;
};

struct Retry {
    std::uint32_t attempts = 1;  // besides the first; 0: never
    bool on_connect_failure = true;
    bool on_reset = true;                     // before a byte of the answer
    std::vector<std::uint16_t> on_status;     // e.g. 502, 503, 504; only idempotent methods
    std::uint32_t budget_percent = 20;        // retries are at most this share of requests …
    std::uint32_t budget_min_per_second = 3;  // … or this many
    milliseconds backoff{25};                 // base of the jittered wait before a retry on another endpoint
    bool operator==(const Retry&) const = default;
};

struct InFlight {
    std::uint32_t max = 0;             // per cluster or route, all workers; 0: no limit
    std::uint32_t max_per_client = 0;  // of `max`, for one user or address; 0: no limit of its own
    std::uint32_t queue = 0;           // how many may wait
    milliseconds queue_timeout{1'000};
    bool operator==(const InFlight&) const = default;
};

struct UpstreamTls {
    std::string ca_file;      // empty: the system's
    std::string server_name;  // SNI and name to verify; empty: the endpoint's host
    bool verify = true;
    bool operator==(const UpstreamTls&) const = default;
};

struct Cluster {
    std::string name;
    std::vector<Endpoint> endpoints;  // never empty
    Balancer balancer = Balancer::least_requests;
    HashOn hash_on;
    HealthCheck health;
    Outlier outlier;
    CircuitBreaker breaker;
    Pool pool;
    UpstreamTimeouts timeouts;
    Retry retry;
    InFlight in_flight;
    milliseconds dns_interval{
        5'000};  // host names are looked up again this often, and after a failed connect
    std::optional<UpstreamTls> tls;
    bool needed_for_ready = true;  // /ready is 503 while no endpoint is usable
    bool operator==(const Cluster&) const = default;
};

// ---- routes
// ---------------------------------------------------------------------------------------------------

struct HeaderMatch {
    std::string name;                   // lower-case
    std::optional<std::string> equals;  // absent: the header only has to be there
    bool operator==(const HeaderMatch&) const = default;
};

struct RouteMatch {
    std::vector<std::string> hosts;     // canonical, without port; "*.example.org" allowed; empty: any
    std::optional<std::string> path;    // exact
    std::optional<std::string> prefix;  // matches itself and what follows behind a '/'
    wire::MethodSet methods = wire::MethodSet::all();  // GET brings HEAD along
    std::vector<HeaderMatch> headers;
    bool operator==(const RouteMatch&) const = default;
};

// A claim must equal something of the request or of the configuration.
struct ClaimRule {
    enum class Against { query, path_segment, value };
    std::string claim;
    Against against = Against::value;
    std::string query;             // name of the query parameter
    std::size_t path_segment = 0;  // 0 is the first segment of the canonical path
    std::vector<std::string> values;
    bool allow_absent = false;              // no such query parameter or segment: the rule holds
    std::vector<std::string> unless_roles;  // tokens with one of these roles need not meet it
    bool operator==(const ClaimRule&) const = default;
};

struct AuthRule {
    bool is_public = false;
    std::string issuer;               // name of an Issuer
    std::size_t issuer_index = 0;     // into Config::issuers
    std::vector<std::string> roles;   // any of these; empty: any role
    std::vector<std::string> scopes;  // all of these
    std::vector<ClaimRule> claims;    // all of these
    bool operator==(const AuthRule&) const = default;
};

struct ClusterTarget {
    std::string cluster;
    std::size_t cluster_index = 0;  // into Config::clusters
    std::string strip_prefix;       // removed from the front of the path (on a segment boundary)
    std::string add_prefix;         // then put in front
    std::string rewrite_path;       // or: the whole path is replaced
    enum class Host { preserve, endpoint, fixed } host = Host::preserve;
    std::string fixed_host;
    bool operator==(const ClusterTarget&) const = default;
};

struct StaticTarget {
    std::string directory;
    std::string strip_prefix;
    std::string index = "index.html";
    std::string fallback;  // served with 200 for an unknown path without an extension; empty: 404
    std::string cache_control = "no-cache";
    bool operator==(const StaticTarget&) const = default;
};

struct RedirectTarget {
    std::uint16_t status = 308;  // 301, 302, 303, 307, 308
    std::string location;        // "{path}", "{query}" (with '?') and "{host}" are replaced
    bool operator==(const RedirectTarget&) const = default;
};

struct BuiltinTarget {
    enum class What { health, ready } what = What::health;
    bool operator==(const BuiltinTarget&) const = default;
};

using Target = std::variant<ClusterTarget, StaticTarget, RedirectTarget, BuiltinTarget>;

// One bucket for each distinct combination of `key` parts; exact over all workers.
struct RateLimit {
    struct KeyPart {
        enum class Kind { address, claim, header, route } kind = Kind::address;
        std::string name;  // of the claim or header (lower-case)
        bool operator==(const KeyPart&) const = default;
    };
    std::string name;            // of the policy; two routes that name the same policy share its buckets
    std::vector<KeyPart> key;    // empty: one bucket for all
    std::uint32_t requests = 0;  // per `period`
    milliseconds period{1'000};
    std::uint32_t burst = 0;  // bucket size; 0: as `requests`
    bool announce = true;     // RateLimit fields on answers that pass, too
    std::size_t index = 0;    // into Config::rate_limits
    bool operator==(const RateLimit&) const = default;
};

struct RouteLimits {
    std::uint64_t body_bytes = 1024 * 1024;  // 413 above
    // So much of a body is read before a place or a connection is taken for it.
    std::optional<std::uint64_t> buffer_request_bytes;
    std::uint64_t gathered_bytes() const {
        return buffer_request_bytes.value_or(body_bytes <= 1024 * 1024 ? body_bytes : 64 * 1024);
    }
    std::vector<std::size_t> rate_limits;  // indexes into Config::rate_limits, checked in this order
    InFlight in_flight;
    bool operator==(const RouteLimits&) const = default;
};

struct RouteTimeouts {  // override the cluster's
    std::optional<milliseconds> first_byte;
    std::optional<milliseconds> idle;
    std::optional<milliseconds> total;
    bool operator==(const RouteTimeouts&) const = default;
};

struct Cors {
    std::vector<std::string>
        origins;  // "https://portal.example.org"; "*": any, then credentials must be false
    std::vector<std::string> methods;  // default: the route's
    std::vector<std::string> headers{"authorization", "content-type", "if-match", "x-request-id"};
    std::vector<std::string> expose{"etag", "link", "location", "retry-after", "x-request-id"};
    bool credentials = false;
    std::chrono::seconds max_age{600};
    bool operator==(const Cors&) const = default;
};

struct HeaderChange {
    std::string name;
    std::string value;  // empty: the header is removed
    bool only_if_absent = false;
    bool operator==(const HeaderChange&) const = default;
};

struct Route {
    std::string name;  // unique; label of metrics and logs
    RouteMatch match;
    AuthRule auth;
    Target target;
    RouteLimits limits;
    RouteTimeouts timeouts;
    std::optional<bool> retry;  // false: never retried, whatever the cluster says
    std::optional<Cors> cors;
    std::vector<HeaderChange> request_headers;
    std::vector<HeaderChange> response_headers;  // security headers and the like
    bool websocket = false;
    // A client that ends its side is taken for gone. Absent: where the answer is a stream of events.
    std::optional<bool> end_with_client;
    bool access_log = true;
    bool operator==(const Route&) const = default;
};

struct Config {
    std::vector<Listener> listeners;  // never empty
    Admin admin;
    std::uint32_t workers = 0;  // 0: one per CPU this process may use
    Client client;
    RequestId request_id;
    Forwarding forwarding;
    AccessLog access_log;
    Shutdown shutdown;
    std::vector<Issuer> issuers;
    std::vector<Cluster> clusters;
    std::vector<RateLimit> rate_limits;
    std::vector<HeaderChange> response_headers;  // of answers that belong to no route; routes have them, too
    std::vector<Route> routes;
    std::size_t rate_limit_keys = 100'000;  // bound of all buckets together

    // Names of the headers that only the gateway sets (lower-case): those of every issuer's claim_headers.
    std::vector<std::string> identity_headers() const;
    // Names of the headers (lower-case) that routes, balancers and limits decide by.
    std::vector<std::string> decisive_headers() const;
    const Cluster* find_cluster(std::string_view name) const;
    bool operator==(const Config&) const = default;
};

}  // namespace gateway::config
