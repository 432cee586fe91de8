// Routes as a whole, and the rate limits that they name.
#include <algorithm>
#include <limits>

#include "gateway/config/fields.hpp"
#include "gateway/wire/header_name.hpp"
#include "gateway/wire/output.hpp"
#include "gateway/wire/path.hpp"

namespace gateway::config {
namespace {

// Why a route may not set that header; null: it may. Framing, identity and the client's address are the
// gateway's own words, CORS belongs to one policy.
const char* reserved(const Config& config, const std::string& lower, bool request) {
    using wire::Header;
    constexpr const char* kOurs = "is set by the gateway alone";
    const auto id = wire::classify(lower);
    if (wire::ends_here(id) || id == Header::host) return kOurs;
    if (!request) return lower.starts_with("access-control-") ? "is what the route's cors says" : nullptr;
    const auto identity = config.identity_headers();
    const bool ours = id == Header::x_user || id == Header::x_session_id || id == Header::authorization ||
                      id == Header::x_client_address ||
                      std::find(identity.begin(), identity.end(), lower) != identity.end();
    return ours ? kOurs : nullptr;
}

// The gateway's own headers are not set by a route.
void header_changes(Visitor& v, std::string_view key, bool request, std::vector<HeaderChange>& changes,
                    const Doc& doc) {
    Visitor::Items items;
    items.count = changes.size();
    items.show = [&](Visitor& item, std::size_t i) { fields(item, changes[i]); };
    items.clear = [&] { changes.clear(); };
    items.read = [&](Visitor& item) {
        HeaderChange change;
        fields(item, change);
        if (Section* in = item.reading())
            if (const char* why = reserved(in->config(), lower_case(change.name), request))
                in->problem("name", why);
        changes.push_back(std::move(change));
    };
    v.list(key, items, doc);
}

// Those of every answer, unless the route has its own.
void add_common_headers(const Config& config, std::vector<HeaderChange>& changes) {
    for (const auto& change : config.response_headers) {
        const bool own = std::any_of(changes.begin(), changes.end(), [&](const auto& c) {
            return lower_case(c.name) == lower_case(change.name);
        });
        if (!own) changes.push_back(change);
    }
}

// As RFC 6454 section 6.2 serializes one. Origins are compared byte for byte: no other spelling ever matches.
bool is_origin(std::string_view text) {
    const auto colon = text.find("://");
    if (colon == std::string_view::npos || lower_case(std::string(text)) != text) return false;
    const auto scheme = text.substr(0, colon);
    const bool good_scheme = !scheme.empty() && std::all_of(scheme.begin(), scheme.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '+';
    });
    const auto authority = text.substr(colon + 3);
    const auto host_length = wire::check_authority(authority);
    if (!good_scheme || host_length == 0) return false;
    const auto port = authority.substr(host_length);
    return !port.starts_with(":0") && !(scheme == "http" && port == ":80") &&
           !(scheme == "https" && port == ":443");
}

// A route that some earlier one takes everything away from is a mistake in the file.
bool shadows(const RouteMatch& earlier, const RouteMatch& later) {
    const auto prefix = [](const RouteMatch& m) {
        auto text = m.prefix.value_or("");
        if (text.ends_with('/')) text.pop_back();
        return text;
    };
    auto methods = earlier.methods;
    methods.add(later.methods);
    return earlier.path == later.path && prefix(earlier) == prefix(later) && earlier.hosts == later.hosts &&
           earlier.headers == later.headers && methods == earlier.methods;
}

void key_field(Visitor& v, std::vector<RateLimit::KeyPart>& key) {
    using Kind = RateLimit::KeyPart::Kind;
    std::vector<std::string> texts;
    for (const auto& part : key) {
        static constexpr const char* kKinds[] = {"address", "claim:", "header:", "route"};
        texts.push_back(kKinds[static_cast<std::size_t>(part.kind)] + part.name);
    }
    v.texts("key", texts,
            {"One bucket for each combination of `address`, `route`, `claim:<name>`, `header:<name>` (as the "
             "service gets it); empty: one for all. Who has no such claim or header counts by address.",
             R"(["address", "route"])"});
    Section* in = v.reading();
    if (!in) return;
    key.clear();
    for (const auto& text : texts) {
        RateLimit::KeyPart part;
        if (text == "route") {
            part.kind = Kind::route;
        } else if (text.starts_with("claim:") && text.size() > 6) {
            part.kind = Kind::claim;
            part.name = text.substr(6);
        } else if (text.starts_with("header:") && wire::valid_header_name(std::string_view(text).substr(7))) {
            part.kind = Kind::header;
            part.name = lower_case(text.substr(7));
            check_decisive_header(*in, "key", part.name, Decided::when_forwarding);
        } else if (text != "address") {
            in->problem("key",
                        "\"" + text + R"(" is none of "address", "route", "claim:<name>", "header:<name>")");
            continue;
        }
        key.push_back(std::move(part));
    }
}

}  // namespace

