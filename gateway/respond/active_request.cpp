#include "gateway/respond/active_request.hpp"

#include "gateway/pipeline/pipeline.hpp"
#include "gateway/pipeline/response_filters.hpp"
#include "gateway/respond/builtin.hpp"

namespace gateway::respond {

ActiveRequest::ActiveRequest(exchange::WorkerResources& worker_)
    : worker(worker_),
      exchange(worker_.tools, pipeline::response_filters()),
      forwarder(worker_),
      file(worker_) {}

void ActiveRequest::handle() {
    exchange::Answer own;
    pipeline::Context context{exchange, worker.tools, own};
    if (pipeline::run(context) == pipeline::Verdict::answered) return exchange.answer(own);
    const config::Target& target = exchange.route->target;
    exchange::Responder* responder = nullptr;
    if (std::holds_alternative<config::ClusterTarget>(target))
        responder = &forwarder;
    else if (std::holds_alternative<config::StaticTarget>(target))
        responder = &file;
    else if (const auto* builtin = std::get_if<config::BuiltinTarget>(&target))
        return answer_builtin(exchange, *builtin, worker);
    else
        return answer_redirect(exchange, std::get<config::RedirectTarget>(target));
    exchange.responder = responder;
    responder->start(exchange);
}

void ActiveRequest::end() {
    if (exchange.responder) exchange.responder->abandon();
}

}  // namespace gateway::respond
