#include "shared/http/admission.hpp"

#include "shared/http/query.hpp"
#include "shared/jwt/credentials.hpp"
#include "shared/log/log.hpp"

namespace shared::http {
namespace {

std::optional<Response> check_query(const Request& request, const RouteRules& rules) {
    if (rules.query == kAnyQuery) return std::nullopt;
    auto errors = unexpected_parameters(request, rules.query);
    if (errors.empty()) return std::nullopt;
    return parameters_invalid(std::move(errors));
}

std::optional<Response> check_token(const ServerState& state, Request& request, const Access& access) {
    const auto challenge = "Bearer realm=\"" + state.options.service + "\"";
    const auto credentials = jwt::read_credentials(request.header("Authorization"));
    if (credentials.kind == jwt::Credentials::Kind::none)
        return problem_response(401, "token_missing", "Silakan masuk terlebih dahulu")
            .with("WWW-Authenticate", challenge);
    auto claims = state.check(credentials.token);  // malformed ones have an empty token
    if (!claims) {
        if (claims.error() == jwt::Errc::no_keys || claims.error() == jwt::Errc::sessions_unknown)
            return unavailable("keys_unavailable", "Pemeriksaan token sedang tidak tersedia");
        log::info("token_refused",
                  {{"reason", claims.error().message()}, {"request_id", request.request_id}});
        return problem_response(401, "token_invalid", "Token tidak sah atau sudah kedaluwarsa")
            .with("WWW-Authenticate", challenge + ", error=\"invalid_token\"");
    }
    if (!access.allows(claims->role))
        return problem_response(403, "forbidden", "Anda tidak berhak mengakses data ini")
            .with("WWW-Authenticate", challenge + ", error=\"insufficient_scope\"");
    request.claims = std::move(*claims);
    return std::nullopt;
}

}  // namespace

std::optional<Response> refuse(const ServerState& state, Request& request, const Router::Match& match) {
    if (match.route == nullptr) {
        if (match.allow.empty()) return problem_response(404, "not_found", "Alamat tidak ditemukan");
        if (request.method == "OPTIONS") return no_content().with("Allow", match.allow);
        return problem_response(405, "method_not_allowed", "Metode tidak didukung untuk alamat ini")
            .with("Allow", match.allow);
    }
    if (match.route->access.needs_token()) {
        auto refusal = check_token(state, request, match.route->access);
        if (refusal) return refusal;
    }
    return check_query(request, match.route->rules);
}

std::optional<Response> check_content_type(const Request& request, const RouteRules& rules) {
    const auto accepted =
        rules.body == Body::json ? std::string_view("application/json") : rules.content_type;
    if (accepted.empty() || has_media_type(request.header("Content-Type"), accepted)) return std::nullopt;
    return unsupported_media_type(accepted);
}

}  // namespace shared::http
