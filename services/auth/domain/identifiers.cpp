#include "services/auth/domain/identifiers.hpp"

#include <algorithm>

#include "services/auth/domain/unicode.hpp"

namespace auth::domain {
namespace {

bool is_alnum(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_atext(char c) {  // RFC 5322 section 3.2.3
    return is_alnum(c) || std::string_view("!#$%&'*+-/=?^_`{|}~").find(c) != std::string_view::npos;
}

bool dot_atom(std::string_view text) {
    if (text.empty() || text.front() == '.' || text.back() == '.') return false;
    if (text.find("..") != std::string_view::npos) return false;
    return std::all_of(text.begin(), text.end(), [](char c) { return c == '.' || is_atext(c); });
}

bool domain_name(std::string_view text) {
    if (text.size() > 253 || text.find('.') == std::string_view::npos) return false;
    while (true) {
        const auto dot = text.find('.');
        const auto label = text.substr(0, dot);
        if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-') return false;
        if (!std::all_of(label.begin(), label.end(), [](char c) { return c == '-' || is_alnum(c); }))
            return false;
        if (dot == std::string_view::npos) return true;
        text.remove_prefix(dot + 1);
    }
}

constexpr std::string_view kReservedNames[] = {"root", "support", "system"};

// What is left of a name for a reader in a hurry: without separators, and one sign for those that look alike.
std::string looks_like(std::string_view name) {
    std::string seen;
    for (const char c : name) {
        switch (c) {
            case '.':
            case '_':
            case '-':
                continue;
            case '0':
                seen += 'o';
                break;
            case '1':
            case 'l':
                seen += 'i';
                break;
            case '3':
                seen += 'e';
                break;
            case '4':
                seen += 'a';
                break;
            case '5':
                seen += 's';
                break;
            case '7':
                seen += 't';
                break;
            default:
                seen += c;
        }
        if (seen.ends_with("rn")) seen.replace(seen.size() - 2, 2, "m");
        if (seen.ends_with("vv")) seen.replace(seen.size() - 2, 2, "w");
    }
    return seen;
}

}  // namespace

// No '@': a user name can then never look like somebody's e-mail address, and one login field serves both.
std::optional<std::string> username_problem(std::string_view username) {
    if (username.size() < kUsernameMin || username.size() > kUsernameMax)
        return "Nama pengguna harus 3 sampai 64 karakter";
    const bool plain = std::all_of(username.begin(), username.end(),
                                   [](char c) { return is_alnum(c) || c == '.' || c == '_' || c == '-'; });
    if (!plain) return "Nama pengguna hanya boleh berisi huruf, angka, titik, garis bawah, dan tanda hubung";
    if (!is_alnum(username.front())) return "Nama pengguna harus diawali huruf atau angka";
    return std::nullopt;
}

std::optional<std::string> email_problem(std::string_view email) {
    const auto at = email.rfind('@');
    if (email.size() > kEmailMax || at == std::string_view::npos || at == 0 || at > 64 ||
        !dot_atom(email.substr(0, at)) || !domain_name(email.substr(at + 1)))
        return "Alamat email tidak valid";
    return std::nullopt;
}

bool reserved_username(std::string_view username) {
    const bool digits =
        std::all_of(username.begin(), username.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (digits) return true;
    const auto seen = looks_like(username_key(username));
    if (seen.starts_with(looks_like("admin"))) return true;
    return std::any_of(std::begin(kReservedNames), std::end(kReservedNames),
                       [&](std::string_view name) { return seen == looks_like(name); });
}

std::string username_key(std::string_view username) {
    return fold_case(username).value_or(std::string(username));
}

std::string email_key(std::string_view email) {
    return fold_case(email).value_or(std::string(email));
}

}  // namespace auth::domain
