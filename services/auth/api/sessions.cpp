// GET /api/auth/sessions, DELETE /api/auth/sessions, DELETE /api/auth/sessions/{sid}
#include <algorithm>
#include <charconv>

#include "services/auth/api/accounts.hpp"
#include "services/auth/api/answers.hpp"
#include "services/auth/api/endpoints.hpp"
#include "services/auth/api/login_sessions.hpp"
#include "shared/http/query.hpp"

namespace auth::api {
namespace {

// Beyond it a time in nanoseconds does not fit: nobody's session began then.
constexpr std::int64_t kLatestMs = 9'000'000'000'000;

// Position of a page as the key of its cursor: "<created_at in ms>.<sid>".
std::string to_key(const domain::Session& session) {
    const auto ms = std::chrono::floor<std::chrono::milliseconds>(session.created_at.time_since_epoch());
    return std::to_string(ms.count()) + '.' + session.sid;
}

std::optional<store::SessionPosition> read_position(shared::http::Query& in) {
    const auto key = in.after();
    if (!key) return std::nullopt;
    const auto dot = std::min(key->find('.'), key->size());
    const auto* end = key->data() + dot;
    std::int64_t ms = 0;
    const auto read = std::from_chars(key->data(), end, ms);
    if (dot == key->size() || read.ec != std::errc() || read.ptr != end || ms < 0 || ms > kLatestMs) {
        in.error("after", "kursor tidak sah");
        return std::nullopt;
    }
    return store::SessionPosition{domain::WallTime(std::chrono::milliseconds(ms)), key->substr(dot + 1)};
}

}  // namespace

Answer list_sessions(Context& context, Request& request) {
    const auto& rules = context.settings.sessions;
    shared::http::Query in(request);
    const int limit = in.limit();
    const auto position = read_position(in);
    if (!in.ok()) co_return in.refusal();
    auto sessions = co_await context.database.sessions().list_live(
        request.claims->sub, context.clock(), rules, static_cast<std::size_t>(limit) + 1, position);
    if (!sessions) co_return store_failure(sessions.error());
    const bool more = shared::http::cut_to_page(*sessions, limit);
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
    auto response = private_json(200, out.str());
    if (more) shared::http::next_page(response, request, to_key(sessions->back()));
    co_return response;
}

Answer end_one_session(Context& context, Request& request) {
    const std::string sid = request.param("sid");
    auto session = co_await context.database.sessions().find(sid);
    if (!session) co_return store_failure(session.error());
    // Somebody else's session looks like none at all.
    if (!*session || (*session)->user_id != request.claims->sub)
        co_return shared::http::not_found("session_not_found", "Sesi tidak ditemukan");
    auto record = audit_record(context, request, "session_ended", request.claims->sub);
    record.detail = "sid=" + sid;
    auto ended = co_await end_session(context, sid, "ended_by_owner", just(std::move(record)));
    if (!ended) co_return store_failure(ended.error());
    co_return shared::http::no_content();
}

Answer end_other_sessions(Context& context, Request& request) {
    auto account = co_await own_account(context, request);
    if (!account) co_return account.error();
    auto record = audit_record(context, request, "other_sessions_ended", account->id);
    auto ending = ending_now(context, "ended_by_owner", request.claims->sid);
    co_return co_await end_account_sessions(context, std::move(ending), std::move(record));
}

}  // namespace auth::api
