#include "gateway/routing/route_table.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <unordered_map>

#include "gateway/wire/chars.hpp"
#include "gateway/wire/path.hpp"
#include "shared/base/text.hpp"

namespace gateway::routing {
namespace {

using config::Route;
using wire::Method;
using wire::MethodSet;

constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

// All routes with one path pattern for one set of hosts.
struct Group {
    std::string pattern;  // exact path, or prefix without trailing '/' ("" is the root)
    bool exact = false;
    std::uint32_t shorter = kNone;      // the next shorter prefix that this pattern lies under
    std::vector<std::uint32_t> routes;  // indexes into Config::routes, in the order they are tried
};

// The path patterns of one set of hosts. A look-up hashes the path once from the front and asks at each
// segment boundary, so that exact paths and prefixes cost one pass together.
class PathIndex {
  public:
    void add(const Route& route, std::uint32_t index) {
        const bool exact = route.match.path.has_value();
        std::string pattern = exact ? *route.match.path : route.match.prefix.value_or("/");
        if (!exact && pattern.ends_with('/')) pattern.pop_back();
        auto found = std::find_if(groups_.begin(), groups_.end(),
                                  [&](const Group& g) { return g.exact == exact && g.pattern == pattern; });
        if (found == groups_.end()) {
            groups_.push_back({std::move(pattern), exact, kNone, {}});
            found = groups_.end() - 1;
        }
        found->routes.push_back(index);
    }

    void compile(const std::vector<Route>& routes) {
        for (auto& group : groups_) {
            std::stable_sort(group.routes.begin(), group.routes.end(), [&](std::uint32_t a, std::uint32_t b) {
                return routes[a].match.headers.size() > routes[b].match.headers.size();
            });
            if (!group.exact) longest_prefix_ = std::max(longest_prefix_, group.pattern.size());
            for (std::uint32_t i = 0; i < groups_.size(); ++i) {
                const auto& other = groups_[i];
                if (&other == &group || other.exact || !covers(other.pattern, group.pattern)) continue;
                if (!group.exact && other.pattern.size() == group.pattern.size()) continue;
                if (group.shorter == kNone || groups_[group.shorter].pattern.size() < other.pattern.size())
                    group.shorter = i;
            }
        }
        std::size_t slots = 8;
        while (slots < groups_.size() * 2) slots *= 2;
        slots_.assign(slots, kNone);
        for (std::uint32_t i = 0; i < groups_.size(); ++i) {
            std::uint64_t hash = shared::kFnvStart;
            for (const char c : groups_[i].pattern) hash = shared::fnv1a_step(hash, c);
            auto slot = slot_of(hash, groups_[i].exact);
            while (slots_[slot] != kNone) slot = (slot + 1) & (slots_.size() - 1);
            slots_[slot] = i;
        }
    }

    // The most specific pattern that fits the path.
    std::uint32_t find(std::string_view path) const {
        std::uint64_t hash = shared::kFnvStart;
        std::uint32_t best = kNone;
        for (std::size_t i = 0; i < path.size(); ++i) {
            // path[0, i) ends in front of a '/': a prefix may end here
            if (path[i] == '/' && i <= longest_prefix_)
                if (const auto hit = look_up(hash, path.substr(0, i), false); hit != kNone) best = hit;
            hash = shared::fnv1a_step(hash, path[i]);
        }
        if (const auto hit = look_up(hash, path, true); hit != kNone) return hit;
        if (path.size() <= longest_prefix_)
            if (const auto hit = look_up(hash, path, false); hit != kNone) best = hit;
        return best;
    }

    const Group& group(std::uint32_t i) const { return groups_[i]; }
    bool empty() const { return groups_.empty(); }

  private:
    // `prefix` (no trailing '/') matches `path` on a segment boundary.
    static bool covers(std::string_view prefix, std::string_view path) {
        return path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '/');
    }
    std::size_t slot_of(std::uint64_t hash, bool exact) const {
        return static_cast<std::size_t>((hash ^ (hash >> 29)) * 2 + (exact ? 1 : 0)) & (slots_.size() - 1);
    }
    std::uint32_t look_up(std::uint64_t hash, std::string_view pattern, bool exact) const {
        for (auto slot = slot_of(hash, exact); slots_[slot] != kNone;
             slot = (slot + 1) & (slots_.size() - 1)) {
            const auto& group = groups_[slots_[slot]];
            if (group.exact == exact && group.pattern == pattern) return slots_[slot];
        }
        return kNone;
    }

    std::vector<Group> groups_;
    std::vector<std::uint32_t> slots_;
    std::size_t longest_prefix_ = 0;
};

struct WildcardHost {
    std::string suffix;  // ".example.org"
    PathIndex paths;
};

const config::HeaderMatch* unmet(const Route& route, const wire::HeadLines& lines) {
    for (const auto& condition : route.match.headers) {
        std::string joined;
        const auto value = lines.combined(condition.name, joined);
        if (!value || (condition.equals && *value != *condition.equals)) return &condition;
    }
    return nullptr;
}

// One spelling of a host: lower case, without the dot of the root, an IP address as it is usually written.
std::string_view canonical_host(std::string_view host, std::array<char, 256>& storage) {
    if (host.ends_with('.')) host.remove_suffix(1);
    const auto length = std::min(host.size(), storage.size());
    for (std::size_t i = 0; i < length; ++i) storage[i] = wire::chars::lower(host[i]);
    if (length == 0 || storage[0] != '[') return {storage.data(), length};
    const auto literal = wire::canonical_literal({storage.data(), length});
    std::copy(literal.begin(), literal.end(), storage.begin());
    return {storage.data(), literal.size()};
}

std::string describe(const Group& group) {
    if (group.exact) return "path " + group.pattern;
    return "prefix " + (group.pattern.empty() ? std::string("/") : group.pattern);
}

}  // namespace

