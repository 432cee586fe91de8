// DELETE /api/auth/users/{id}
#include "services/auth/api/accounts.hpp"
#include "services/auth/api/answers.hpp"
#include "services/auth/api/endpoints.hpp"
#include "services/auth/api/login_sessions.hpp"
#include "shared/http/etag.hpp"

namespace auth::api {

Answer delete_user(Context& context, Request& request) {
    const auto versions = shared::http::if_match(request);
    auto account = co_await account_by_id(context, request.param("id"));
    if (!account) {
        // Deleted already, by a call perhaps that failed half-way.
        auto ended =
            co_await end_left_sessions(context, request.param("id"), std::nullopt, "", "account_deleted");
        if (!ended) co_return store_failure(ended.error());
        co_return account.error();
    }
    const std::string id = account->id;  // the one spelling of it
    if (id == request.claims->sub) {
        auto refusal = audit_record(context, request, "account_deletion_refused", id);
        refusal.detail = "own_account";
        co_await context.audit.record(std::move(refusal));
        co_return shared::http::conflict("own_account", "Akun sendiri tidak dapat dihapus");
    }
    std::optional<std::int64_t> version;
    if (!versions.any) {
        if (!versions.allows(account->version)) co_return shared::http::stale();
        version = account->version;
    }
    auto record = audit_record(context, request, "account_deleted", id);
    record.name = account->username;
    const auto ending = ending_now(context, "account_deleted");
    const auto removed = co_await context.database.users().remove(id, version, ending, just(record));
    if (!removed) {
        record.event = "account_deletion_refused";
        record.detail = removed.error().message();
        co_await context.audit.record(std::move(record));
        co_return store_failure(removed.error());
    }
    if (!*removed) co_return account_not_found();
    log_audit(record);
    tell_ended(context, ending.reason, **removed);
    co_return shared::http::no_content();
}

}  // namespace auth::api
