// The device that a request comes from: its token, in the body or in a cookie.
#pragma once

#include <string>
#include <string_view>

#include "services/auth/api/context.hpp"
#include "shared/http/message.hpp"

namespace auth::api {

// The value of the device's cookie; empty: none.
std::string_view device_cookie(const shared::http::Request& request);
void set_device_cookie(const shared::http::Request& request, shared::http::Response& response,
                       std::string_view token);

}  // namespace auth::api