struct RouteTable::Impl {
    std::shared_ptr<const config::Config> config;
    std::unordered_map<std::string_view, PathIndex> exact_hosts;  // keys live in `config`
    std::vector<WildcardHost> wildcard_hosts;                     // longest suffix first
    PathIndex any_host;

    // Tries one set of hosts. True: a pattern with routes whose header conditions hold decides, whatever its
    // methods say: a path that is listed does not fall through to a wider, perhaps more open, rule.
    template <class Note>
    bool decide(const PathIndex& paths, Method method, std::string_view path, const wire::HeadLines& lines,
                Match& match, Note&& note) const {
        if (paths.empty()) return false;
        for (auto at = paths.find(path); at != kNone; at = paths.group(at).shorter) {
            const auto& group = paths.group(at);
            bool applies = false;
            for (const auto index : group.routes) {
                const auto& route = config->routes[index];
                if (const auto* condition = unmet(route, lines)) {
                    note([&] {
                        return "route \"" + route.name + "\": " + describe(group) +
                               " fits, header condition on " + condition->name + " does not";
                    });
                    continue;
                }
                applies = true;
                match.allowed.add(route.match.methods);
                if (route.match.methods.has(method)) {
                    note([&] {
                        return "route \"" + route.name + "\": " + describe(group) +
                               " fits, method fits: chosen";
                    });
                    match.outcome = Outcome::found;
                    match.route = &route;
                    match.index = index;
                    return true;
                }
                note([&] {
                    return "route \"" + route.name + "\": " + describe(group) +
                           " fits, method does not (it takes " + route.match.methods.to_string() + ")";
                });
            }
            if (!applies) continue;
            if (method == Method::options) {
                match.outcome = Outcome::options;
                match.allowed.add(Method::options);
                note([] { return std::string("no route takes OPTIONS: the gateway answers with Allow"); });
            } else {
                match.outcome = Outcome::method_not_allowed;
                note([&] {
                    return "the path is known and its routes decide: 405, Allow: " +
                           match.allowed.to_string();
                });
            }
            return true;
        }
        return false;
    }

    template <class Note>
    Match look_up(std::string_view host, Method method, std::string_view path, const wire::HeadLines& lines,
                  Note&& note) const {
        Match match;
        if (path == "*") {  // OPTIONS *: the server as a whole
            match.outcome = Outcome::options;
            match.allowed = MethodSet::all();
            return match;
        }
        if (!host.empty() && (!exact_hosts.empty() || !wildcard_hosts.empty())) {
            std::array<char, 256> storage;  // NOLINT: written before it is read
            const std::string_view name = canonical_host(host, storage);
            if (const auto found = exact_hosts.find(name); found != exact_hosts.end()) {
                note([&] { return "host " + std::string(name) + " has routes of its own"; });
                if (decide(found->second, method, path, lines, match, note)) return match;
            }
            for (const auto& wildcard : wildcard_hosts) {
                if (name.size() <= wildcard.suffix.size() || !name.ends_with(wildcard.suffix)) continue;
                note([&] { return "host " + std::string(name) + " fits *" + wildcard.suffix; });
                if (decide(wildcard.paths, method, path, lines, match, note)) return match;
            }
        }
        if (!decide(any_host, method, path, lines, match, note))
            note([] { return std::string("no route has this path: 404"); });
        return match;
    }
};

RouteTable::RouteTable(std::shared_ptr<const config::Config> config) {
    auto impl = std::make_unique<Impl>();
    for (std::uint32_t i = 0; i < config->routes.size(); ++i) {
        const auto& route = config->routes[i];
        if (route.match.hosts.empty()) impl->any_host.add(route, i);
        for (const auto& host : route.match.hosts) {
            if (!host.starts_with("*.")) {
                impl->exact_hosts[host].add(route, i);
                continue;
            }
            const auto suffix = std::string_view(host).substr(1);
            auto& list = impl->wildcard_hosts;
            auto found =
                std::find_if(list.begin(), list.end(), [&](const auto& w) { return w.suffix == suffix; });
            if (found == list.end()) found = list.insert(list.end(), {std::string(suffix), {}});
            found->paths.add(route, i);
        }
    }
    for (auto& [host, paths] : impl->exact_hosts) paths.compile(config->routes);
    for (auto& wildcard : impl->wildcard_hosts) wildcard.paths.compile(config->routes);
    impl->any_host.compile(config->routes);
    std::stable_sort(impl->wildcard_hosts.begin(), impl->wildcard_hosts.end(),
                     [](const auto& a, const auto& b) { return a.suffix.size() > b.suffix.size(); });
    impl->config = std::move(config);
    impl_ = std::move(impl);
}

RouteTable::~RouteTable() = default;
RouteTable::RouteTable(RouteTable&&) noexcept = default;
RouteTable& RouteTable::operator=(RouteTable&&) noexcept = default;

Match RouteTable::find(std::string_view host, Method method, std::string_view path,
                       const wire::HeadLines& lines) const {
    return impl_->look_up(host, method, path, lines, [](auto&&) {});
}

Match RouteTable::explain(std::string_view host, Method method, std::string_view path,
                          const wire::HeadLines& lines, std::vector<std::string>& why) const {
    return impl_->look_up(host, method, path, lines, [&why](auto&& text) { why.push_back(text()); });
}

}  // namespace gateway::routing
