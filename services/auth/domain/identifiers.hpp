// What a user name and an e-mail address may look like, and the keys they are compared by.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace auth::domain {

inline constexpr std::size_t kUsernameMin = 3;
inline constexpr std::size_t kUsernameMax = 64;
inline constexpr std::size_t kEmailMax = 254;  // RFC 5321 section 4.5.3.1.3

// nullopt: fine; else what is wrong, in Indonesian, for the person who typed it.
std::optional<std::string> username_problem(std::string_view username);
std::optional<std::string> email_problem(std::string_view email);

// True for a name that nobody may choose for himself: one that speaks for the office (admin…, root, support,
// system), also where it only looks like one, and one of digits only, which is somebody's NIM.
bool reserved_username(std::string_view username);

// Two names with the same key are the same account. Old accounts may have names that today's rules refuse, so
// this never fails: bytes that are no UTF-8 stay as they are.
std::string username_key(std::string_view username);
std::string email_key(std::string_view email);

}  // namespace auth::domain