void fields(Visitor& v, RouteLimits& limits) {
    v.number("body_bytes", limits.body_bytes, {0, std::numeric_limits<std::int64_t>::max()},
             {"Bytes of a request body. 413.", "65536"});
    v.number("buffer_request_bytes", limits.buffer_request_bytes, {0, 16 << 20},
             {"So many bytes of a body are read before a place or an upstream connection is taken; what is "
              "longer streams from then on. 0: nothing waits.",
              "0", "`body_bytes` up to 1 MiB, else 65536"});
    const auto& known = v.config().rate_limits;
    std::vector<std::string> names;
    for (const auto index : limits.rate_limits) names.push_back(known[index].name);
    v.texts("rate_limits", names, {"Policies, checked in this order.", R"(["sign-in"])"});
    if (Section* in = v.reading())
        for (const auto& name : names) {
            if (const auto index = index_of(known, name))
                limits.rate_limits.push_back(*index);
            else
                in->problem("rate_limits", unknown_name("rate limit", name, known));
        }
    v.object("in_flight", limits.in_flight, {"Requests at once, all workers together.", "", "no limit"});
}

void fields(Visitor& v, RouteTimeouts& t) {
    v.duration("first_byte", t.first_byte, {10, kDay}, {"ms.", "300000", "the cluster's"});
    v.duration("idle", t.idle, {10, kDay}, {"ms.", "60000", "the cluster's"});
    v.duration("total", t.total, {0, kDay}, {"ms.", "10000", "the cluster's"});
}

