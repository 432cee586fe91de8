// POST /api/auth/users: an account with a first password, which its owner has to replace before anything
// else.
#include "services/auth/api/answers.hpp"
#include "services/auth/api/endpoints.hpp"
#include "services/auth/api/login_sessions.hpp"
#include "shared/http/etag.hpp"

namespace auth::api {

Answer create_user(Context& context, Request& request) {
    BodyReader body(request);
    if (!body.ok()) co_return std::move(*body.refusal);
    store::NewAccount account;
    account.username = read_username(*body.in);
    account.email = read_email(*body.in);
    const std::string password = body.in->required_text("password", password_rule());
    const auto role = body.in->optional_text("role");
    if (role) {
        account.role = domain::parse_role(*role).value_or(domain::Role::mahasiswa);
        if (!domain::parse_role(*role)) body.in->error("role", "Harus admin, dosen, atau mahasiswa");
    }
    const auto nim = body.in->nullable_text("nim");
    if (nim) account.nim = checked_nim(*body.in, *nim);
    if (!body.finish()) co_return std::move(*body.refusal);

    const domain::PasswordContext about{account.username, account.email,
                                        account.nim ? *account.nim : std::string_view()};
    if (auto refusal = password_refusal(password, about, context.settings.passwords, "/password"))
        co_return std::move(*refusal);
    auto hashed = co_await context.passwords.hash(password, asker(request, ""));
    if (!hashed) co_return hashing_busy();
    account.password = std::move(*hashed);
    account.must_change_password = true;

    auto record = audit_record(context, request, "account_created", "");
    record.name = account.username;
    record.detail = "role=" + std::string(domain::to_string(account.role));
    account.audit = just(record);
    auto inserted = co_await context.database.users().insert(std::move(account), context.clock());
    if (!inserted) {
        record.event = "account_creation_refused";
        record.detail = inserted.error().message();
        co_await context.audit.record(std::move(record));
        co_return store_failure(inserted.error());
    }
    record.subject = inserted->id;
    log_audit(record);
    auto response = shared::http::versioned(request, admin_account(201, *inserted), inserted->version);
    response.with("Location", "/api/auth/users/" + inserted->id);
    co_return response;
}

}  // namespace auth::api
