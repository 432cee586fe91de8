// How clients and operators come in, and the process as a whole.
#include <algorithm>

#include "gateway/config/fields.hpp"
#include "gateway/wire/rules.hpp"

namespace gateway::config {
namespace {

constexpr std::size_t kAdminTokenBytes = 16;

void check_address(Section& in, const std::string& address) {
    if (!wire::IpAddress::parse(address)) in.problem("address", "\"" + address + "\" is not an IP address");
}

// One string may hold several, so that one environment variable can.
void add_networks(Section& in, const std::string& list, std::vector<wire::Network>& networks) {
    for (std::size_t begin = 0; begin <= list.size();) {
        const auto end = std::min(list.find(',', begin), list.size());
        auto text = list.substr(begin, end - begin);
        begin = end + 1;
        std::erase(text, ' ');
        if (text.empty()) continue;
        if (const auto network = wire::Network::parse(text))
            networks.push_back(*network);
        else
            in.problem("trusted_proxies", "\"" + text + "\" is not an address or network such as 10.0.0.0/8");
    }
}

}  // namespace

void fields(Visitor& v, Certificate& c) {
    v.texts("server_names", c.server_names,
            {"SNI names it is for; empty: the default certificate.", R"(["*.example.org"])"});
    for (auto& name : c.server_names) name = lower_case(std::move(name));
    v.text("certificate_file", c.certificate_file, {"PEM, leaf first.", "/tls/fullchain.pem", kRequired});
    v.text("key_file", c.key_file, {"PEM.", "/tls/key.pem", kRequired});
}

void fields(Visitor& v, ServerTls& tls) {
    v.objects("certificates", tls.certificates, {"At least one.", "", kRequired});
    if (Section* in = v.reading(); in && tls.certificates.empty())
        in->problem("certificates", "at least one certificate is needed");
    v.choice<std::string>("min_version", tls.min_version, {{"1.2", "1.2"}, {"1.3", "1.3"}},
                          {"Oldest TLS version.", "1.3"});
    v.text("ciphers", tls.ciphers, {"OpenSSL cipher list for TLS 1.2.", "ECDHE+AESGCM", "OpenSSL's default"});
}

void fields(Visitor& v, Listener& l) {
    v.text("name", l.name, {"Name in logs.", "public", "`address:port`"});
    v.text("address", l.address, {"IP address to bind.", "::"});
    if (Section* in = v.reading()) check_address(*in, l.address);
    v.number("port", l.port, {0, 65'535},
             {"TCP port. 0: the system chooses, the log event `listening` says which.",
              R"("${GATEWAY_PORT:-8081}")"});
    if (Section* in = v.reading(); in && !in->has("name")) l.name = l.address + ':' + std::to_string(l.port);
    v.number("backlog", l.backlog, {1, 65'535},
             {"Connections that wait to be accepted (the kernel caps it at `net.core.somaxconn`).", "1024"});
    v.boolean("proxy_protocol", l.proxy_protocol,
              {"Every connection starts with a PROXY header, v1 or v2. Only peers in "
               "`forwarding.trusted_proxies` may connect then."});
    v.object("tls", l.tls, {"TLS. Certificates are read again on reload."});
}

void fields(Visitor& v, Admin& a) {
    v.boolean("enabled", a.enabled, {});
    v.text("address", a.address,
           {"IP address to bind. Outside loopback only on an internal network.", "0.0.0.0"});
    if (Section* in = v.reading()) check_address(*in, a.address);
    v.number("port", a.port, {0, 65'535}, {"TCP port; 0: the system chooses.", R"("${ADMIN_PORT:-9901}")"});
    v.texts(
        "hosts", a.hosts,
        {"Names in `Host` that it answers to, besides IP addresses and `localhost`: a name of anybody else's "
         "may lead a browser here. 403.",
         R"(["gateway.internal"])"});
    for (auto& host : a.hosts) host = lower_case(std::move(host));
    v.secret(
        "token", a.token, kAdminTokenBytes,
        {"At least 16 bytes: what `POST` needs as `Authorization: Bearer`. Empty: `POST` is refused, SIGHUP "
         "reloads all the same.",
         "${ADMIN_TOKEN:-}"});
}

void fields(Visitor& v, AccessLog& a) {
    v.boolean("enabled", a.enabled, {});
    v.text("path", a.path, {"File; `-`: standard output.", "/var/log/gateway.jsonl"});
    v.text("security_path", a.security_path,
           {"A file (or `/dev/fd/3`) of their own for refusals with 400, 401, 403 and 429, `POST`s to the "
            "admin port and reloads, instead of `path`. Also written where `enabled` is false. Empty: none.",
            "/var/log/gateway-security.jsonl"});
    v.number("sample", a.sample, {1, 1'000'000},
             {"Write every n-th answer below 400; of 4xx and 5xx only repeated refusals are counted instead "
              "of written (security.md).",
              "100"});
}

void fields(Visitor& v, Shutdown& s) {
    v.duration("drain_delay", s.drain_delay, {0, 600'000},
               {"ms. Go on accepting for so long, each answer with `Connection: close`, while `/ready` says "
                "503, so that balancers notice.",
                "5000"});
    v.duration("grace", s.grace, {0, 3'600'000},
               {"ms. Then wait so long for requests and tunnels.", "20000"});
}

void fields(Visitor& v, Client& c) {
    v.duration("head_timeout", c.head_timeout, {100, kDay},
               {"ms from the first byte to the end of a request's head. 408.", "5000"});
    v.duration("idle_timeout", c.idle_timeout, {100, kDay},
               {"ms between two requests of a connection.", "30000"});
    v.duration("body_timeout", c.body_timeout, {100, kDay},
               {"ms without a byte of a request body. 408.", "30000"});
    v.number("min_body_rate_bytes", c.min_body_rate_bytes, {0, 1 << 30},
             {"Bytes per second that a request body must come with on average, after its first 5 s; 0: any.",
              "1024"});
    v.duration("write_timeout", c.write_timeout, {100, kDay},
               {"ms without the client taking a byte of the answer.", "30000"});
    v.duration("tunnel_idle_timeout", c.tunnel_idle_timeout, {100, kDay},
               {"ms without a byte in either direction of a WebSocket.", "600000"});
    v.number("max_head_bytes", c.max_head_bytes, {1024, wire::kMaxHeadBytes},
             {"Bytes of start line and headers. 431.", "16384"});
    v.number("max_target_bytes", c.max_target_bytes, {256, wire::kMaxHeadBytes / 2},
             {"Bytes of the request target. 414.", "4096"});
    v.number("max_headers", c.max_headers, {8, wire::kMaxHeaderLines}, {"Header lines. 431.", "60"});
    v.boolean("merge_slashes", c.merge_slashes, {"`//` in a path becomes `/`; false: 400."});
    v.number("max_connections", c.max_connections, {1, 10'000'000},
             {"Open client connections of all workers. Beyond, those close first that have never completed a "
              "head, then those without a request, the oldest first.",
              "50000"});
    v.number("max_connections_per_address", c.max_connections_per_address, {0, 10'000'000},
             {"Open connections of one address (IPv6: of one /64); 0: no limit.", "256"});
    v.number("max_requests_per_connection", c.max_requests_per_connection, {0, 1'000'000'000},
             {"Requests until a connection is closed; 0: no limit.", "10000"});
    v.number("drain_bytes", c.drain_bytes, {0, 64 << 20},
             {"Bytes of an unread request body that are read away to keep a connection.", "0"});
    v.number("body_memory_bytes", c.body_memory_bytes, {1 << 20, std::int64_t{1} << 40},
             {"Bytes of request bodies that are kept at once, all workers together, until an upstream takes "
              "them; 503 beyond. Half of it is for bodies of at most 4 KiB alone.",
              "67108864"});
    if (Section* in = v.reading(); in && c.max_target_bytes > c.max_head_bytes)
        in->problem("max_target_bytes", "must not be larger than max_head_bytes");
}

void fields(Visitor& v, RequestId& r) {
    v.boolean("accept_from_client", r.accept_from_client,
              {"Keep a client's `X-Request-Id` of 1–128 printable bytes; otherwise always make a new one."});
}

void fields(Visitor& v, Forwarding& f) {
    std::vector<std::string> networks;
    for (const auto& network : f.trusted_proxies) networks.push_back(network.to_string());
    v.texts("trusted_proxies", networks,
            {"Addresses and networks (several with commas) whose `X-Forwarded-*`, `Forwarded` and PROXY "
             "headers are believed. From others they are dropped.",
             R"(["10.0.0.0/8,127.0.0.1"])"});
    if (Section* in = v.reading())
        for (const auto& list : networks) add_networks(*in, list, f.trusted_proxies);
    v.boolean("forwarded_header", f.forwarded_header, {"Also write RFC 7239 `Forwarded` upstream."});
}

void edge_fields(Visitor& v, Config& c) {
    v.objects("listeners", c.listeners,
              {"Ports for clients. Each worker opens every one of them (`SO_REUSEPORT`).", "", kRequired});
    if (Section* in = v.reading(); in && c.listeners.empty())
        in->problem("listeners", "at least one listener is needed");
    v.number("workers", c.workers, {0, 1024},
             {"Worker threads; 0: one per CPU that the process may use.", "2"});
    v.object("admin", c.admin, {"The second port: metrics, health, state. Not for clients."});
    v.object("access_log", c.access_log, {"One JSON line a request."});
    v.object("shutdown", c.shutdown, {"What SIGTERM does."});
    v.object("client", c.client, {});
    v.object("request_id", c.request_id, {});
    v.object("forwarding", c.forwarding, {});
}

}  // namespace gateway::config
