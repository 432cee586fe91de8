// Which new passwords are accepted (NIST SP 800-63B section 5.1.1.2): length counts, composition does not,
// and what an attacker tries first is refused.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace auth::domain {

struct PasswordRules {
    std::size_t min_length = 12;   // code points
    std::size_t max_length = 128;  // code points
};

// What belongs to this account and so must not be most of its password.
struct PasswordContext {
    std::string_view username;
    std::string_view email;
    std::string_view nim;
};

// `password` in normalization form C. nullopt: accepted; else why not, in Indonesian.
std::optional<std::string> password_problem(std::string_view password, const PasswordContext& context,
                                            const PasswordRules& rules);

// True for passwords that stand in every list of leaked ones, in any case.
bool is_common_password(std::string_view folded);

}  // namespace auth::domain
