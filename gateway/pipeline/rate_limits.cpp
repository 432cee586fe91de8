#include <chrono>

#include "gateway/exchange/error_body.hpp"
#include "gateway/exchange/snapshot.hpp"
#include "gateway/exchange/upstream_header.hpp"
#include "gateway/limits/key_hash.hpp"
#include "gateway/limits/keyed_limiter.hpp"
#include "gateway/observe/stats.hpp"
#include "gateway/pipeline/filters.hpp"

namespace gateway::pipeline {

namespace {

using config::RateLimit;

constexpr std::string_view kLastOfLimits = "RateLimit-Policy";
// As earlier drafts had them.
constexpr std::string_view kOldNames[] = {"RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"};

limits::KeyHash::Value key_of(const RateLimit& policy, std::uint64_t id, const exchange::Exchange& exchange) {
    limits::KeyHash hash(id);
    const auto address = [&] { hash.part(exchange.client.counted_bytes()); };
    // Without the key the address counts: one bucket for all of them would be anybody's to empty.
    const auto part_or_address = [&](std::string_view value) {
        hash.part(value);
        if (value.empty()) address();
    };
    for (const RateLimit::KeyPart& part : policy.key) {
        switch (part.kind) {
            case RateLimit::KeyPart::Kind::address:
                address();
                break;
            case RateLimit::KeyPart::Kind::claim:
                part_or_address(exchange.identity ? exchange.identity->claim(part.name).value_or("") : "");
                break;
            case RateLimit::KeyPart::Kind::header: {
                std::string joined;
                part_or_address(exchange::upstream_header(exchange, part.name, joined));
                break;
            }
            case RateLimit::KeyPart::Kind::route:
                hash.part(exchange.route->name);
                break;
        }
    }
    return hash.value();
}

// What is refused by one limit costs nothing in those that had let it pass.
void give_back_before(Context& context, std::size_t refused, bool claims) {
    exchange::Exchange& exchange = context.exchange;
    const exchange::Snapshot& snapshot = *exchange.snapshot->shared;
    bool asked = true;  // in this step
    for (std::size_t index : exchange.route->limits.rate_limits) {
        const exchange::RatePolicy& runtime = snapshot.rate_policies[index];
        if (index == refused) asked = false;
        if (runtime.needs_claims == claims ? asked : claims)
            context.tools.limiter.give_back(key_of(snapshot.config->rate_limits[index], runtime.id, exchange),
                                            runtime.rate);
    }
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
        if (decision.allowed && !policy.announce) continue;
        limits::RateLimitFields fields;
        limits::format_fields(policy.name, runtime.rate, decision, fields);
        auto& out = exchange.response_additions;
        using Mode = wire::Addition::Mode;
        // What the upstream says of a limit of its own would contradict ours.
        if (out.empty() || out.back().name != kLastOfLimits)
            for (const std::string_view name : kOldNames) out.push_back({name, {}, Mode::set});
        out.push_back({"RateLimit", exchange.text.keep(fields.limit), Mode::set});
        out.push_back({kLastOfLimits, exchange.text.keep(fields.policy), Mode::set});
        if (decision.allowed) continue;
        context.tools.stats.rate_limited.add();
        give_back_before(context, index, claims);
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
