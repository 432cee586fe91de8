#include "services/auth/api/bearer.hpp"

#include <boost/beast/core/string.hpp>

namespace auth::api {

Bearer bearer_of(const shared::http::Request& request) {
    Bearer bearer;
    bearer.ambiguous = request.headers.count("Authorization") > 1;
    const std::string_view value = request.header("Authorization");
    constexpr std::string_view kScheme = "Bearer ";
    if (value.size() > kScheme.size() && boost::beast::iequals(value.substr(0, kScheme.size()), kScheme))
        bearer.token = value.substr(kScheme.size());
    return bearer;
}

}  // namespace auth::api
