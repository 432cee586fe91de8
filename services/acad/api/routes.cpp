#include "services/acad/api/routes.hpp"

namespace acad::api {
namespace {

Reply not_ready() {
    co_return database_failed(shared::pg::Errc::unavailable);
}

}  // namespace

void Routes::add(std::string_view method, std::string_view pattern, shared::http::Access access,
                 shared::http::Handler handler) {
    router_.add(method, pattern, std::move(access),
                [handler = std::move(handler), &ready = ready_](Request& request) {
                    if (!ready) return not_ready();
                    return handler(request);
                });
}

}  // namespace acad::api
