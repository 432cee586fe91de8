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
    session.stamp = account.stamp;
    session.created_at = context.clock();
    session.last_used_at = session.created_at;
    session.expires_at = session.created_at + context.settings.sessions.absolute;
    session.client_address = request.client_address;
    // Header values are bytes; the databases want UTF-8. Both sides see at most 200 of them.
    const auto agent = request.header("User-Agent").substr(0, 200);
    for (const char c : agent) session.user_agent += c >= 0x20 && c < 0x7F ? c : '?';
    return session;
}

store::Ending ending_now(const Context& context, std::string reason, std::string kept) {
    store::Ending ending;
    ending.reason.now = context.clock();
    ending.reason.until = domain::revoked_until(ending.reason.now, context.settings.sessions);
    ending.reason.reason = std::move(reason);
    ending.kept = std::move(kept);
    return ending;
}

void tell_ended(Context& context, const store::EndReason& reason, const std::vector<std::string>& sids) {
    std::vector<domain::EndedSession> ended;
    for (const auto& sid : sids) {
        ended.push_back({sid, reason.now, reason.until});
        context.count("sessions_ended", "ok");
    }
    context.feed.add(ended);
}

awaitable<Result<>> end_session(Context& context, std::string sid, std::string reason,
                                store::AuditRecords audit) {
    const auto ending = ending_now(context, std::move(reason));
    const std::vector<std::string> sids{sid};
    for (const auto& record : audit) log_audit(record);
    auto done = co_await context.database.sessions().end(std::move(sid), ending.reason, std::move(audit));
    if (done) tell_ended(context, ending.reason, sids);
    co_return done;
}

awaitable<Result<>> end_left_sessions(Context& context, std::string user_id,
                                      std::optional<std::int64_t> below, std::string kept,
                                      std::string reason) {
    const auto ending = ending_now(context, std::move(reason), std::move(kept));
    auto sids = co_await context.database.sessions().end_all(std::move(user_id), below, ending);
    if (!sids) co_return sids.error();
    tell_ended(context, ending.reason, *sids);
    co_return Result<>();
}

awaitable<Response> end_account_sessions(Context& context, store::Ending ending, store::AuditRecord record) {
    const auto reason = ending.reason;
    store::AccountPatch patch;
    patch.ending = std::move(ending);
    patch.audit = just(record);
    auto updated = co_await context.database.users().update(record.subject, std::move(patch), std::nullopt,
                                                            context.clock());
    if (!updated) co_return store_failure(updated.error());
    if (!*updated) co_return account_not_found();
    log_audit(record);
    tell_ended(context, reason, (*updated)->ended);
    co_return shared::http::no_content();
}

crypto::Asker asker(const Request& request, std::string account) {
    return {request.client_key, std::move(account)};
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
