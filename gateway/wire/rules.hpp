// Limits and switches of the readers. One immutable object for each configuration snapshot.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gateway::wire {

inline constexpr std::size_t kMaxHeaderLines = 100;
inline constexpr std::size_t kMaxHeadBytes = 60 * 1024;  // offsets into a head are 16 bits

class ReaderRules {
  public:
    std::size_t max_head_bytes = 32 * 1024;  // start line and header lines; at most kMaxHeadBytes
    std::size_t max_target_bytes = 8 * 1024;
    std::size_t max_headers = kMaxHeaderLines;  // at most kMaxHeaderLines
    // `a//b` becomes `a/b`; otherwise a path with an empty segment is refused. There is no third way:
    // forwarding both spellings would let one resource have two names.
    bool merge_slashes = true;

    // Names besides X-User-* and X-Session-Id that only the gateway may set; dropped from every request.
    void add_identity_header(std::string_view name);
    bool is_identity_header(std::string_view name) const;
    // Names that the configuration decides by: a client may not have them removed on the way (Connection).
    void add_decisive_header(std::string name) { decisive_.push_back(std::move(name)); }
    bool is_decisive_header(std::string_view name) const;

  private:
    std::vector<std::string> identity_;   // lower-case
    std::uint64_t identity_lengths_ = 0;  // bit n: some name has n mod 64 bytes
    std::vector<std::string> decisive_;   // lower-case
};

}  // namespace gateway::wire
