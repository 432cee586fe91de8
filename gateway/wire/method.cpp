#include "gateway/wire/method.hpp"

#include <array>

namespace gateway::wire {
namespace {

constexpr std::array<std::string_view, kMethodCount> kNames{"GET",   "HEAD",   "POST",   "PUT",
                                                            "PATCH", "DELETE", "OPTIONS"};

}  // namespace

std::string_view to_string(Method method) {
    return kNames[static_cast<std::size_t>(method)];
}

std::optional<Method> parse_method(std::string_view text) {
    for (std::size_t i = 0; i < kNames.size(); ++i)
        if (text == kNames[i]) return static_cast<Method>(i);
    return std::nullopt;
}

std::string MethodSet::to_string() const {
    std::string list;
    for (std::size_t i = 0; i < kNames.size(); ++i) {
        if (!has(static_cast<Method>(i))) continue;
        if (!list.empty()) list += ", ";
        list += kNames[i];
    }
    return list;
}

}  // namespace gateway::wire
