// Which of the gateway's own refusals get a line in the access log. Whoever is refused in a flood gets some
// lines and a count of the rest, so that the flood fills no disk and pushes out nobody else's lines.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "gateway/wire/ip_address.hpp"

namespace gateway::observe {

// Belongs to one worker. Refusals are the same when client (IPv6: its /64), status and reason are.
class RefusalSampler {
  public:
    using Clock = std::chrono::steady_clock;

    static constexpr std::uint32_t kWhole = 10;         // lines of one kind within kWindow
    static constexpr std::chrono::seconds kWindow{10};  // from the first of that kind
    // Beyond so many kinds at once, new ones count by status alone.
    static constexpr std::size_t kMostKinds = 1024;

    struct Counted {
        std::string client;  // address or network; empty: several
        unsigned status = 0;
        std::string reason;  // empty: several
        std::uint64_t more = 0;
        std::chrono::system_clock::time_point last;
    };

    // True: this one is written. False: it is counted.
    bool take(const wire::IpAddress& client, unsigned status, std::string_view reason,
              std::chrono::system_clock::time_point when, Clock::time_point now);

    // Forgets the kinds whose window is over; calls `report(const Counted&)` for those of which some were not
    // written.
    template <class Report>
    void expire(Clock::time_point now, Report&& report) {
        for (auto kind = kinds_.begin(); kind != kinds_.end();) {
            if (now - kind->second.began < kWindow) {
                ++kind;
                continue;
            }
            if (kind->second.counted.more != 0) report(kind->second.counted);
            kind = kinds_.erase(kind);
        }
    }

  private:
    struct Kind {
        Clock::time_point began;
        std::uint32_t written = 0;
        Counted counted;
    };

    // A tree: an attacker chooses keys, and could choose those that a hash table puts into one place.
    std::map<std::string, Kind> kinds_;
    std::string key_;
};

}  // namespace gateway::observe
