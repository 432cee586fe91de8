#include <catch2/catch.hpp>
#include <string>

#include "shared/domain/nim.hpp"

using shared::domain::Nim;

TEST_CASE("a NIM is 1 to 24 plain characters that begin with a letter or a digit") {
    for (const std::string& text :
         {std::string("22001"), std::string("0"), std::string("9"), std::string("a"), std::string("z"),
          std::string("A"), std::string("Z"), std::string("F1D0.21_045-x"), std::string("2."),
          std::string("2-"), std::string("2_"), std::string(24, '1'),
          std::string("A") + std::string(23, '.')}) {
        CAPTURE(text);
        const auto nim = Nim::parse(text);
        REQUIRE(nim);
        CHECK(nim->text() == text);
    }
    for (const std::string& text :
         {std::string(),           std::string(25, '1'),  std::string("."),       std::string(".22001"),
          std::string("_22001"),   std::string("-22001"), std::string("A/1"),     std::string("22 01"),
          std::string(" 22001"),   std::string("22001 "), std::string("22001\n"), std::string("22001\0", 6),
          std::string("22,5"),     std::string("2+2"),    std::string("22@1"),    std::string("22[1"),
          std::string("22`1"),     std::string("22{1"),   std::string("22:1"),    std::string("\xC3\xA9"),
          std::string("2\xC3\xA9")}) {
        CAPTURE(text);
        CHECK_FALSE(Nim::parse(text));
    }
}

TEST_CASE("a text that a spreadsheet takes for a number is no NIM") {
    for (const char* text : {"2021E5", "2021e5", "0e0", "1e-7", "1.5E10", "22.01e-3", "1.0e5", "22001.0",
                             "22001.000", "0.0", "2e123456789"}) {
        CAPTURE(text);
        CHECK_FALSE(Nim::parse(text));
    }
    for (const char* text : {"2021E",    "2021E-", "E5",      "2021E5x", "2021E5.0", "2021E5E5",  "A2021E5",
                             "2021-E5",  "1.E5",   "1.2.3E5", "22001.1", "22001.01", "22001.0.0", "22001.0x",
                             "22001.10", "A.0",    "22-01.0", "2021F5",  "1e--7",    "1e5-"}) {
        CAPTURE(text);
        CHECK(Nim::parse(text));
    }
}

TEST_CASE("two NIMs are the same where their texts are, letter for letter") {
    CHECK(*Nim::parse("a1") == *Nim::parse("a1"));
    CHECK_FALSE(*Nim::parse("a1") == *Nim::parse("A1"));
}
