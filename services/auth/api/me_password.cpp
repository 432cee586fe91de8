// PUT /api/auth/me/password
#include "services/auth/api/accounts.hpp"
#include "services/auth/api/answers.hpp"
#include "services/auth/api/attempts.hpp"
#include "services/auth/api/endpoints.hpp"
#include "services/auth/api/login_sessions.hpp"
#include "services/auth/domain/unicode.hpp"

namespace auth::api {
namespace {

// The token that asked has no role: new ones with the answer. The password is replaced, so whatever is in the
// way of them is no failure; the session's next refresh gives them too.
Answer renewed_tokens(Context& context, const shared::jwt::Claims& claims) {
    auto& sessions = context.database.sessions();
    auto session = co_await sessions.find(claims.sid);
    if (!session || !*session) co_return shared::http::no_content();
    auto rotated =
        co_await sessions.rotate(claims.sid, (*session)->gen, context.clock(), context.settings.sessions);
    if (!rotated || !*rotated) co_return shared::http::no_content();
    auto account = co_await context.database.users().find_by_id(claims.sub);
    if (!account || !*account || !session_current(**rotated, **account)) co_return shared::http::no_content();
    co_return token_answer(context, **account, **rotated);
}

}  // namespace

Answer change_password(Context& context, Request& request) {
    BodyReader body(request);
    if (!body.ok()) co_return std::move(*body.refusal);
    const std::string current = body.in->required_text("current_password", password_rule());
    const std::string wanted = body.in->required_text("new_password", password_rule());
    if (!body.finish()) co_return std::move(*body.refusal);

    auto found = co_await own_account(context, request);
    if (!found) co_return found.error();
    const auto& account = *found;

    // What costs nothing first: a new password that is refused costs no hash of the old one.
    const domain::PasswordContext about{account.username, account.email,
                                        account.nim ? *account.nim : std::string_view()};
    if (auto refusal = password_refusal(wanted, about, context.settings.passwords, "/new_password"))
        co_return std::move(*refusal);
    if (domain::to_nfc(wanted) == domain::to_nfc(current))
        co_return weak_password("/new_password", "Kata sandi baru harus berbeda dari yang lama");

    auto& changes = context.password_changes_by_account;
    if (const auto wait = changes.blocked(account.id, context.clock())) co_return throttled(*wait);
    changes.charge(account.id, context.clock());
    // Whoever holds a stolen access token must not be able to guess here faster than at login; whoever
    // guesses at login must not keep the owner from changing it here.
    auto attempt = co_await attempt_password(context, request, *found, session_budgets(account), current);
    if (attempt.refusal) co_return std::move(*attempt.refusal);
    auto record = audit_record(context, request, "password_change_refused", account.id);
    if (!attempt.proved) {
        co_await context.audit.record(std::move(record));
        co_return shared::http::problem_response(403, "wrong_current_password", "Kata sandi saat ini salah");
    }

    if (domain::first_password_expired(account, context.clock(), context.settings.first_password_life)) {
        record.detail = "first_password_expired";
        co_await context.audit.record(std::move(record));
        co_return first_password_refused();
    }

    auto hashed = co_await context.passwords.hash(wanted, asker(request, account.id));
    if (!hashed) co_return hashing_busy();
    store::AccountPatch patch;
    patch.password = std::move(*hashed);
    patch.must_change_password = false;
    // This session goes on; the others end with the change.
    patch.ending = ending_now(context, "password_changed", request.claims->sid);
    record.event = "password_changed";
    patch.audit = just(record);
    const auto reason = patch.ending->reason;
    auto replaced = co_await context.database.users().replace_password(account.id, account.password.hash,
                                                                       std::move(patch), context.clock());
    if (!replaced) co_return store_failure(replaced.error());
    if (!*replaced)
        co_return shared::http::conflict("password_changed_meanwhile",
                                         "Kata sandi baru saja diganti dari tempat lain");
    log_audit(record);
    tell_ended(context, reason, (*replaced)->ended);
    if (!account.must_change_password) co_return shared::http::no_content();
    co_return co_await renewed_tokens(context, *request.claims);
}

}  // namespace auth::api
