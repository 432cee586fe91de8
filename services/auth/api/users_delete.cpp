// DELETE /api/auth/users/{id}
#include "services/auth/api/accounts.hpp"
#include "services/auth/api/answers.hpp"
#include "services/auth/api/endpoints.hpp"
#include "services/auth/api/login_sessions.hpp"
#include "shared/http/etag.hpp"

namespace auth::api {

Answer delete_user(Context& context, Request& request) {
    const std::string id = request.param("id");
    if (id == request.claims->sub)
        co_return shared::http::conflict("own_account", "Akun sendiri tidak dapat dihapus");
    const auto versions = shared::http::if_match(request);
    std::optional<std::int64_t> version;
    if (!versions.any) {
        auto account = co_await account_by_id(context, id);
        if (!account) co_return account.error();
        if (!versions.allows(account->version)) co_return shared::http::stale();
        version = account->version;
    }
    const auto removed = co_await context.database.users().remove(id, version);
    if (!removed) co_return store_failure(removed.error());
    if (!*removed) co_return account_not_found();
    context.audit.record(audit_record(context, request, "account_deleted", id));
    // After the account: a login that is under way then finds it gone and ends its own session.
    auto ended = co_await end_all_sessions(context, id, "", "account_deleted");
    if (!ended) co_return store_failure(ended.error());
    co_return shared::http::no_content();
}

}  // namespace auth::api
