// What every handler has at hand.
#pragma once

#include <functional>

#include "services/acad/store/impor.hpp"
#include "services/acad/store/krs.hpp"
#include "services/acad/store/periode.hpp"
#include "services/acad/store/records.hpp"
#include "services/acad/store/skala.hpp"
#include "services/acad/store/studi.hpp"
#include "shared/keys/key_source.hpp"
#include "shared/metrics/metrics.hpp"

namespace acad::api {

// How far the process is; asked on the server's thread.
struct State {
    std::function<bool()> migrated;        // the schema is there
    std::function<bool()> stopping;        // SIGTERM has come
    std::function<bool()> sessions_known;  // ended sessions have been learned once, or nobody asks for them
};

struct Context {
    // All must outlive the router.
    Context(shared::pg::Pool& pool_, shared::metrics::Registry& metrics_,
            const shared::keys::KeySource& keys_, domain::Ketentuan ketentuan_, State state_)
        : pool(pool_),
          metrics(metrics_),
          keys(keys_),
          ketentuan(ketentuan_),
          state(std::move(state_)),
          records(pool_),
          studi(pool_),
          krs(pool_, ketentuan_),
          periode(pool_),
          skala(pool_),
          impor(pool_, records) {}
    Context(const Context&) = delete;
    Context& operator=(const Context&) = delete;

    shared::pg::Pool& pool;
    shared::metrics::Registry& metrics;
    const shared::keys::KeySource& keys;
    const domain::Ketentuan ketentuan;
    const State state;
    store::Records records;
    store::StudiStore studi;
    store::KrsStore krs;
    store::PeriodeStore periode;
    store::SkalaStore skala;
    store::ImporStore impor;
};

}  // namespace acad::api
