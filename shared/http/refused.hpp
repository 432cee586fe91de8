// A value, or the answer that is given instead of going on.
//
//   auto row = co_await readable_mahasiswa(context, request);
//   if (!row) co_return row.error();
#pragma once

#include <utility>
#include <variant>

#include "shared/http/message.hpp"

namespace shared::http {

template <class T = std::monostate>
class [[nodiscard]] Refused {
  public:
    Refused(T value) : outcome_(std::in_place_index<0>, std::move(value)) {}
    Refused(Response refusal) : outcome_(std::in_place_index<1>, std::move(refusal)) {}

    bool has_value() const { return outcome_.index() == 0; }
    explicit operator bool() const { return has_value(); }

    // Throws std::bad_variant_access where there is none.
    T& operator*() & { return std::get<0>(outcome_); }
    const T& operator*() const& { return std::get<0>(outcome_); }
    T&& operator*() && { return std::get<0>(std::move(outcome_)); }
    T* operator->() { return &std::get<0>(outcome_); }
    const T* operator->() const { return &std::get<0>(outcome_); }

    // The answer; it is moved out, so ask once.
    Response error() { return std::get<1>(std::move(outcome_)); }

  private:
    std::variant<T, Response> outcome_;
};

// The value of a check that has none: `co_return kGranted;`
inline constexpr std::monostate kGranted{};

}  // namespace shared::http
