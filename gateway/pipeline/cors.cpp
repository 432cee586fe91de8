#include <algorithm>

#include "gateway/config/config.hpp"
#include "gateway/pipeline/filters.hpp"

namespace gateway::pipeline {

namespace {

using wire::Addition;

std::string joined(const std::vector<std::string>& items) {
    std::string all;
    for (const std::string& item : items) all.append(all.empty() ? "" : ", ").append(item);
    return all;
}

}  // namespace

// Fetch standard, "CORS protocol". An origin that is not allowed gets no CORS headers: the browser refuses
// for us.
Verdict cors(Context& context) {
    exchange::Exchange& exchange = context.exchange;
    if (!exchange.route->cors) return Verdict::next;
    const config::Cors& rules = *exchange.route->cors;
    const wire::RequestHead& head = exchange.head;
    const std::string_view origin = head.value(wire::Header::origin);
    const bool preflight = head.method() == wire::Method::options && !origin.empty() &&
                           head.has(wire::Header::access_control_request_method);
    const bool any = std::find(rules.origins.begin(), rules.origins.end(), "*") != rules.origins.end();
    const bool allowed = !origin.empty() && (any || std::find(rules.origins.begin(), rules.origins.end(),
                                                              origin) != rules.origins.end());
    auto& out = exchange.response_additions;
    // Caches must not give one origin's answer to another.
    if (!any) out.push_back({"Vary", "Origin", Addition::Mode::append});
    if (allowed) {
        out.push_back({"Access-Control-Allow-Origin",
                       any && !rules.credentials ? "*" : exchange.text.keep(origin), Addition::Mode::set});
        if (rules.credentials)
            out.push_back({"Access-Control-Allow-Credentials", "true", Addition::Mode::set});
        if (!preflight && !rules.expose.empty())
            out.push_back({"Access-Control-Expose-Headers", exchange.text.keep(joined(rules.expose)),
                           Addition::Mode::set});
    }
    if (!preflight) return Verdict::next;
    if (allowed) {
        const std::string methods =
            rules.methods.empty() ? exchange.route->match.methods.to_string() : joined(rules.methods);
        out.push_back({"Access-Control-Allow-Methods", exchange.text.keep(methods), Addition::Mode::set});
        out.push_back(
            {"Access-Control-Allow-Headers", exchange.text.keep(joined(rules.headers)), Addition::Mode::set});
        out.push_back({"Access-Control-Max-Age", exchange.text.keep(std::to_string(rules.max_age.count())),
                       Addition::Mode::set});
    }
    context.answer = exchange::Answer();
    context.answer.status = 204;
    context.answer.body = exchange::Answer::Body::none;
    context.answer.reason = allowed ? "cors_preflight" : "cors_origin_not_allowed";
    return Verdict::answered;
}

}  // namespace gateway::pipeline
