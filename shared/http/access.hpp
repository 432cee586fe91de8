// Who may call a route.
#pragma once

#include <array>
#include <cstddef>
#include <initializer_list>
#include <string_view>

namespace shared::http {

// There is no default: a route says it. Made at compile time, so that a service's endpoints are one table.
class Access {
  public:
    static constexpr std::size_t kMaxRoles = 4;

    static constexpr Access open() { return Access(Kind::open, {}); }
    static constexpr Access any_token() { return Access(Kind::token, {}); }
    // At most kMaxRoles names, which must outlive the program's routes (literals do).
    static constexpr Access roles(std::initializer_list<std::string_view> names) {
        return Access(Kind::roles, names);
    }

    constexpr bool needs_token() const { return kind_ != Kind::open; }
    // True if the role may call the route.
    constexpr bool allows(std::string_view role) const {
        if (kind_ != Kind::roles) return true;
        for (std::size_t i = 0; i < count_; ++i)
            if (roles_[i] == role) return true;
        return false;
    }

  private:
    enum class Kind { open, token, roles };
    constexpr Access(Kind kind, std::initializer_list<std::string_view> names) : kind_(kind) {
        for (const auto name : names) roles_.at(count_++) = name;
    }

    Kind kind_;
    std::array<std::string_view, kMaxRoles> roles_{};
    std::size_t count_ = 0;
};

}  // namespace shared::http
