// Request ids and W3C trace context. Unique, not secret: a per-worker generator seeded from the system.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace gateway::observe {

class IdSource {
  public:
    IdSource();  // seeds itself; throws std::runtime_error if the system has no randomness

    std::uint64_t next();

    using RequestId = std::array<char, 26>;
    // 128 bits in Crockford's base 32.
    void request_id(RequestId& out);

    // "00-<trace>-<new parent>-<flags>". Keeps the trace of a valid `incoming`, else starts one (sampled flag
    // off: who collects decides).
    using Traceparent = std::array<char, 55>;
    void traceparent(std::string_view incoming, Traceparent& out);

  private:
    std::array<std::uint64_t, 4> state_;
};

}  // namespace gateway::observe
