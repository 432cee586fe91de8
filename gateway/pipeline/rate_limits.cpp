#include <chrono>

#include "gateway/exchange/error_body.hpp"
#include "gateway/exchange/snapshot.hpp"
#include "gateway/limits/key_hash.hpp"
#include "gateway/limits/keyed_limiter.hpp"
#include "gateway/observe/stats.hpp"
#include "gateway/pipeline/filters.hpp"

namespace gateway::pipeline {

namespace {

using config::RateLimit;

limits::KeyHash::Value key_of(const RateLimit& policy, std::uint64_t id, const exchange::Exchange& exchange) {
    limits::KeyHash hash(id);
    for (const RateLimit::KeyPart& part : policy.key) {
        switch (part.kind) {
            case RateLimit::KeyPart::Kind::address: {
                // IPv6 clients own at least a /64: counting single addresses would count nothing.
                const auto& bytes = exchange.client.bytes;
                const std::size_t length = exchange.client.is_v4() ? bytes.size() : 8;
                hash.part({reinterpret_cast<const char*>(bytes.data()), length});
                break;
            }
            case RateLimit::KeyPart::Kind::claim:
                hash.part(exchange.identity ? exchange.identity->claim(part.name).value_or("") : "");
                break;
            case RateLimit::KeyPart::Kind::header: {
                const wire::HeaderLine* line = exchange.head.find(part.name);
                hash.part(line ? exchange.head.value(*line) : std::string_view());
                break;
            }
            case RateLimit::KeyPart::Kind::route:
                hash.part(exchange.route->name);
                break;
        }
    }
    return hash.value();
}

Verdict check(Context& context, bool claims) {
    exchange::Exchange& exchange = context.exchange;
    const exchange::Snapshot& snapshot = *exchange.snapshot->shared;
    const auto now = std::chrono::duration_cast<limits::Nanoseconds>(exchange.started.time_since_epoch());
    for (std::size_t index : exchange.route->limits.rate_limits) {
        const exchange::RatePolicy& runtime = snapshot.rate_policies[index];
        if (runtime.needs_claims != claims) continue;
        const RateLimit& policy = snapshot.config->rate_limits[index];
        const limits::Decision decision =
            context.tools.limiter.take(key_of(policy, runtime.id, exchange), runtime.rate, now);
        limits::RateLimitFields fields;
        limits::format_fields(policy.name, runtime.rate, decision, fields);
        auto& out = exchange.response_additions;
        out.push_back({"RateLimit", exchange.text.keep(fields.limit), wire::Addition::Mode::append});
        out.push_back({"RateLimit-Policy", exchange.text.keep(fields.policy), wire::Addition::Mode::append});
        if (decision.allowed) continue;
        context.tools.stats.rate_limited.add();
        context.answer = exchange::answer_for(exchange::Failed::rate_limited);
        out.push_back({"Retry-After", exchange.text.keep(fields.retry_after), wire::Addition::Mode::set});
        return Verdict::answered;
    }
    return Verdict::next;
}

}  // namespace

Verdict early_rate_limits(Context& context) {
    return context.exchange.runtime->has_early_limits ? check(context, false) : Verdict::next;
}

Verdict claim_rate_limits(Context& context) {
    return context.exchange.runtime->has_claim_limits ? check(context, true) : Verdict::next;
}

}  // namespace gateway::pipeline
