// The locations of an nginx.conf, read as text: enough of nginx's rules to know which one serves a path.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace test {

class NginxLocations {
  public:
    struct Location {
        enum class Kind { exact, prefix, regex } kind = Kind::prefix;
        std::string pattern;
        std::string body;  // what stands between its braces

        bool has(std::string_view directive) const { return body.find(directive) != std::string::npos; }
        bool proxied() const { return has("proxy_pass "); }
        bool asks_for_token() const { return has("auth_request "); }
        bool limited() const { return has("limit_req "); }
    };

    // `text` is the file. Comments are left out; named locations (@name) are not asked for by a path.
    explicit NginxLocations(const std::string& text);

    // nullptr: none. An exact one, else the first regular expression that matches, else the longest prefix.
    const Location* find(const std::string& path) const;
    const std::vector<Location>& all() const { return locations_; }

  private:
    std::vector<Location> locations_;
};

}  // namespace test
