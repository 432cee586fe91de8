// Request methods that the gateway knows, and sets of them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gateway::wire {

// The order is the order of the bits in a MethodSet.
enum class Method : std::uint8_t { get, head, post, put, patch, del, options };
inline constexpr unsigned kMethodCount = 7;

std::string_view to_string(Method method);                  // "GET"
std::optional<Method> parse_method(std::string_view text);  // exact, case-sensitive (RFC 9110 section 9.1)

// RFC 9110 section 9.2.2: may be sent again after a failure that left the outcome open.
constexpr bool idempotent(Method method) {
    return method != Method::post && method != Method::patch;
}

class MethodSet {
  public:
    constexpr MethodSet() = default;
    static constexpr MethodSet all() { return MethodSet((1U << kMethodCount) - 1); }

    constexpr void add(Method m) { bits_ = static_cast<std::uint8_t>(bits_ | bit(m)); }
    constexpr void add(MethodSet other) { bits_ = static_cast<std::uint8_t>(bits_ | other.bits_); }
    constexpr bool has(Method m) const { return (bits_ & bit(m)) != 0; }
    constexpr bool empty() const { return bits_ == 0; }
    constexpr bool operator==(const MethodSet&) const = default;

    // Value of an Allow header: "GET, HEAD, POST".
    std::string to_string() const;

  private:
    explicit constexpr MethodSet(unsigned bits) : bits_(static_cast<std::uint8_t>(bits)) {}
    static constexpr unsigned bit(Method m) { return 1U << static_cast<unsigned>(m); }

    std::uint8_t bits_ = 0;
};

}  // namespace gateway::wire
