// The token of a request whose endpoint checks it itself.
#pragma once

#include <optional>
#include <string_view>

#include "shared/http/message.hpp"

namespace auth::api {

struct Bearer {
    std::string_view token;  // empty: no credentials, or not of this scheme
    bool ambiguous = false;  // two Authorization headers: 400
};

// "Authorization: Bearer <token>" (RFC 6750 section 2.1), the scheme in any case.
Bearer bearer_of(const shared::http::Request& request);

}  // namespace auth::api
