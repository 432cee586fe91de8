// A service's endpoints as one table, from which its router is made and which tests can read.
//
//   constexpr Endpoint<Context> kEndpoints[] = {
//       {"GET", "/api/auth/users", kAdmin, list_users, {.query = "limit after role q"}},
//       {"POST", "/api/auth/login", Access::open(), login, {.body = Body::json, .rate = Rate::sign_in}},
//       {"GET", "/health", Access::open(), health, {.query = kAnyQuery, .before_ready = true}},
//   };
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <functional>
#include <string_view>

#include "shared/http/answers.hpp"
#include "shared/http/router.hpp"

namespace shared::http {

template <class Context>
struct Endpoint {
    std::string_view method;
    std::string_view pattern;
    Access access;
    boost::asio::awaitable<Response> (*handler)(Context&, Request&);
    RouteRules rules{};
};

// The table and `context` must outlive the router. While `ready` says false, every row but those that are
// there `before_ready` answers 503 database_unavailable, after its token and query were looked at.
template <class Context, std::size_t N>
Router make_router(const Endpoint<Context> (&table)[N], Context& context, std::function<bool()> ready = {}) {
    Router router;
    for (const auto& row : table) {
        Handler handler = [&context, &row](Request& request) { return row.handler(context, request); };
        if (ready && !row.rules.before_ready)
            handler = [ready, handler = std::move(handler)](Request& request) {
                return ready() ? handler(request) : not_ready();
            };
        router.add(row.method, row.pattern, row.access, std::move(handler), row.rules);
    }
    return router;
}

}  // namespace shared::http
