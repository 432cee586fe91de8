// POST /api/auth/verify (for programs) and GET /api/auth/verify (for nginx's auth_request).
#include "services/auth/api/accounts.hpp"
#include "services/auth/api/answers.hpp"
#include "services/auth/api/endpoints.hpp"
#include "shared/jwt/credentials.hpp"
#include "shared/log/log.hpp"

namespace auth::api {
namespace {

namespace http = shared::http;

struct Checked {
    std::optional<shared::jwt::Claims> claims;
    std::optional<Response> refusal;  // the same as a route with a token gives
    std::string code;
};

Response invalid(const Request& request, std::string_view reason) {
    shared::log::info("token_refused", {{"reason", reason}, {"request_id", request.request_id}});
    auto response = http::problem_response(401, "token_invalid", "Token tidak sah atau sudah kedaluwarsa");
    response.with("WWW-Authenticate", "Bearer realm=\"auth-service\", error=\"invalid_token\"");
    return response;
}

Checked check(const Context& context, const Request& request) {
    Checked checked;
    const auto credentials = shared::jwt::read_credentials(request.header("Authorization"));
    if (credentials.kind == shared::jwt::Credentials::Kind::none) {
        checked.code = "token_missing";
        checked.refusal = unauthorized(checked.code, "Silakan masuk terlebih dahulu");
        return checked;
    }
    auto claims = context.check_token(credentials.token);  // malformed ones have an empty token
    if (claims) {
        checked.claims = std::move(*claims);
        return checked;
    }
    if (claims.error() == shared::jwt::Errc::no_keys ||
        claims.error() == shared::jwt::Errc::sessions_unknown) {
        checked.refusal = http::unavailable("verification_unavailable",
                                            "Token belum dapat diperiksa. Coba lagi sebentar lagi");
        return checked;
    }
    checked.code = "token_invalid";
    checked.refusal = invalid(request, claims.error().message());
    return checked;
}

// The gateway asks the same.
bool fits_headers(const shared::jwt::Claims& claims) {
    return shared::jwt::safe_in_header(claims.sub) && shared::jwt::safe_in_header(claims.role) &&
           shared::jwt::safe_in_header(claims.nim) && shared::jwt::safe_in_header(claims.sid);
}

// A problem document with one member more.
Response not_valid(const Request& request, const Checked& checked) {
    if (checked.refusal->status != 401) return *checked.refusal;
    shared::json::Writer out;
    out.object([&] {
        out.member("valid", false);
        out.member("type", "about:blank");
        out.member("title", "Unauthorized");
        out.member("status", 401);
        out.member("code", checked.code);
        out.member("detail", checked.refusal->problem->detail);
        out.member("instance", request.path);
        out.member("request_id", request.request_id);
    });
    Response response(401);
    response.headers = checked.refusal->headers;
    response.content_type = "application/problem+json";
    response.body = out.str();
    response.with("Cache-Control", "no-store");
    return response;
}

}  // namespace

Answer verify_post(Context& context, Request& request) {
    Checked checked = check(context, request);
    if (checked.refusal) co_return not_valid(request, checked);
    request.claims = checked.claims;
    auto account = co_await own_account(context, request);
    if (!account) {
        checked.code = "token_invalid";
        checked.refusal = account.error();
        co_return not_valid(request, checked);
    }
    shared::json::Writer out;
    out.object([&] {
        out.member("valid", true);
        out.member_object("user", [&] { write_account(out, *account); });
    });
    co_return private_json(200, out.str());
}

// Asked for every request of a protected path, so it touches no database.
Answer verify_get(Context& context, Request& request) {
    const Checked checked = check(context, request);
    if (checked.refusal) co_return *checked.refusal;
    const auto& claims = *checked.claims;
    if (!fits_headers(claims)) co_return invalid(request, "bad_claim_type");
    auto response = http::no_content();
    response.with("X-User-Id", claims.sub);
    response.with("X-User-Role", claims.role);
    response.with("X-User-Nim", claims.nim);
    response.with("X-Session-Id", claims.sid);
    response.with("Cache-Control", "no-store");
    co_return response;
}

}  // namespace auth::api
