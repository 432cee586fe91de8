#include "shared/http/turns.hpp"

#include "shared/metrics/count_up_to.hpp"

namespace shared::http {
namespace {

async::GateLimits limits(Share share, const ServerOptions& options) {
    async::GateLimits limits;
    limits.places = share.at_once;
    limits.per_key = share.per_client;
    limits.waiting = options.max_waiting;
    limits.patience = options.patience;
    return limits;
}

// A sub is no address: the two never meet.
std::string key_of(const Request& request) {
    return request.claims ? "sub " + request.claims->sub : request.client_key;
}

}  // namespace

Turns::Gate::Gate(const char* name, Share share, const ServerOptions& options, metrics::Registry& metrics)
    : gate(limits(share, options)),
      waiting(metrics.gauge("http_requests_waiting", "Requests that wait for their turn", {{"rate", name}})),
      shed(metrics.counter("http_requests_shed_total", "Requests that had no turn in time",
                           {{"rate", name}})) {}

Turns::Turns(const ServerOptions& options, metrics::Registry& metrics)
    : gates_{{{"ordinary", options.ordinary, options, metrics},
              {"sign_in", options.sign_in, options, metrics},
              {"costly", options.costly, options, metrics}}} {}

std::optional<Turns::Turn> Turns::take(const Request& request, Rate rate) {
    return of(rate).gate.try_enter(key_of(request));
}

boost::asio::awaitable<std::optional<Turns::Turn>> Turns::wait(const Request& request, Rate rate) {
    return of(rate).gate.enter(key_of(request));
}

void Turns::export_metrics() {
    for (auto& [gate, waiting, shed] : gates_) {
        waiting.Set(static_cast<double>(gate.waiting()));
        metrics::count_up_to(shed, gate.shed());
    }
}

}  // namespace shared::http
