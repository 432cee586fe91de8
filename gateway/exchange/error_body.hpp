// The gateway's own answers: problem+json bodies (RFC 9457) and their heads.
#pragma once

#include <string>
#include <string_view>

#include "gateway/exchange/answer.hpp"
#include "gateway/wire/refusal.hpp"

namespace gateway::exchange {

// Appends the problem's JSON: type, title, status, detail, instance, code, request_id.
void append_problem(std::string& out, unsigned status, std::string_view code, std::string_view detail,
                    std::string_view instance, std::string_view request_id);

// Failures of the data path that are nobody's refusal. `code`, `detail` and status in one table.
enum class Failed : std::uint8_t {
    route_not_found,
    method_not_allowed,
    body_too_large,
    body_timeout,
    head_timeout,
    rate_limited,
    overloaded,  // in-flight limit and queue are full
    queue_timeout,
    no_endpoint,  // the cluster has no address
    circuit_open,
    connect_failed,
    upstream_reset,  // it closed before an answer
    upstream_timeout,
    upstream_bad_answer,
    upgrade_refused,  // the upstream's 101 was not right
    total_timeout,
    loop_detected,  // the request has passed this gateway before
    file_not_found,
    precondition_failed,  // of a file
    file_unreadable,
    internal,
    count_,  // no failure: how many there are
};
Answer answer_for(Failed what);
Answer answer_for(wire::Refusal refusal);

}  // namespace gateway::exchange
