// GET /api/auth/users
#include <charconv>

#include "services/auth/api/answers.hpp"
#include "services/auth/api/endpoints.hpp"
#include "shared/base/encoding.hpp"
#include "shared/http/uri.hpp"

namespace auth::api {
namespace {

struct Page {
    store::AccountQuery query;
    std::string filters;  // of this page, to be repeated in the link to the next
    std::vector<shared::json::FieldError> errors;
};

Page read_page(const Request& request) {
    Page page;
    const auto keep = [&](std::string_view name, std::string_view value) {
        page.filters += '&' + std::string(name) + '=' + shared::http::percent_encode(value);
    };
    if (const auto limit = request.query_value("limit")) {
        const auto [end, error] =
            std::from_chars(limit->data(), limit->data() + limit->size(), page.query.limit);
        if (error != std::errc() || end != limit->data() + limit->size() || page.query.limit < 1 ||
            page.query.limit > 200)
            page.errors.push_back({"limit", "Harus bilangan 1 sampai 200"});
    }
    if (const auto after = request.query_value("after")) {
        const auto id = shared::base64url_decode(*after);
        if (!id || id->empty() || id->size() > 64 || !shared::json::valid_utf8(*id))
            page.errors.push_back({"after", "Penanda halaman tidak dikenal"});
        else
            page.query.after = *id;
    }
    if (const auto role = request.query_value("role")) {
        page.query.role = domain::parse_role(*role);
        keep("role", *role);
        if (!page.query.role) page.errors.push_back({"role", "Harus admin, dosen, atau mahasiswa"});
    }
    if (const auto disabled = request.query_value("disabled")) {
        page.query.disabled = *disabled == "true";
        keep("disabled", *disabled);
        if (*disabled != "true" && *disabled != "false")
            page.errors.push_back({"disabled", "Harus true atau false"});
    }
    if (const auto text = request.query_value("q")) {
        page.query.text = *text;
        keep("q", *text);
        if (text->size() > 100) page.errors.push_back({"q", "Terlalu panjang"});
    }
    return page;
}

}  // namespace

Answer list_users(Context& context, Request& request) {
    const Page page = read_page(request);
    if (!page.errors.empty()) co_return shared::http::parameters_invalid(page.errors);
    store::AccountQuery query = page.query;
    ++query.limit;  // one more tells whether there is a next page
    auto accounts = co_await context.database.users().list(std::move(query));
    if (!accounts) co_return store_failure(accounts.error());
    const bool more = accounts->size() > page.query.limit;
    if (more) accounts->resize(page.query.limit);

    shared::json::Writer out;
    out.array([&] {
        for (const auto& account : *accounts) out.object([&] { write_admin_account(out, account); });
    });
    auto response = private_json(200, out.str());
    if (more)
        response.with("Link", "</api/auth/users?limit=" + std::to_string(page.query.limit) +
                                  "&after=" + shared::base64url_encode(accounts->back().id) + page.filters +
                                  ">; rel=\"next\"");
    co_return response;
}

}  // namespace auth::api
