// GET /api/auth/sessions, DELETE /api/auth/sessions, DELETE /api/auth/sessions/{sid}
#include "services/auth/api/answers.hpp"
#include "services/auth/api/endpoints.hpp"
#include "services/auth/api/issue.hpp"

namespace auth::api {

Answer list_sessions(Context& context, Request& request) {
    const auto& rules = context.settings.sessions;
    auto sessions = co_await context.database.sessions().list_live(request.claims->sub, context.clock(),
                                                                   rules, 200);
    if (!sessions) co_return store_failure(sessions.error());
    shared::json::Writer out;
    out.array([&] {
        for (const auto& session : *sessions) {
            out.object([&] {
                out.member("sid", session.sid);
                out.member("created_at", iso_time(session.created_at));
                out.member("last_used_at", iso_time(session.last_used_at));
                out.member("expires_at", iso_time(std::min<shared::WallTime>(
                                             session.expires_at, session.last_used_at + rules.idle)));
                out.member("client_address", session.client_address);
                out.member("user_agent", session.user_agent);
                out.member("current", session.sid == request.claims->sid);
            });
        }
    });
    co_return private_json(200, out.str());
}

Answer end_one_session(Context& context, Request& request) {
    const std::string sid = request.param("sid");
    auto session = co_await context.database.sessions().find(sid);
    if (!session) co_return store_failure(session.error());
    // Somebody else's session looks like none at all.
    if (!*session || (*session)->user_id != request.claims->sub)
        co_return shared::http::problem_response(404, "session_not_found", "Sesi tidak ditemukan");
    auto ended = co_await end_session(context, sid, "ended_by_owner");
    if (!ended) co_return store_failure(ended.error());
    auto record = audit_record(context, request, "session_ended", request.claims->sub);
    record.detail = "sid=" + sid;
    context.audit.record(std::move(record));
    co_return shared::http::no_content();
}

Answer end_other_sessions(Context& context, Request& request) {
    auto ended =
        co_await end_all_sessions(context, request.claims->sub, request.claims->sid, "ended_by_owner");
    if (!ended) co_return store_failure(ended.error());
    context.audit.record(audit_record(context, request, "other_sessions_ended", request.claims->sub));
    co_return shared::http::no_content();
}

}  // namespace auth::api
