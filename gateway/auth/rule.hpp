// What a route asks of a caller. There is no default on purpose: the configuration must say it for each
// route.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace gateway::auth {

// "The claim must equal what the request asks for": a mahasiswa may ask for her own nim only.
struct OwnClaim {
    enum class Source : std::uint8_t {
        query,  // a query parameter, percent-decoded; absent: allowed unless `required`; twice: refused
        path_segment,  // a segment of the canonical path, percent-decoded; "/a/b" has segments 0 "a" and 1
                       // "b"
    };
    std::string claim;  // e.g. "nim"
    Source source = Source::query;
    std::string parameter;  // Source::query: the parameter's name
    std::size_t segment = 0;
    bool required = false;
    std::vector<std::string> unless_roles;  // callers with one of these roles are not compared
};

struct AuthRule {
    bool is_public = false;           // no token is looked at, and no identity is passed on
    std::vector<std::string> roles;   // one of these; empty: any
    std::vector<std::string> scopes;  // all of these
    std::vector<OwnClaim> own;        // each must hold
};

}  // namespace gateway::auth
