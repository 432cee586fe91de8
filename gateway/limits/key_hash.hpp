// 128-bit keyed hash of a bucket's key.
#pragma once

#include <cstdint>
#include <string_view>

namespace gateway::limits {

// SipHash-2-4 with 128 bits of output (Aumasson and Bernstein, 2012), keyed with a random seed for each
// process, so that nobody can aim at somebody else's bucket. No allocation.
class KeyHash {
  public:
    struct Value {
        std::uint64_t high;
        std::uint64_t low;
        bool operator==(const Value&) const = default;
    };

    explicit KeyHash(std::uint64_t policy);  // hash of the policy's name: a bucket outlives a reload
    // Parts are delimited: ("a", "b") differs from ("ab", "").
    void part(std::string_view text);
    Value value() const;

  private:
    void word(std::uint64_t w);

    std::uint64_t v_[4];
};

}  // namespace gateway::limits
