#include "gateway/config/config.hpp"
#include "gateway/exchange/snapshot.hpp"
#include "gateway/observe/access_log.hpp"
#include "gateway/pipeline/filters.hpp"

namespace gateway::pipeline {

// Request id, trace context, and what the access log will want when the head's bytes are gone.
Verdict names(Context& context) {
    exchange::Exchange& exchange = context.exchange;
    const wire::RequestHead& head = exchange.head;
    const std::string_view offered = head.value(wire::Header::x_request_id);
    if (exchange.snapshot->shared->config->request_id.accept_from_client && wire::sane_request_id(offered)) {
        exchange.request_id = exchange.text.keep(offered);
    } else {
        observe::IdSource::RequestId id;
        context.tools.ids.request_id(id);
        exchange.request_id = exchange.text.keep({id.data(), id.size()});
    }
    std::string_view parent = head.value(wire::Header::traceparent);
    if (!parent.empty() && head.count(wire::Header::traceparent) > 1) parent = {};  // two parents are none
    context.tools.ids.traceparent(parent, exchange.traceparent);
    exchange.method = head.method();
    exchange.version_minor = head.version_minor();
    static constexpr std::size_t kMostPath = 512;
    static constexpr std::size_t kMostAgent = 160;
    exchange.log_path = exchange.text.keep(head.path().substr(0, kMostPath));
    if (context.tools.log.enabled())
        exchange.log_user_agent =
            exchange.text.keep(head.value(wire::Header::user_agent).substr(0, kMostAgent));
    return Verdict::next;
}

}  // namespace gateway::pipeline
