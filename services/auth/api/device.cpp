#include "services/auth/api/device.hpp"

#include <algorithm>

#include "shared/base/text.hpp"

namespace auth::api {
namespace {

constexpr std::string_view kCookie = "kampus_device";
constexpr std::string_view kDays400 = "34560000";  // the longest that browsers keep one

}  // namespace

std::string_view device_cookie(const shared::http::Request& request) {
    std::string_view rest = request.header("Cookie");
    while (!rest.empty()) {
        const auto end = std::min(rest.find(';'), rest.size());
        const auto pair = shared::trim(rest.substr(0, end));
        const auto equals = std::min(pair.find('='), pair.size());
        if (pair.substr(0, equals) == kCookie && equals < pair.size()) return pair.substr(equals + 1);
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return {};
}

void set_device_cookie(const shared::http::Request& request, shared::http::Response& response,
                       std::string_view token) {
    std::string cookie = std::string(kCookie) + '=' + std::string(token) +
                         "; Path=/api/auth; Max-Age=" + std::string(kDays400) + "; HttpOnly; SameSite=Strict";
    if (request.header("X-Forwarded-Proto") == "https") cookie += "; Secure";
    response.with("Set-Cookie", std::move(cookie));
}

}  // namespace auth::api
