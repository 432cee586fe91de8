#include "gateway/upstream/endpoint.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>

#include "shared/base/text.hpp"

namespace gateway::upstream {

SteadyMs steady_ms() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

std::optional<SocketAddress> SocketAddress::from_literal(const std::string& host, std::uint16_t port) {
    SocketAddress address;
    auto& v4 = reinterpret_cast<sockaddr_in&>(address.storage);
    if (::inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1) {
        v4.sin_family = AF_INET;
        v4.sin_port = htons(port);
        address.length = sizeof v4;
        return address;
    }
    std::string bare = host;
    if (bare.size() > 2 && bare.front() == '[' && bare.back() == ']') bare = bare.substr(1, bare.size() - 2);
    auto& v6 = reinterpret_cast<sockaddr_in6&>(address.storage);
    if (::inet_pton(AF_INET6, bare.c_str(), &v6.sin6_addr) == 1) {
        v6.sin6_family = AF_INET6;
        v6.sin6_port = htons(port);
        address.length = sizeof v6;
        return address;
    }
    return std::nullopt;
}

std::string SocketAddress::to_string() const {
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (storage.ss_family == AF_INET6) {
        const auto& v6 = reinterpret_cast<const sockaddr_in6&>(storage);
        ::inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
        return "[" + std::string(text.data()) + "]:" + std::to_string(ntohs(v6.sin6_port));
    }
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(storage);
    ::inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
    return std::string(text.data()) + ":" + std::to_string(ntohs(v4.sin_port));
}

bool SocketAddress::operator==(const SocketAddress& other) const {
    return length == other.length && std::memcmp(&storage, &other.storage, length) == 0;
}

Endpoint::Endpoint(std::string host, std::uint16_t port, std::uint32_t weight, const SocketAddress& address,
                   Health health)
    : host_(std::move(host)),
      authority_((host_.find(':') == std::string::npos ? host_ : "[" + host_ + "]") + ":" +
                 std::to_string(port)),
      weight_(weight),
      address_(address),
      address_text_(address.to_string()),
      hash_(shared::fnv1a(address_text_)),
      health_(health) {}

bool Endpoint::record_check(bool good, const config::HealthCheck& rules, SteadyMs now) {
    const Health before = health();
    Health after = before;
    if (const std::uint64_t count = ejections(); count != ejections_seen_) {
        ejections_seen_ = count;
        good_checks_ = 0;  // what was good before it was ejected proves nothing
    }
    if (good) {
        bad_checks_ = 0;
        ++good_checks_;
        // The first good answer of an endpoint nobody knows is enough; one that was down has to prove itself.
        if (before == Health::unknown || good_checks_ >= rules.rise) after = Health::up;
    } else {
        good_checks_ = 0;
        ++bad_checks_;
        if (before == Health::unknown || bad_checks_ >= rules.fall) after = Health::down;
    }
    const bool proven = good && good_checks_ >= rules.rise;
    if (proven && ejected(now)) {
        // It answers again: what requests saw before says nothing any more.
        consecutive_failures_.store(0, std::memory_order_relaxed);
        end_ejection();
        health_.store(after, std::memory_order_relaxed);
        return true;
    }
    if (after == before) return false;
    health_.store(after, std::memory_order_relaxed);
    return true;
}

void Endpoint::record_success() {
    if (consecutive_failures_.load(std::memory_order_relaxed) != 0)
        consecutive_failures_.store(0, std::memory_order_relaxed);
    if (ejection_streak_.load(std::memory_order_relaxed) != 0)
        ejection_streak_.store(0, std::memory_order_relaxed);
}

bool Endpoint::record_failure(const config::Outlier& rules, bool may_eject, SteadyMs now) {
    failures.fetch_add(1, std::memory_order_relaxed);
    const std::uint32_t count = consecutive_failures_.fetch_add(1, std::memory_order_relaxed) + 1;
    if (!rules.enabled || count < rules.consecutive_failures || !may_eject || ejected(now)) return false;
    consecutive_failures_.store(0, std::memory_order_relaxed);
    const std::uint32_t streak = ejection_streak_.fetch_add(1, std::memory_order_relaxed) + 1;
    ejections_.fetch_add(1, std::memory_order_relaxed);
    const auto length = std::min(rules.base_ejection * streak, rules.max_ejection);
    ejected_until_.store(now + length.count(), std::memory_order_relaxed);
    return true;
}

}  // namespace gateway::upstream
