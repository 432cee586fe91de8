// Where a route leads.
#include <algorithm>
#include <filesystem>
#include <system_error>

#include "gateway/config/fields.hpp"
#include "gateway/wire/output.hpp"
#include "gateway/wire/path.hpp"

namespace gateway::config {
namespace {

void host_field(Visitor& v, ClusterTarget& target, bool shown) {
    using Host = ClusterTarget::Host;
    std::optional<std::string> host;
    if (shown)
        host = target.host == Host::fixed      ? target.fixed_host
               : target.host == Host::endpoint ? "endpoint"
                                               : "preserve";
    v.text("host", host, {"Host header upstream: the client's, the endpoint's, or this name.", "endpoint"});
    Section* in = v.reading();
    if (!in || !host || *host == "preserve") return;
    target.host = *host == "endpoint" ? Host::endpoint : Host::fixed;
    if (target.host == Host::endpoint) return;
    target.fixed_host = *host;
    if (wire::check_authority(*host) == 0)
        in->problem("host", "must be \"preserve\", \"endpoint\" or a host name");
}

void cluster_target_fields(Visitor& v, std::optional<ClusterTarget>& chosen) {
    ClusterTarget target = chosen.value_or(ClusterTarget{});
    Section* in = v.reading();
    v.text("cluster", target.cluster, {"Passed on to that cluster.", "acad", kAbsent});
    if (in && in->has("cluster")) {
        if (const auto index = index_of(in->config().clusters, target.cluster))
            target.cluster_index = *index;
        else
            in->problem("cluster", unknown_name("cluster", target.cluster, in->config().clusters));
    }
    v.text("strip_prefix", target.strip_prefix,
           {"Cut off the front of the path. The route's own path begins with it, whole segments.", "/api",
            kAbsent});
    if (in && in->has("strip_prefix")) {
        check_path(*in, "strip_prefix", target.strip_prefix);
        if (target.strip_prefix.ends_with('/')) target.strip_prefix.pop_back();
    }
    v.text("add_prefix", target.add_prefix, {"Then put in front.", "/v1", kAbsent});
    if (in && in->has("add_prefix")) check_path(*in, "add_prefix", target.add_prefix);
    v.text("rewrite_path", target.rewrite_path, {"Or: the whole path.", "/health", kAbsent});
    if (in && in->has("rewrite_path")) check_path(*in, "rewrite_path", target.rewrite_path);
    if (in && in->has("rewrite_path") && (in->has("strip_prefix") || in->has("add_prefix")))
        in->problem("rewrite_path",
                    "replaces the whole path: it does not go with strip_prefix or add_prefix");
    host_field(v, target, chosen.has_value());
    if (!in) return;
    if (in->has("cluster")) {
        chosen = std::move(target);
        return;
    }
    for (const char* key : {"strip_prefix", "add_prefix", "rewrite_path", "host"})
        if (in->has(key)) in->problem(key, "goes with cluster only");
}

// The directory may be filled later, or be there only where the file is used: that it is not there now is no
// reason to refuse it.
void check_files(Section& in, const StaticTarget& target) {
    const std::filesystem::path directory(target.directory);
    std::error_code none;
    for (const auto& [key, name] :
         {std::pair("index", &target.index), std::pair("fallback", &target.fallback)})
        if (const std::filesystem::path path(*name);
            path.is_absolute() || std::find(path.begin(), path.end(), "..") != path.end())
            in.problem(key, "\"" + *name + "\" leads out of the directory");
    if (target.directory.empty()) return;
    if (!std::filesystem::is_directory(directory, none))
        return in.warning("directory",
                          "\"" + target.directory + "\" is no directory here: every answer is 404");
    if (in.has("index") && !std::filesystem::is_regular_file(directory / target.index, none))
        in.warning("index", "\"" + target.index + "\" is not in " + target.directory);
    if (!target.fallback.empty() && !std::filesystem::is_regular_file(directory / target.fallback, none))
        in.warning("fallback", "\"" + target.fallback + "\" is not in " + target.directory);
}

// True: only {host}, {path} and {query} are in braces.
bool known_names_only(std::string_view location) {
    for (auto at = location.find_first_of("{}"); at != std::string_view::npos;
         at = location.find_first_of("{}")) {
        location.remove_prefix(at);
        const auto name = location.substr(0, location.find('}') + 1);
        if (name != "{host}" && name != "{path}" && name != "{query}") return false;
        location.remove_prefix(name.size());
    }
    return true;
}

template <class T>
std::optional<T> chosen(const Target& target) {
    const auto* kind = std::get_if<T>(&target);
    return kind ? std::optional<T>(*kind) : std::nullopt;
}

}  // namespace

void fields(Visitor& v, StaticTarget& target) {
    Section* in = v.reading();
    v.text("directory", target.directory,
           {"Relative to the working directory, or absolute.", "${PORTAL_DIR:-services/portal}", kRequired});
    v.text("strip_prefix", target.strip_prefix,
           {"Cut off the path before it names a file. The route's own path begins with it, whole segments.",
            "/docs", kAbsent});
    if (in && in->has("strip_prefix")) check_path(*in, "strip_prefix", target.strip_prefix);
    while (target.strip_prefix.ends_with('/')) target.strip_prefix.pop_back();
    v.text("index", target.index, {"File of a directory.", "index.htm"});
    if (in && target.index.empty()) in->problem("index", "must not be empty");
    v.text("fallback", target.fallback,
           {"File for unknown paths whose last segment has no dot; empty: 404.", "index.html"});
    v.text("cache_control", target.cache_control, {"", "public, max-age=86400"});
    if (in && !wire::valid_header_value(target.cache_control))
        in->problem("cache_control", "holds control characters");
    if (in) check_files(*in, target);
}

void fields(Visitor& v, RedirectTarget& target) {
    Section* in = v.reading();
    v.number("status", target.status, {301, 308}, {"301, 302, 303, 307 or 308.", "302"});
    if (in && target.status > 303 && target.status < 307)
        in->problem("status", "must be 301, 302, 303, 307 or 308");
    v.text("location", target.location,
           {"`{host}`, `{path}` and `{query}` (with its `?`) are filled in.", "https://{host}{path}{query}",
            kRequired});
    if (in && !wire::valid_header_value(target.location)) in->problem("location", "holds control characters");
    if (in && !known_names_only(target.location))
        in->problem("location", "may name {host}, {path} and {query} in braces, and nothing else");
}

void fields(Visitor& v, Target& target) {
    using What = BuiltinTarget::What;
    auto cluster = chosen<ClusterTarget>(target);
    auto files = chosen<StaticTarget>(target);
    auto redirect = chosen<RedirectTarget>(target);
    std::optional<What> builtin;
    if (const auto own = chosen<BuiltinTarget>(target)) builtin = own->what;
    Section* in = v.reading();
    if (in) cluster.reset();
    cluster_target_fields(v, cluster);
    v.object("static", files, {"Files.", "", kAbsent});
    v.object("redirect", redirect, {"", "", kAbsent});
    v.choice<What>("builtin", builtin, {{"health", What::health}, {"ready", What::ready}},
                   {"Answered by the gateway.", "health", kAbsent});
    if (!in) return;
    if (cluster) target = std::move(*cluster);
    if (files) target = std::move(*files);
    if (redirect) target = std::move(*redirect);
    if (builtin) target = BuiltinTarget{*builtin};
    int kinds = 0;
    for (const char* key : {"cluster", "static", "redirect", "builtin"}) kinds += in->has(key) ? 1 : 0;
    if (kinds != 1) in->problem("", "needs exactly one of cluster, static, redirect and builtin");
}

}  // namespace gateway::config
