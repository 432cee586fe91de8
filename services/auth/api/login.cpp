// POST /api/auth/login
#include "services/auth/api/answers.hpp"
#include "services/auth/api/attempts.hpp"
#include "services/auth/api/device.hpp"
#include "services/auth/api/endpoints.hpp"
#include "services/auth/api/login_sessions.hpp"
#include "services/auth/crypto/mac.hpp"
#include "services/auth/domain/identifiers.hpp"
#include "shared/base/encoding.hpp"
#include "shared/log/log.hpp"

namespace auth::api {
namespace {

using boost::asio::awaitable;

struct Credentials {
    std::string name;  // user name or e-mail address as given
    bool by_email = false;
    std::string password;
    std::string device_token;  // of this device's last login
};

// What nobody is called may be a password typed into the wrong field: enough is kept to see the same one
// again.
std::string unknown_name(const Context& context, std::string_view name) {
    const auto key = crypto::hmac_sha256(context.settings.refresh_key, "kampus audit name v1");
    const auto mac = crypto::hmac_sha256(key, domain::username_key(name));
    return "hmac:" + shared::base64url_encode(std::string_view(mac).substr(0, 16));
}

// One answer for an unknown name, a wrong password and a disabled account.
Response refused(Context& context) {
    context.count("logins", "refused");
    return unauthorized("invalid_credentials", "Nama pengguna, email, atau kata sandi salah");
}

std::optional<Credentials> read_credentials(BodyReader& body, const Request& request) {
    shared::json::TextRule rule;
    rule.max_length = domain::kEmailMax;
    const auto username = body.in->optional_text("username", rule);
    const auto email = body.in->optional_text("email", rule);
    Credentials credentials;
    credentials.password = body.in->required_text("password", password_rule());
    shared::json::TextRule token;
    token.max_length = 512;
    credentials.device_token =
        body.in->optional_text("device_token", token).value_or(std::string(device_cookie(request)));
    if (username.has_value() == email.has_value() && body.errors.empty())
        body.in->error("username", "Isi salah satu: nama pengguna atau email");
    if (!body.finish()) return std::nullopt;
    credentials.by_email = !username;
    credentials.name = username ? *username : *email;
    return credentials;
}

awaitable<Result<std::optional<domain::Account>>> account_named(Context& context,
                                                                const Credentials& credentials) {
    auto& users = context.database.users();
    if (!credentials.by_email) {
        const auto found = co_await users.find_by_username(credentials.name);
        // One field for both is common in forms; no user name that is made today contains an '@'.
        if (!found || *found || credentials.name.find('@') == std::string::npos) co_return found;
    }
    co_return co_await users.find_by_email(credentials.name);
}

// Old parameters, bcrypt, no pepper yet: this is the one moment when we hold the password. Never delays a
// refusal and never fails a login.
awaitable<void> renew_hash(Context& context, const Request& request, const domain::Account& account,
                           std::string password) {
    auto hashed = co_await context.passwords.hash(std::move(password), asker(request, account.id));
    if (!hashed) co_return;
    store::AccountPatch patch;
    patch.password = std::move(*hashed);
    auto replaced = co_await context.database.users().replace_password(account.id, account.password.hash,
                                                                       std::move(patch), context.clock());
    if (replaced && *replaced) shared::log::info("password_rehashed", {{"subject", account.id}});
}

awaitable<Result<>> ask_for_new_password(Context& context, const domain::Account& account) {
    store::AccountPatch patch;
    patch.must_change_password = true;
    auto updated =
        co_await context.database.users().update(account.id, std::move(patch), std::nullopt, context.clock());
    if (!updated) co_return updated.error();
    shared::log::info("password_longer_than_bcrypt_saw", {{"subject", account.id}});
    co_return Result<>();
}

}  // namespace

Answer login(Context& context, Request& request) {
    BodyReader body(request);
    if (!body.ok()) co_return std::move(*body.refusal);
    const auto credentials = read_credentials(body, request);
    if (!credentials) co_return std::move(*body.refusal);

    auto found = co_await account_named(context, *credentials);
    if (!found) co_return store_failure(found.error());
    const auto& account = *found;

    auto record = audit_record(context, request, "login_refused", account ? account->id : std::string());
    record.name = account ? credentials->name : unknown_name(context, credentials->name);
    auto budgets = login_budgets(context, account, credentials->name, credentials->device_token);
    auto attempt =
        co_await attempt_password(context, request, account, std::move(budgets), credentials->password);
    if (attempt.refusal) {
        if (attempt.refusal->status == 429) {
            context.count("logins", "throttled");
            record.event = "login_throttled";
            co_await context.audit.record(std::move(record));
        }
        co_return std::move(*attempt.refusal);
    }
    if (!attempt.proved) {
        record.detail = !account ? "unknown_name" : account->disabled ? "disabled" : "wrong_password";
        co_await context.audit.record(std::move(record));
        co_return refused(context);
    }
    if (domain::first_password_expired(*account, context.clock(), context.settings.first_password_life)) {
        record.detail = "first_password_expired";
        co_await context.audit.record(std::move(record));
        context.count("logins", "refused");
        co_return first_password_refused();
    }
    if (attempt.outdated) {
        co_await renew_hash(context, request, *account, credentials->password);
    }
    if (attempt.truncated && !account->must_change_password) {
        auto asked = co_await ask_for_new_password(context, *account);
        if (!asked) co_return store_failure(asked.error());
        (*found)->must_change_password = true;
    }

    const domain::Session session = new_session(context, *account, request);
    auto accepted = record;
    accepted.event = "login_succeeded";
    accepted.actor = account->id;
    accepted.detail = "sid=" + session.sid;
    auto inserted = co_await context.database.sessions().insert(session, just(accepted));
    if (!inserted) co_return store_failure(inserted.error());
    // Somebody has changed the password, disabled or deleted the account since we read it.
    if (!*inserted) {
        record.detail = "account_changed";
        co_await context.audit.record(std::move(record));
        co_return refused(context);
    }
    context.count("logins", "ok");
    log_audit(accepted);
    const auto device = context.device_tokens.remember(credentials->device_token, account->id);
    auto answer = token_answer(context, *account, session, device);
    set_device_cookie(request, answer, device);
    co_return answer;
}

}  // namespace auth::api
