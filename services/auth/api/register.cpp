// POST /api/auth/register
#include "services/auth/api/answers.hpp"
#include "services/auth/api/endpoints.hpp"
#include "services/auth/api/login_sessions.hpp"
#include "services/auth/domain/identifiers.hpp"

namespace auth::api {

Answer register_account(Context& context, Request& request) {
    if (!context.settings.registration_open)
        co_return shared::http::problem_response(403, "registration_closed",
                                                 "Pendaftaran ditutup. Hubungi bagian akademik");
    const auto& network = request.client_key;
    if (const auto wait = context.registrations_by_address.blocked(network, context.clock()))
        co_return throttled(*wait);

    BodyReader body(request);
    if (!body.ok()) co_return std::move(*body.refusal);
    store::NewAccount account;
    account.username = read_username(*body.in);
    account.email = read_email(*body.in);
    // An admin may give such a name; nobody takes it.
    if (domain::reserved_username(account.username))
        body.in->error("username", "Nama pengguna ini tidak dapat dipilih sendiri");
    const std::string password = body.in->required_text("password", password_rule());
    if (!body.finish()) co_return std::move(*body.refusal);

    const domain::PasswordContext about{account.username, account.email, ""};
    if (auto refusal = password_refusal(password, about, context.settings.passwords, "/password"))
        co_return std::move(*refusal);

    // Hashing is what a flood of registrations would cost us, so it is charged before.
    context.registrations_by_address.charge(network, context.clock());
    auto hashed = co_await context.passwords.hash(password, asker(request, ""));
    if (!hashed) co_return hashing_busy();
    account.password = std::move(*hashed);

    auto record = audit_record(context, request, "registered", "");
    record.name = account.username;
    account.audit = just(record);
    auto inserted = co_await context.database.users().insert(account, context.clock());
    if (!inserted) {
        context.count("registrations", "refused");
        record.event = "registration_refused";
        record.detail = inserted.error().message();
        co_await context.audit.record(std::move(record));
        co_return store_failure(inserted.error());
    }
    context.count("registrations", "ok");
    record.subject = inserted->id;
    log_audit(record);

    shared::json::Writer out;
    out.object([&] {
        out.member("id", inserted->id);
        out.member("username", inserted->username);
        out.member("email", inserted->email);
        out.member("role", domain::to_string(inserted->role));
    });
    co_return private_json(201, out.str());
}

}  // namespace auth::api
