// (host, method, path, headers) → route. Compiled once for each configuration; lookups do not allocate.
//
// Order: routes whose `hosts` name the host come before "*.suffix" hosts, those before routes for any host;
// within that an exact path before the longest prefix; within that routes with header conditions first (more
// of them first), then the order of the file.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/config/config.hpp"
#include "gateway/wire/head_lines.hpp"
#include "gateway/wire/method.hpp"

namespace gateway::routing {

enum class Outcome : std::uint8_t {
    found,
    not_found,           // 404: no route has this path
    method_not_allowed,  // 405: some route has the path, none with this method
    options,             // OPTIONS that no route takes: answer 204 with Allow
};

struct Match {
    Outcome outcome = Outcome::not_found;
    const config::Route* route = nullptr;  // only with `found`; lives as long as the Config
    std::size_t index = 0;                 // into Config::routes
    wire::MethodSet allowed{};             // methods of all routes with this path, except with `not_found`
};

class RouteTable {
  public:
    // Keeps the configuration alive.
    explicit RouteTable(std::shared_ptr<const config::Config> config);
    ~RouteTable();
    RouteTable(RouteTable&&) noexcept;
    RouteTable& operator=(RouteTable&&) noexcept;

    // `host` without port, any case; `path` canonical (RequestHead::path()); `lines` for header conditions.
    Match find(std::string_view host, wire::Method method, std::string_view path,
               const wire::HeadLines& lines) const;

    // The same, with one line for each rule that was looked at: why it matched or why not.
    Match explain(std::string_view host, wire::Method method, std::string_view path,
                  const wire::HeadLines& lines, std::vector<std::string>& why) const;

  private:
    struct Impl;
    std::unique_ptr<const Impl> impl_;
};

}  // namespace gateway::routing
