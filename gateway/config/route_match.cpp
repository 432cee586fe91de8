// Which requests a route takes.
#include "gateway/config/fields.hpp"
#include "gateway/wire/path.hpp"

namespace gateway::config {
namespace {

// A route for no host would be one for every host.
void hosts_field(Visitor& v, std::vector<std::string>& hosts) {
    Section* in = v.reading();
    const auto before = in ? in->problem_count() : 0;
    std::optional<std::vector<std::string>> given;
    if (!hosts.empty()) given = hosts;
    v.texts("hosts", given,
            {"Without port; not empty. `a.` is `a`.", R"(["kampus.example", "*.kampus.example"])", "any"});
    if (!in || !given) return;
    hosts = std::move(*given);
    if (hosts.empty() && in->problem_count() == before)
        in->problem("hosts", "must not be empty; leave it out for any host");
    for (auto& host : hosts) {
        host = lower_case(std::move(host));
        const bool any_below = host.starts_with("*.");
        const auto plain = std::string_view(host).substr(any_below ? 2 : 0);
        if (plain.empty() || wire::check_authority(plain) != plain.size() ||
            (any_below && plain.front() == '['))
            in->problem("hosts", "\"" + host + "\" is not a host name (no port; \"*.\" may stand in front)");
        else if (host.front() == '[')
            host = wire::canonical_literal(host);
        else if (host.ends_with('.'))
            host.pop_back();
    }
}

void methods_field(Visitor& v, wire::MethodSet& methods) {
    std::vector<std::string> names;
    for (unsigned i = 0; i < wire::kMethodCount; ++i)
        if (const auto method = static_cast<wire::Method>(i); methods.has(method))
            names.emplace_back(wire::to_string(method));
    v.texts("methods", names, {"`GET` brings `HEAD` along.", R"(["GET", "POST"])", "all"});
    Section* in = v.reading();
    if (!in || !in->has("methods")) return;
    methods = {};
    for (const auto& name : names) {
        const auto method = wire::parse_method(name);
        if (!method) {
            in->problem("methods", "\"" + name + "\" is not one of " + wire::MethodSet::all().to_string());
            continue;
        }
        methods.add(*method);
        if (*method == wire::Method::get) methods.add(wire::Method::head);
    }
    if (names.empty()) in->problem("methods", "must not be empty; leave it out for all methods");
}

}  // namespace

void fields(Visitor& v, HeaderMatch& header) {
    v.text("name", header.name, {"", "X-Beta", kRequired});
    if (Section* in = v.reading()) {
        check_header_name(*in, "name", header.name);
        check_decisive_header(*in, "name", header.name, Decided::before_forwarding);
    }
    header.name = lower_case(std::move(header.name));
    v.text("equals", header.equals, {"", "1", "any value"});
}

void fields(Visitor& v, RouteMatch& match) {
    Section* in = v.reading();
    v.text("path", match.path, {"The whole path.", "/api/auth/login", kAbsent});
    if (in && match.path) check_path(*in, "path", *match.path);
    v.text("prefix", match.prefix,
           {"The path itself and all below it (`/api/acad/ips`, not `/api/academy`).", "/api/acad", kAbsent});
    if (in && match.prefix) check_path(*in, "prefix", *match.prefix);
    if (in && in->has("path") == in->has("prefix")) in->problem("", "needs exactly one of path and prefix");
    hosts_field(v, match.hosts);
    methods_field(v, match.methods);
    v.objects("headers", match.headers,
              {"All of them must be met. Several lines of one name are one value, as in a list."});
}

}  // namespace gateway::config
