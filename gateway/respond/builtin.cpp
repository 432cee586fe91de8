#include "gateway/respond/builtin.hpp"

#include "gateway/routing/rewrite.hpp"

namespace gateway::respond {

using exchange::Answer;

namespace {

// Names and up or down only: the page is public.
void readiness(exchange::Exchange& exchange, const exchange::WorkerResources& worker, Answer& own) {
    const exchange::Snapshot& snapshot = *exchange.snapshot->shared;
    const upstream::SteadyMs now = worker.poller.now_ms();
    const bool draining = worker.shared.draining.load(std::memory_order_relaxed);
    bool ready = !draining && snapshot.issuers->ready();
    std::string clusters;
    for (const auto& cluster : snapshot.clusters) {
        const bool up = cluster->ready(now);
        if (!up && cluster->settings().needed_for_ready) ready = false;
        clusters += clusters.empty() ? "" : ",";
        observe::append_json_string(clusters, cluster->name());
        clusters += up ? ":\"up\"" : ":\"down\"";
    }
    own.status = ready ? 200 : 503;
    own.text = exchange.text.keep("{\"status\":\"" +
                                  std::string(draining ? "draining" : (ready ? "ready" : "not_ready")) +
                                  "\",\"upstreams\":{" + clusters + "}}");
    if (!ready) own.retry_after_s = 1;
}

}  // namespace

void answer_builtin(exchange::Exchange& exchange, const config::BuiltinTarget& target,
                    const exchange::WorkerResources& worker) {
    Answer own;
    own.status = 200;
    own.body = Answer::Body::text;
    own.content_type = "application/json";
    own.text = "{\"status\":\"ok\"}";
    if (target.what != config::BuiltinTarget::What::health) readiness(exchange, worker, own);
    exchange.answer(own);
}

void answer_redirect(exchange::Exchange& exchange, const config::RedirectTarget& target) {
    const wire::RequestHead& head = exchange.head;
    // HTTP/1.0 may have none, and "https:///" leads nowhere.
    if (head.host().empty() && target.location.find("{host}") != std::string::npos)
        return exchange.answer(exchange::answer_for(wire::Refusal::host_missing));
    Answer own;
    own.status = target.status;
    own.body = Answer::Body::none;
    own.location = exchange.text.keep(
        routing::redirect_location(target, head.host(), head.path(), head.query(), head.has_query()));
    own.cacheable = true;
    exchange.answer(own);
}

}  // namespace gateway::respond
