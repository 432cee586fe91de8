// Which handler answers a request.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "shared/http/message.hpp"

namespace shared::http {

using Handler = std::function<boost::asio::awaitable<Response>(Request&)>;

// Who may call a route. There is no default: a route says it.
class Access {
  public:
    static Access open() { return Access(Kind::open, {}); }
    static Access any_token() { return Access(Kind::token, {}); }
    static Access roles(std::vector<std::string> roles) { return Access(Kind::roles, std::move(roles)); }

    bool needs_token() const { return kind_ != Kind::open; }
    // True if the role may call the route.
    bool allows(std::string_view role) const;

  private:
    enum class Kind { open, token, roles };
    Access(Kind kind, std::vector<std::string> roles) : kind_(kind), roles_(std::move(roles)) {}
    Kind kind_;
    std::vector<std::string> roles_;
};

// (method, pattern) -> handler. Patterns are segments; "{name}" matches one non-empty segment. A literal
// segment wins over a parameter. GET routes answer HEAD; OPTIONS and 405 carry Allow.
class Router {
  public:
    struct Route {
        std::string method;
        std::string pattern;  // also the metrics label
        Access access;
        Handler handler;
    };

    struct Match {
        const Route* route = nullptr;  // nullptr: 404, or 405 if allow is not empty
        std::vector<std::pair<std::string, std::string>> params;
        std::string allow;  // for OPTIONS and 405
    };

    Router();
    ~Router();
    Router(Router&&) noexcept;

    // Throws std::logic_error for a method and pattern that are there already.
    void add(std::string_view method, std::string_view pattern, Access access, Handler handler);

    // `path` is the target's path as received (still percent-encoded), so that an encoded slash stays inside
    // its segment; `params` are decoded. The caller has checked that the path decodes.
    Match match(std::string_view method, std::string_view path) const;

  private:
    struct Node;
    std::unique_ptr<Node> root_;
};

}  // namespace shared::http