void fields(Visitor& v, Cors& cors) {
    Section* in = v.reading();
    v.texts("origins", cors.origins,
            {"As browsers send them; `*`: any, without credentials.", R"(["https://portal.example.org"])",
             kRequired});
    if (in && cors.origins.empty()) in->problem("origins", "at least one origin is needed");
    for (const auto& origin : cors.origins) {
        if (!in || origin == "*") continue;
        if (!is_origin(origin))
            in->problem("origins",
                        "\"" + origin +
                            "\" is not an origin as browsers send it: https://portal.example.org, in "
                            "lower case, without a path, the port only where it is not the usual one");
    }
    v.texts("methods", cors.methods, {"", R"(["GET"])", "the route's"});
    for (const auto& method : cors.methods)
        if (in && !wire::parse_method(method)) in->problem("methods", "\"" + method + "\" is not a method");
    v.texts("headers", cors.headers, {"Request headers that scripts may send.", R"(["authorization"])"});
    v.texts("expose", cors.expose, {"Answer headers that scripts may read.", R"(["etag"])"});
    v.boolean("credentials", cors.credentials, {});
    v.seconds("max_age", cors.max_age, {0, 86'400}, {"s that a preflight is remembered.", "60"});
    if (!in) return;
    for (const auto& name : cors.headers) check_header_name(*in, "headers", name);
    for (const auto& name : cors.expose) check_header_name(*in, "expose", name);
    if (cors.credentials && std::find(cors.origins.begin(), cors.origins.end(), "*") != cors.origins.end())
        in->problem("credentials",
                    "must be false where any origin is allowed (Fetch standard, section 3.2.5)");
}

void fields(Visitor& v, HeaderChange& change) {
    v.text("name", change.name, {"", "X-Frame-Options", kRequired});
    if (Section* in = v.reading()) check_header_name(*in, "name", change.name);
    v.text("value", change.value, {"Empty: the header is removed.", "DENY"});
    if (Section* in = v.reading(); in && !wire::valid_header_value(change.value))
        in->problem("value", "holds control characters");
    v.boolean("only_if_absent", change.only_if_absent, {"Leave a header that is there already."});
}

void fields(Visitor& v, Route& route) {
    Section* in = v.reading();
    v.text("name", route.name, {"Unique; label of metrics and logs.", "login", kRequired});
    if (in) check_name(*in, route.name);
    v.object("match", route.match, {"Exactly one of `path` and `prefix`.", "", kRequired});
    auth_field(v, route.auth);
    v.object("target", route.target,
             {"Exactly one of `cluster`, `static`, `redirect`, `builtin`.", "", kRequired});
    v.object("limits", route.limits, {});
    v.object("timeouts", route.timeouts, {"", "", "the cluster's"});
    v.boolean("retry", route.retry, {"false: never retried.", "", "the cluster's"});
    v.object(
        "cors", route.cors,
        {"Cross-origin requests (Fetch standard). A service's own CORS headers are dropped; without `cors` "
         "none is sent."});
    header_changes(v, "request_headers", true, route.request_headers,
                   {"Set on the request upstream, also in place of what the gateway itself would say."});
    header_changes(v, "response_headers", false, route.response_headers,
                   {"Set on the answer: security headers and the like. In place of the service's and of the "
                    "gateway's own."});
    v.boolean("websocket", route.websocket, {"WebSocket upgrades are passed on."});
    v.boolean("end_with_client", route.end_with_client,
              {"A client that ends its side of the connection while it waits is taken for gone, and its "
               "request upstream ends, too.",
               "", "for `text/event-stream`"});
    v.boolean("access_log", route.access_log, {});
    if (!in) return;
    add_common_headers(in->config(), route.response_headers);
    if (!route.name.empty() && index_of(in->config().routes, route.name))
        in->problem("name", "another route is called \"" + route.name + "\" too");
    for (const auto& earlier : in->config().routes)
        if (shadows(earlier.match, route.match))
            in->problem("match",
                        "can never be reached: route \"" + earlier.name + "\" takes the same requests");
}

void fields(Visitor& v, RateLimit& limit) {
    Section* in = v.reading();
    v.text("name", limit.name, {"", "sign-in", kRequired});
    if (in) check_name(*in, limit.name);
    key_field(v, limit.key);
    v.number("requests", limit.requests, {1, 1'000'000'000}, {"Per period.", "1200", kRequired});
    v.duration("period", limit.period, {1, kDay}, {"ms.", "60000"});
    v.number("burst", limit.burst, {0, 1'000'000'000},
             {"Requests at once; 0: as `requests`.", "200", "`requests`"});
    v.boolean("announce", limit.announce,
              {"`RateLimit` and `RateLimit-Policy` are on answers that pass, too; false: on the 429 only."});
    if (!in) return;
    limit.index = in->config().rate_limits.size();
    if (!limit.name.empty() && index_of(in->config().rate_limits, limit.name))
        in->problem("name", "another rate limit is called \"" + limit.name + "\" too");
}

void route_fields(Visitor& v, Config& c) {
    v.number(
        "rate_limit_keys", c.rate_limit_keys, {1'000, 100'000'000},
        {"Buckets of all policies together; memory is fixed by it (about 84 bytes each, resident once used).",
         "1000000"});
    v.objects("rate_limits", c.rate_limits, {});
    header_changes(
        v, "response_headers", false, c.response_headers,
        {"Added to every answer, the gateway's own included, unless the route sets the same name."});
    v.objects("routes", c.routes, {"", "", kRequired});
    if (Section* in = v.reading(); in && c.routes.empty())
        in->problem("routes", "at least one route is needed");
}

}  // namespace gateway::config
