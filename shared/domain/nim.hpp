// A student's number as both services take it. Rows and accounts from before this rule may hold other texts:
// whoever reads those keeps them as plain text, and only a new value passes through here.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace shared::domain {

// 1 to 24 of A-Z a-z 0-9 . _ -, beginning with a letter or a digit: it stands in paths, file names and CSV
// cells as it is. A text that a spreadsheet would take for a number and write back otherwise ("2021E5",
// "22001.0") is none.
class Nim {
  public:
    static constexpr std::size_t kMaxLength = 24;
    // What is wrong with a text that parse() refuses, for the person who typed it.
    static constexpr std::string_view kRule =
        "NIM harus 1 sampai 24 huruf, angka, titik, garis bawah, atau tanda hubung, diawali huruf atau "
        "angka, "
        "dan bukan bilangan seperti 2021E5 atau 22001.0";

    static std::optional<Nim> parse(std::string_view text);

    const std::string& text() const { return text_; }
    bool operator==(const Nim&) const = default;

  private:
    explicit Nim(std::string_view text) : text_(text) {}

    std::string text_;
};

}  // namespace shared::domain
