// Which handler answers a request.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "shared/http/access.hpp"
#include "shared/http/message.hpp"
#include "shared/http/route_rules.hpp"

namespace shared::http {

using Handler = std::function<boost::asio::awaitable<Response>(Request&)>;

// (method, pattern) -> handler. Patterns are segments; "{name}" matches one non-empty segment. A literal
// segment wins over a parameter. GET routes answer HEAD; OPTIONS and 405 carry Allow.
class Router {
  public:
    struct Route {
        std::string method;
        std::string pattern;  // also the metrics label
        Access access;
        Handler handler;
        RouteRules rules;
    };

    struct Match {
        const Route* route = nullptr;  // nullptr: 404, or 405 if allow is not empty
        std::vector<std::pair<std::string, std::string>> params;
        std::string allow;  // for OPTIONS and 405
    };

    Router();
    ~Router();
    Router(Router&&) noexcept;

    // Throws std::logic_error for a method and pattern that are there already. Texts in `rules` must outlive
    // the router.
    void add(std::string_view method, std::string_view pattern, Access access, Handler handler,
             RouteRules rules = {});

    // `path` is the target's path as received (still percent-encoded), so that an encoded slash stays inside
    // its segment; `params` are decoded. The caller has checked that the path decodes.
    Match match(std::string_view method, std::string_view path) const;

  private:
    struct Node;
    std::unique_ptr<Node> root_;
};

}  // namespace shared::http
