#include "services/auth/domain/password_policy.hpp"

#include <algorithm>

#include "services/auth/domain/unicode.hpp"
#include "shared/json/json.hpp"

namespace auth::domain {
namespace {

// Words that say where we are, not who we are: an attacker tries them first.
constexpr std::string_view kCampusWords[] = {"mahasiswa", "universitas", "kampus",   "akademik",  "siakad",
                                             "fakultas",  "jurusan",     "semester", "wisuda",    "dosen",
                                             "admin",     "portal",      "password", "katasandi", "rahasia",
                                             "sains",     "data",        "indonesia"};

// The usual substitutions back to letters.
std::string without_substitutions(std::string text) {
    for (char& c : text) {
        switch (c) {
            case '0':
                c = 'o';
                break;
            case '1':
                c = 'i';
                break;
            case '3':
                c = 'e';
                break;
            case '4':
            case '@':
                c = 'a';
                break;
            case '5':
            case '$':
                c = 's';
                break;
            case '7':
                c = 't';
                break;
            default:
                break;
        }
    }
    return text;
}

void remove_all(std::string& text, std::string_view word) {
    if (word.size() < 3) return;
    for (auto at = text.find(word); at != std::string::npos; at = text.find(word))
        text.erase(at, word.size());
}

std::string letters_and_digits(std::string_view text) {
    std::string kept;
    for (const char c : text)
        if (static_cast<unsigned char>(c) >= 0x80 || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
            kept += c;
    return kept;
}

// One character again and again, or a run along the alphabet, the digits or the keyboard, up or down.
bool is_run(std::string_view text) {
    constexpr std::string_view kTracks[] = {"abcdefghijklmnopqrstuvwxyz", "01234567890",
                                            "qwertyuiopasdfghjklzxcvbnm", "1qaz2wsx3edc4rfv5tgb6yhn7ujm"};
    const auto next_on_track = [&](char a, char b) {
        return a == b || std::any_of(std::begin(kTracks), std::end(kTracks), [&](std::string_view track) {
                   for (std::size_t i = 0; i + 1 < track.size(); ++i)
                       if ((track[i] == a && track[i + 1] == b) || (track[i] == b && track[i + 1] == a))
                           return true;
                   return false;
               });
    };
    if (text.empty()) return true;
    // Up to two jumps: "abcdef123456" is two runs, "aaaabbbbcccc" is one.
    int jumps = 0;
    for (std::size_t i = 0; i + 1 < text.size(); ++i)
        if (!next_on_track(text[i], text[i + 1])) ++jumps;
    return jumps <= 2;
}

// The word in front of closing digits and signs, where those are few: "rahasia2024!".
std::string_view without_short_tail(std::string_view text) {
    const auto last = text.find_last_not_of("0123456789!@#$%^&*()-_=+.,?/ ");
    const auto length = last == std::string_view::npos ? 0 : last + 1;
    return text.size() - length <= 6 ? text.substr(0, length) : text;
}

// "abcabcabcabc": a short piece, repeated.
bool is_repetition(std::string_view text) {
    for (std::size_t piece = 1; piece <= 4 && piece * 3 <= text.size(); ++piece) {
        bool same = true;
        for (std::size_t i = piece; i < text.size() && same; ++i) same = text[i] == text[i - piece];
        if (same) return true;
    }
    return false;
}

}  // namespace

std::optional<std::string> password_problem(std::string_view password, const PasswordContext& context,
                                            const PasswordRules& rules) {
    const auto length = shared::json::code_points(password);
    if (length < rules.min_length)
        return "Kata sandi harus paling sedikit " + std::to_string(rules.min_length) + " karakter";
    if (length > rules.max_length)
        return "Kata sandi tidak boleh lebih dari " + std::to_string(rules.max_length) + " karakter";

    const std::string folded = fold_case(password).value_or(std::string(password));
    const std::string plain = letters_and_digits(folded);
    constexpr const char* kCommon = "Kata sandi ini terlalu umum dan mudah ditebak";
    if (is_common_password(folded) || is_common_password(plain) ||
        is_common_password(without_substitutions(folded)) || is_common_password(without_short_tail(folded)))
        return kCommon;
    if (is_run(folded) || is_repetition(folded)) return kCommon;

    // What is left without the words that everybody can guess must still be half a password.
    const auto remainder = [&](std::string text) {
        const auto at = context.email.find('@');
        for (const auto word : {context.username, context.email, context.email.substr(0, at), context.nim})
            remove_all(text, fold_case(word).value_or(std::string(word)));
        for (const auto word : kCampusWords) remove_all(text, word);
        return shared::json::code_points(letters_and_digits(text));
    };
    const auto enough = std::max<std::size_t>(rules.min_length / 2, 4);
    const bool has_other_signs =
        shared::json::code_points(plain) < enough;  // made of signs, spaces: not of words
    if (!has_other_signs && (remainder(folded) < enough || remainder(without_substitutions(folded)) < enough))
        return "Kata sandi tidak boleh hampir sama dengan nama pengguna, email, NIM, atau kata umum di "
               "kampus";
    return std::nullopt;
}

}  // namespace auth::domain
