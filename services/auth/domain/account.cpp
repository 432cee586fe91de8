#include "services/auth/domain/account.hpp"

namespace auth::domain {

std::string_view to_string(Role role) {
    switch (role) {
        case Role::admin:
            return "admin";
        case Role::dosen:
            return "dosen";
        case Role::mahasiswa:
            break;
    }
    return "mahasiswa";
}

std::optional<Role> parse_role(std::string_view name) {
    if (name == "admin") return Role::admin;
    if (name == "dosen") return Role::dosen;
    if (name == "mahasiswa") return Role::mahasiswa;
    return std::nullopt;
}

// An unknown role in the store gets the least rights there are.
Role role_from_store(std::string_view name) {
    return parse_role(name).value_or(Role::mahasiswa);
}

bool first_password_expired(const Account& account, WallTime now, std::chrono::seconds life) {
    return account.must_change_password && now - account.updated_at >= life;
}

}  // namespace auth::domain
