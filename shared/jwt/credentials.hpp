// The Authorization field (RFC 9110 section 11.6.2, RFC 6750 section 2.1).
#pragma once

#include <string_view>

namespace shared::jwt {

struct Credentials {
    enum class Kind {
        none,       // no field, or another scheme than Bearer
        malformed,  // Bearer, but not one space and one token
        bearer,
    };
    Kind kind = Kind::none;
    std::string_view token;
};

// The scheme is compared without regard to case; exactly one space follows. Which bytes the token may hold is
// the token reader's business.
Credentials read_credentials(std::string_view authorization);

}  // namespace shared::jwt
