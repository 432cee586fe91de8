// Argon2id (RFC 9106) for passwords, bcrypt for the accounts of the first version. Everything here blocks for
// tens of milliseconds: call it through PasswordService, never on an I/O thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "services/auth/domain/account.hpp"

namespace auth::crypto {

// OWASP's second row: 19 MiB, two passes, one lane.
struct Argon2Cost {
    std::uint32_t memory_kib = 19 * 1024;
    std::uint32_t passes = 2;
    std::uint32_t lanes = 1;
};

class PasswordHasher {
  public:
    // `pepper`: a secret outside the database that goes into every new hash; without it the database alone is
    // of no use to a thief. Hashes made without it stay valid and are replaced at the next login.
    PasswordHasher(Argon2Cost cost, std::optional<std::string> pepper);

    // `password` is UTF-8 as typed. Throws std::runtime_error when memory is short or the text is no UTF-8.
    domain::StoredPassword hash(std::string_view password) const;

    struct Verdict {
        bool matches = false;
        bool outdated = false;  // it matches, but today's rules would keep it otherwise: hash it again
        // It matches as far as bcrypt has looked, and is longer: what was typed may not be the password, so
        // it is not hashed again, and its owner has to choose a new one.
        bool truncated = false;
    };
    // A stored value that cannot be read, or that needs a pepper that is not there, matches nothing.
    Verdict verify(const domain::StoredPassword& stored, std::string_view password) const;

    // Takes as long as verify() against a hash of today's cost and never matches: for names that no account
    // has.
    void verify_nothing(std::string_view password) const;

  private:
    std::optional<std::string> prepare(std::string_view password, std::string_view preparation) const;

    Argon2Cost cost_;
    std::optional<std::string> pepper_;
    domain::StoredPassword dummy_;
};

}  // namespace auth::crypto
