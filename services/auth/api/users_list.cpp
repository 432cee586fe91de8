// GET /api/auth/users
#include "services/auth/api/answers.hpp"
#include "services/auth/api/endpoints.hpp"
#include "shared/http/query.hpp"

namespace auth::api {

Answer list_users(Context& context, Request& request) {
    shared::http::Query in(request);
    store::AccountQuery query;
    const int limit = in.limit();
    query.after = in.after().value_or("");
    query.role = in.parsed("role", domain::parse_role, "Harus admin, dosen, atau mahasiswa");
    query.disabled = in.boolean("disabled");
    query.text = in.text("q", 100).value_or("");
    if (!in.ok()) co_return in.refusal();
    query.limit = static_cast<std::size_t>(limit) + 1;  // one more tells whether there is a next page
    auto accounts = co_await context.database.users().list(std::move(query));
    if (!accounts) co_return store_failure(accounts.error());
    const bool more = shared::http::cut_to_page(*accounts, limit);

    shared::json::Writer out;
    out.array([&] {
        for (const auto& account : *accounts) out.object([&] { write_admin_account(out, account); });
    });
    auto response = private_json(200, out.str());
    if (more) shared::http::next_page(response, request, accounts->back().id);
    co_return response;
}

}  // namespace auth::api
