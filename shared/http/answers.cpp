#include "shared/http/answers.hpp"

#include "shared/base/random.hpp"

namespace shared::http {

Response private_json(unsigned status, std::string body) {
    return json_response(status, std::move(body)).with("Cache-Control", "no-store");
}

Response not_found(std::string code, std::string detail) {
    return problem_response(404, std::move(code), std::move(detail));
}

Response conflict(std::string code, std::string detail) {
    return problem_response(409, std::move(code), std::move(detail));
}

Response forbidden() {
    return problem_response(403, "forbidden", "Anda tidak berhak mengakses data ini");
}

Response stale() {
    return problem_response(412, "stale_version", "Data sudah diubah orang lain, muat ulang lalu coba lagi");
}

Response overloaded() {
    return overloaded("Layanan sedang sibuk, silakan coba lagi");
}

Response overloaded(std::string detail) {
    const auto jitter = static_cast<unsigned char>(random_bytes(1).front()) % 3U;
    return unavailable("overloaded", std::move(detail), 1 + jitter).with("X-Overloaded", "1");
}

Response database_unavailable() {
    return unavailable("database_unavailable", "Basis data sedang tidak tersedia, silakan coba lagi");
}

Response internal_error() {
    return problem_response(500, "internal_error", "Terjadi kesalahan pada layanan");
}

boost::asio::awaitable<Response> not_ready() {
    co_return database_unavailable();
}

}  // namespace shared::http
