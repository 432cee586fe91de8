// POST /api/auth/refresh
#include "services/auth/api/answers.hpp"
#include "services/auth/api/endpoints.hpp"
#include "services/auth/api/login_sessions.hpp"
#include "shared/log/log.hpp"

namespace auth::api {
namespace {

using boost::asio::awaitable;
using crypto::RefreshTokens;

Response refused(Context& context, const char* outcome) {
    context.count("refreshes", outcome);
    return unauthorized("invalid_refresh_token", "Sesi sudah berakhir. Silakan masuk lagi");
}

// A replaced token came back: either its owner's or the one that a thief holds, and we cannot tell which. So
// nobody keeps the session (RFC 9700 section 4.14.2).
Answer end_reused(Context& context, Request& request, domain::Session session, std::int64_t gen) {
    auto record = audit_record(context, request, "refresh_token_reused", session.user_id);
    record.detail =
        "sid=" + session.sid + " gen=" + std::to_string(gen) + " current=" + std::to_string(session.gen);
    auto ended = co_await end_session(context, session.sid, "refresh_token_reused", just(std::move(record)));
    context.count("refreshes", "reused");
    if (!ended) co_return store_failure(ended.error());
    co_return unauthorized("refresh_token_reused",
                           "Token ini sudah pernah dipakai, sesi diakhiri demi keamanan. Silakan masuk lagi");
}

// The session has moved on; the account decides what the new token says.
Answer continue_session(Context& context, Request& request, domain::Session session) {
    auto account = co_await context.database.users().find_by_id(session.user_id);
    if (!account) co_return store_failure(account.error());
    // On the list of ended sessions, yet alive: ending it was interrupted halfway. Finish that.
    const bool ended_elsewhere = context.feed.view().contains(session.sid, context.clock());
    if (!*account || !session_current(session, **account) || ended_elsewhere) {
        auto record = audit_record(context, request, "refresh_refused", session.user_id);
        record.detail = "sid=" + session.sid;
        auto ended = co_await end_session(context, session.sid, "account_unusable", just(std::move(record)));
        if (!ended) co_return store_failure(ended.error());
        co_return refused(context, "refused");
    }
    context.count("refreshes", "ok");
    co_return token_answer(context, **account, session);
}

}  // namespace

Answer refresh(Context& context, Request& request) {
    BodyReader body(request);
    if (!body.ok()) co_return std::move(*body.refusal);
    shared::json::TextRule rule;
    rule.max_length = 512;
    const std::string token = body.in->required_text("refresh_token", rule);
    if (!body.finish()) co_return std::move(*body.refusal);
    const std::optional<RefreshTokens::Parts> parts = context.refresh_tokens.read(token);
    if (!parts) {
        auto record = audit_record(context, request, "refresh_token_forged", "");
        co_await context.audit.record(std::move(record));
        co_return refused(context, "forged");
    }

    auto& sessions = context.database.sessions();
    const auto& rules = context.settings.sessions;
    // Each step is one atomic change; if it finds nothing to change we look why, and the session may have
    // moved on once more in between. It only moves forward, so this ends.
    for (int round = 0; round < 4; ++round) {
        const auto now = context.clock();
        auto rotated = co_await sessions.rotate(parts->sid, parts->gen, now, rules);
        if (!rotated) co_return store_failure(rotated.error());
        if (*rotated) {
            co_return co_await continue_session(context, request, std::move(**rotated));
        }
        auto found = co_await sessions.find(parts->sid);
        if (!found) co_return store_failure(found.error());
        switch (domain::classify_refresh(*found, parts->gen, now, rules)) {
            case domain::RefreshCase::rotate:
                continue;
            case domain::RefreshCase::invalid:
                co_return refused(context, "refused");
            case domain::RefreshCase::reuse: {
                co_return co_await end_reused(context, request, std::move(**found), parts->gen);
            }
            case domain::RefreshCase::again:
                context.count("refreshes", "grace");
                co_return co_await continue_session(context, request, std::move(**found));
            case domain::RefreshCase::grace:
                break;
        }
        auto again = co_await sessions.use_grace(parts->sid, parts->gen, now, rules);
        if (!again) co_return store_failure(again.error());
        if (*again) {
            context.count("refreshes", "grace");
            (*again)->gen = parts->gen + 1;  // the successor that it gave then
            co_return co_await continue_session(context, request, std::move(**again));
        }
    }
    co_return shared::http::overloaded("Sesi sedang dipakai bersamaan. Coba lagi sebentar lagi");
}

}  // namespace auth::api
