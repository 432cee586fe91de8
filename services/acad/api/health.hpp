// What operators ask: is it up, and how busy is it. Open, and never routed by the gateway.
#pragma once

#include <atomic>
#include <functional>

#include "services/acad/api/common.hpp"
#include "shared/http/router.hpp"
#include "shared/keys/key_source.hpp"
#include "shared/metrics/metrics.hpp"

namespace acad::api {

class Health {
  public:
    // `migrated`: the schema is there. `stopping`: SIGTERM has come. Without `keys`, or before ended sessions
    // have been learned once (`sessions_known`), no token can be judged. All must outlive the router.
    Health(shared::pg::Pool& pool, shared::metrics::Registry& metrics, const std::atomic<bool>& migrated,
           const bool& stopping, const shared::keys::KeySource& keys, std::function<bool()> sessions_known);
    void routes(shared::http::Router& router);

  private:
    // 200 while requests should come here.
    Reply health(Request& request);
    // 200 while the process serves at all: a restart would not bring a database back.
    Reply live(Request& request);
    Reply metrics(Request& request);

    shared::pg::Pool& pool_;
    shared::metrics::Registry& metrics_;
    const std::atomic<bool>& migrated_;
    const bool& stopping_;
    const shared::keys::KeySource& keys_;
    std::function<bool()> sessions_known_;
};

}  // namespace acad::api
