#include <catch2/catch.hpp>

#include "services/acad/api/csv.hpp"

using namespace acad::api;

namespace {

using Records = std::vector<std::vector<std::string>>;

// All records, or nothing but {"MALFORMED"} at the end.
Records read(std::string_view text) {
    CsvReader reader(text);
    Records records;
    std::vector<std::string> fields;
    while (reader.next(fields)) records.push_back(fields);
    if (reader.malformed()) records.push_back({"MALFORMED"});
    return records;
}

}  // namespace

TEST_CASE("CSV is read as RFC 4180 and spreadsheets write it") {
    struct Row {
        std::string name, text;
        Records expected;
    };
    const std::vector<Row> table{
        {"plain", "a,b\n1,2\n", {{"a", "b"}, {"1", "2"}}},
        {"CRLF and no last line end", "a,b\r\n1,2", {{"a", "b"}, {"1", "2"}}},
        {"byte order mark",
         "\xEF\xBB\xBF"
         "a\n",
         {{"a"}}},
        {"semicolons", "a;b\n1;2,5\n", {{"a", "b"}, {"1", "2,5"}}},
        {"quotes", "a,b\n\"x, \"\"y\"\"\",\"\"\n", {{"a", "b"}, {"x, \"y\"", ""}}},
        {"line feed inside quotes", "a\n\"x\ny\"\n", {{"a"}, {"x\ny"}}},
        {"empty fields", "a,b,c\n,,\n", {{"a", "b", "c"}, {"", "", ""}}},
        {"empty lines", "\n\na\n\r\n\nb\n", {{"a"}, {"b"}}},
        {"nothing", "", {}},
        {"open quote", "a\n\"x\n", {{"a"}, {"MALFORMED"}}},
        {"text behind a quote", "a\n\"x\"y\n", {{"a"}, {"MALFORMED"}}},
        {"quote inside a field", "a\nx\"y\n", {{"a"}, {"MALFORMED"}}},
        {"lone carriage return", "a\rb\n", {{"MALFORMED"}}},
    };
    for (const auto& row : table) {
        INFO(row.name);
        CHECK(read(row.text) == row.expected);
    }
}

TEST_CASE("a record knows the line on which it began") {
    CsvReader reader("a,b\n\n\"x\ny\",1\nz,2\n");
    std::vector<std::string> fields;
    std::vector<int> lines;
    while (reader.next(fields)) lines.push_back(reader.line());
    CHECK(lines == std::vector<int>{1, 3, 5});
}

TEST_CASE("what is written is read back, and no text becomes a formula") {
    CsvWriter writer;
    writer.value("a").value("b;c").end_row();
    writer.text("=1+1").text("Ani, \"S\"").end_row();
    writer.text("").text("A-").end_row();
    CHECK(writer.str() == "a,\"b;c\"\r\n'=1+1,\"Ani, \"\"S\"\"\"\r\n,A-\r\n");
    const auto records = read(writer.str());
    REQUIRE(records.size() == 3);
    CHECK(unguarded(records[1][0]) == "=1+1");
    CHECK(records[1][1] == "Ani, \"S\"");
    for (const auto* text : {"=x", "+x", "-x", "@x"}) {
        CsvWriter guarded;
        guarded.text(text);
        CHECK(guarded.str() == "'" + std::string(text));
        CHECK(unguarded(guarded.str()) == text);
    }
    CHECK(unguarded("'tis") == "'tis");
}
