// The service's route table while its database may not be ready yet.
#pragma once

#include <atomic>

#include "services/acad/api/common.hpp"
#include "shared/http/router.hpp"

namespace acad::api {

class Routes {
  public:
    // Until `ready` (the schema is there) every route answers 503. `ready` must outlive the router.
    Routes(shared::http::Router& router, const std::atomic<bool>& ready) : router_(router), ready_(ready) {}

    void add(std::string_view method, std::string_view pattern, shared::http::Access access,
             shared::http::Handler handler);

  private:
    shared::http::Router& router_;
    const std::atomic<bool>& ready_;
};

}  // namespace acad::api
