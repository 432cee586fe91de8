// GET /api/auth/me
#include "services/auth/api/accounts.hpp"
#include "services/auth/api/answers.hpp"
#include "services/auth/api/endpoints.hpp"

namespace auth::api {

Answer me(Context& context, Request& request) {
    auto account = co_await own_account(context, request);
    if (!account) co_return account.error();
    shared::json::Writer out;
    out.object([&] {
        write_account(out, *account);
        out.member("created_at", iso_time(account->created_at));
    });
    co_return private_json(200, out.str());
}

}  // namespace auth::api
