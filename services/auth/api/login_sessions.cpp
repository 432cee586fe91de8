#include "services/auth/api/login_sessions.hpp"

#include "services/auth/api/answers.hpp"
#include "shared/base/random.hpp"

namespace auth::api {

using boost::asio::awaitable;

Response token_answer(Context& context, const domain::Account& account, const domain::Session& session,
                      std::string_view device_token) {
    // Whole seconds, as the token has them: expires_in then never promises more than the token holds.
    const auto now = std::chrono::floor<std::chrono::seconds>(context.clock());
    crypto::AccessClaims claims;
    claims.iss = context.settings.issuer;
    claims.aud = context.settings.audience;
    claims.sub = account.id;
    // Without a role nothing is open but the own account: whoever got a first password from an admin has to
    // replace it.
    if (!account.must_change_password) {
        claims.role = domain::to_string(account.role);
        claims.nim = account.nim;
    }
    claims.sid = session.sid;
    claims.jti = shared::random_id();
    claims.iat = now;
    claims.exp = domain::access_expiry(session, now, context.settings.sessions);

    shared::json::Writer out;
    out.object([&] {
        out.member("access_token", context.keys->signer->sign(claims));
        out.member("token_type", "Bearer");
        out.member("expires_in",
                   std::int64_t{std::chrono::floor<std::chrono::seconds>(claims.exp - now).count()});
        out.member("refresh_token", context.refresh_tokens.mint(session.sid, session.gen));
        if (!device_token.empty()) out.member("device_token", device_token);
        if (account.must_change_password) out.member("must_change_password", true);
    });
    return private_json(200, out.str());
}

domain::Session new_session(const Context& context, const domain::Account& account, const Request& request) {
    domain::Session session;
    session.sid = shared::random_id();
    session.user_id = account.id;
    session.created_at = context.clock();
    session.last_used_at = session.created_at;
    session.expires_at = session.created_at + context.settings.sessions.absolute;
    session.client_address = request.client_address;
    // Header values are bytes; the databases want UTF-8. Both sides see at most 200 of them.
    const auto agent = request.header("User-Agent").substr(0, 200);
    for (const char c : agent) session.user_agent += c >= 0x20 && c < 0x7F ? c : '?';
    return session;
}

awaitable<Result<>> end_session(Context& context, std::string sid, std::string reason) {
    store::EndReason end;
    end.now = context.clock();
    end.until = domain::revoked_until(end.now, context.settings.sessions);
    end.reason = std::move(reason);
    domain::EndedSession ended;
    ended.sid = sid;
    ended.ended_at = end.now;
    ended.until = end.until;
    auto done = co_await context.database.sessions().end(std::move(sid), std::move(end));
    if (done) {
        context.count("sessions_ended", "ok");
        context.feed.add({ended});
    }
    co_return done;
}

awaitable<Result<>> end_all_sessions(Context& context, std::string user_id, std::string except,
                                     std::string reason) {
    store::EndReason end;
    end.now = context.clock();
    end.until = domain::revoked_until(end.now, context.settings.sessions);
    end.reason = std::move(reason);
    domain::EndedSession pattern;
    pattern.ended_at = end.now;
    pattern.until = end.until;
    auto sids =
        co_await context.database.sessions().end_all(std::move(user_id), std::move(except), std::move(end));
    if (!sids) co_return sids.error();
    std::vector<domain::EndedSession> ended;
    for (auto& sid : *sids) {
        ended.push_back(pattern);
        ended.back().sid = std::move(sid);
        context.count("sessions_ended", "ok");
    }
    context.feed.add(ended);
    co_return Result<>();
}

store::AuditRecord audit_record(const Context& context, const Request& request, std::string event,
                                std::string subject) {
    store::AuditRecord record;
    record.at = context.clock();
    record.event = std::move(event);
    record.actor = request.claims ? request.claims->sub : std::string();
    record.subject = std::move(subject);
    record.client_address = request.client_address;
    record.request_id = request.request_id;
    return record;
}

}  // namespace auth::api
