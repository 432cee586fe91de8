// An account as the rules see it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "shared/base/clock.hpp"

namespace auth::domain {

using shared::WallTime;

enum class Role { admin, dosen, mahasiswa };

std::string_view to_string(Role role);
// Exact names of the contract.
std::optional<Role> parse_role(std::string_view name);
// As stored: the first version of the service wrote "user" for every student, and nothing for some.
Role role_from_store(std::string_view name);

// A password as it is kept. `preparation` says what was done to the typed text before it was hashed, so that
// a change of the rules does not lock anybody out:
//   "raw"         the bytes as they came (bcrypt hashes of the first version)
//   "nfc"         normalization form C
//   "nfc+pepper"  NFC, then HMAC-SHA256 with the pepper
struct StoredPassword {
    std::string hash;  // PHC string ("$argon2id$…") or modular crypt ("$2b$10$…"); empty: nobody can log in
    std::string preparation = "nfc";
};

struct Account {
    std::string id;
    std::string username;
    std::string email;
    StoredPassword password;
    Role role = Role::mahasiswa;
    std::optional<std::string> nim;
    bool disabled = false;
    bool must_change_password = false;
    std::int64_t version = 0;  // goes up with every change: the ETag
    // Goes up with every change that must end sessions (password, role, disabling): a session that began with
    // another stamp is over (session_current), whatever became of the writes that end it.
    std::int64_t stamp = 0;
    // The one session that outlived the last new stamp, because its owner made the change in it; may be
    // empty.
    std::string kept_session;
    WallTime created_at{};
    WallTime updated_at{};
};

// True where the password was set by somebody else longer than `life` ago. It counts from the account's last
// change.
bool first_password_expired(const Account& account, WallTime now, std::chrono::seconds life);

}  // namespace auth::domain
