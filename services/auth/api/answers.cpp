#include "services/auth/api/answers.hpp"

#include <array>
#include <ctime>

#include "services/auth/domain/identifiers.hpp"
#include "services/auth/domain/unicode.hpp"
#include "shared/domain/nim.hpp"

namespace auth::api {
namespace http = shared::http;

Response store_failure(const shared::ErrorCode& error) {
    switch (store::to_errc(error)) {
        case store::Errc::unavailable:
            return http::database_unavailable();
        case store::Errc::busy:
            return http::overloaded();
        case store::Errc::username_taken:
            return http::conflict("username_taken", "Nama pengguna sudah dipakai");
        case store::Errc::email_taken:
            return http::conflict("email_taken", "Alamat email sudah dipakai");
        case store::Errc::nim_taken:
            return http::conflict("nim_taken", "NIM sudah terhubung dengan akun lain");
        case store::Errc::last_admin:
            return http::conflict("last_admin", "Harus ada admin lain yang aktif");
        case store::Errc::version_conflict:
            return http::stale();
        case store::Errc::failed:
            break;
    }
    return http::internal_error();
}

Response hashing_busy() {
    return http::overloaded("Terlalu banyak orang masuk bersamaan. Coba lagi sebentar lagi");
}

Response first_password_refused() {
    return unauthorized("first_password_expired",
                        "Kata sandi awal sudah kedaluwarsa. Mintalah yang baru kepada admin");
}

Response throttled(std::chrono::seconds retry_after) {
    auto response = http::problem_response(
        429, "too_many_attempts",
        "Terlalu banyak percobaan. Coba lagi dalam " + std::to_string(retry_after.count()) + " detik");
    response.with("Retry-After", std::to_string(retry_after.count()));
    return response;
}

Response unauthorized(std::string code, std::string detail) {
    auto response = http::problem_response(401, std::move(code), std::move(detail));
    response.with("WWW-Authenticate", "Bearer realm=\"auth-service\"");
    return response;
}

Response account_not_found() {
    return http::not_found("account_not_found", "Akun tidak ditemukan");
}

std::string iso_time(shared::WallTime time) {
    const std::time_t seconds =
        std::chrono::system_clock::to_time_t(std::chrono::floor<std::chrono::seconds>(time));
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    std::array<char, 32> text{};
    const auto length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
    return std::string(text.data(), length);
}

namespace {

void write_names(shared::json::Writer& out, const domain::Account& account) {
    out.member("id", account.id);
    out.member("username", account.username);
    out.member("email", account.email);
}

}  // namespace

void write_account(shared::json::Writer& out, const domain::Account& account) {
    write_names(out, account);
    const bool due = account.must_change_password;
    out.member("role", due ? std::nullopt : std::optional(std::string(domain::to_string(account.role))));
    out.member("nim", due ? std::nullopt : account.nim);
    if (due) out.member("must_change_password", true);
}

void write_admin_account(shared::json::Writer& out, const domain::Account& account) {
    write_names(out, account);
    out.member("role", domain::to_string(account.role));
    out.member("nim", account.nim);
    out.member("disabled", account.disabled);
    out.member("must_change_password", account.must_change_password);
    out.member("created_at", iso_time(account.created_at));
    out.member("updated_at", iso_time(account.updated_at));
}

Response admin_account(unsigned status, const domain::Account& account) {
    shared::json::Writer out;
    out.object([&] { write_admin_account(out, account); });
    return private_json(status, out.str());
}

std::string read_username(shared::json::ObjectReader& in) {
    shared::json::TextRule rule;
    rule.max_length = domain::kUsernameMax;
    auto username = in.required_text("username", rule);
    if (!username.empty())
        if (auto problem = domain::username_problem(username)) in.error("username", *problem);
    return username;
}

std::string read_email(shared::json::ObjectReader& in) {
    shared::json::TextRule rule;
    rule.max_length = domain::kEmailMax;
    auto email = in.required_text("email", rule);
    if (!email.empty())
        if (auto problem = domain::email_problem(email)) in.error("email", *problem);
    return email;
}

std::optional<std::string> checked_nim(shared::json::ObjectReader& in, std::optional<std::string> nim) {
    if (nim)
        if (!shared::domain::Nim::parse(*nim)) in.error("nim", std::string(shared::domain::Nim::kRule));
    return nim;
}

shared::json::TextRule password_rule() {
    shared::json::TextRule rule;
    rule.max_length =
        1024;  // the policy's limit gives the better message; old passwords may be longer than it
    return rule;
}

Response weak_password(std::string pointer, std::string detail) {
    http::Problem problem;
    problem.status = 422;
    problem.code = "weak_password";
    problem.detail = detail;
    problem.errors.push_back({std::move(pointer), std::move(detail)});
    return http::problem_response(std::move(problem));
}

std::optional<Response> password_refusal(const std::string& password, const domain::PasswordContext& about,
                                         const domain::PasswordRules& rules, std::string pointer) {
    const auto normalized = domain::to_nfc(password).value_or(password);
    auto problem = domain::password_problem(normalized, about, rules);
    if (!problem) return std::nullopt;
    return weak_password(std::move(pointer), std::move(*problem));
}

}  // namespace auth::api
