// PATCH /api/auth/users/{id}: role, nim (null unlinks), disabled, password (a new first password).
#include "services/auth/api/accounts.hpp"
#include "services/auth/api/answers.hpp"
#include "services/auth/api/endpoints.hpp"
#include "services/auth/api/login_sessions.hpp"
#include "shared/domain/nim.hpp"
#include "shared/http/etag.hpp"

namespace auth::api {
namespace {

struct Wanted {
    store::AccountPatch patch;
    std::optional<std::string> password;
};

std::optional<Wanted> read_wanted(BodyReader& body) {
    Wanted wanted;
    if (const auto role = body.in->optional_text("role")) {
        wanted.patch.role = domain::parse_role(*role);
        if (!wanted.patch.role) body.in->error("role", "Harus admin, dosen, atau mahasiswa");
    }
    if (const auto nim = body.in->nullable_text("nim")) wanted.patch.nim = *nim;
    wanted.patch.disabled = body.in->optional_boolean("disabled");
    wanted.password = body.in->optional_text("password", password_rule());
    if (!body.finish()) return std::nullopt;
    return wanted;
}

// What was there and what comes, for the audit; and whether tokens that say the old must not live on.
struct Changes {
    bool ends_sessions = false;
    std::vector<std::pair<const char*, std::string>> events;
};

Changes compare(const domain::Account& before, const Wanted& wanted) {
    Changes changes;
    const auto& patch = wanted.patch;
    if (patch.role && *patch.role != before.role) {
        changes.ends_sessions = true;
        changes.events.emplace_back("role_changed", std::string(domain::to_string(before.role)) + " -> " +
                                                        std::string(domain::to_string(*patch.role)));
    }
    if (patch.nim && *patch.nim != before.nim) {
        // A first NIM only adds rights, and comes with the next refresh; another one, or none, takes rights
        // away.
        changes.ends_sessions = changes.ends_sessions || before.nim.has_value();
        changes.events.emplace_back("nim_changed",
                                    before.nim.value_or("-") + " -> " + patch.nim->value_or("-"));
    }
    if (patch.disabled && *patch.disabled != before.disabled) {
        changes.ends_sessions = changes.ends_sessions || *patch.disabled;
        changes.events.emplace_back(*patch.disabled ? "account_disabled" : "account_enabled", "");
    }
    if (wanted.password) {
        changes.ends_sessions = true;
        changes.events.emplace_back("password_reset", "");
    }
    return changes;
}

}  // namespace

Answer patch_user(Context& context, Request& request) {
    BodyReader body(request);
    if (!body.ok()) co_return std::move(*body.refusal);
    auto wanted = read_wanted(body);
    if (!wanted) co_return std::move(*body.refusal);
    auto found = co_await account_by_id(context, request.param("id"));
    if (!found) co_return found.error();
    const auto& before = *found;
    const std::string id = before.id;  // the one spelling of it
    // An admin who demotes or locks out themselves could leave nobody who can undo it.
    const bool own = id == request.claims->sub;
    if (own && (wanted->patch.role || wanted->patch.disabled.value_or(false) || wanted->password)) {
        auto refusal = audit_record(context, request, "account_change_refused", id);
        refusal.detail = "own_account";
        co_await context.audit.record(std::move(refusal));
        co_return shared::http::conflict(
            "own_account", "Peran, status, dan kata sandi akun sendiri tidak dapat diubah di sini");
    }
    if (!shared::http::if_match(request).allows(before.version)) co_return shared::http::stale();
    const auto& nim = wanted->patch.nim;
    // The NIM that the account has may be older than today's rule: sent back as it is, it stays.
    if (nim && *nim && *nim != before.nim && !shared::domain::Nim::parse(**nim))
        co_return shared::http::validation_failed({{"/nim", std::string(shared::domain::Nim::kRule)}});
    if (wanted->password) {
        const domain::PasswordContext about{before.username, before.email,
                                            before.nim ? *before.nim : std::string_view()};
        if (auto refusal =
                password_refusal(*wanted->password, about, context.settings.passwords, "/password"))
            co_return std::move(*refusal);
        auto hashed = co_await context.passwords.hash(*wanted->password, asker(request, id));
        if (!hashed) co_return hashing_busy();
        wanted->patch.password = std::move(*hashed);
        wanted->patch.must_change_password = true;
    }
    const Changes changes = compare(before, *wanted);
    std::optional<store::EndReason> reason;
    if (changes.ends_sessions) {
        wanted->patch.ending = ending_now(context, "account_changed");
        reason = wanted->patch.ending->reason;
    }
    for (const auto& [event, detail] : changes.events) {
        auto record = audit_record(context, request, event, id);
        record.detail = detail;
        wanted->patch.audit.push_back(std::move(record));
    }
    // The version that we compared with still has to be there, or the audit would tell a wrong story.
    auto updated =
        co_await context.database.users().update(id, wanted->patch, before.version, context.clock());
    if (!updated) {
        auto refusal = audit_record(context, request, "account_change_refused", id);
        refusal.detail = updated.error().message();
        co_await context.audit.record(std::move(refusal));
        co_return store_failure(updated.error());
    }
    if (!*updated) co_return account_not_found();
    const auto& account = (*updated)->account;
    for (const auto& record : wanted->patch.audit) log_audit(record);
    if (reason) {
        tell_ended(context, *reason, (*updated)->ended);
    } else {
        // Sent again, perhaps, after it had failed half-way: nothing changes any more, and yet sessions may
        // be left.
        auto ended =
            co_await end_left_sessions(context, id, account.stamp, account.kept_session, "account_changed");
        if (!ended) co_return store_failure(ended.error());
    }
    co_return shared::http::versioned(request, admin_account(200, account), account.version);
}

}  // namespace auth::api
