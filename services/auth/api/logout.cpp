// POST /api/auth/logout
#include "services/auth/api/answers.hpp"
#include "services/auth/api/endpoints.hpp"
#include "services/auth/api/login_sessions.hpp"

namespace auth::api {

Answer logout(Context& context, Request& request) {
    const std::string sid = request.claims->sid;
    if (sid.empty()) co_return shared::http::no_content();  // a token without a session has none to end
    auto record = audit_record(context, request, "logout", request.claims->sub);
    record.detail = "sid=" + sid;
    auto ended = co_await end_session(context, sid, "logout", just(std::move(record)));
    if (!ended) co_return store_failure(ended.error());
    co_return shared::http::no_content();
}

}  // namespace auth::api
