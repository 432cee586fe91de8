// CSV (RFC 4180) in and out.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace acad::api {

// Reads record after record. Comma or semicolon (what spreadsheets in Indonesia write): the first line
// decides. A byte order mark is skipped, line ends may be CRLF or LF, empty lines are passed over.
class CsvReader {
  public:
    explicit CsvReader(std::string_view text);

    // False at the end, or when the text is malformed.
    bool next(std::vector<std::string>& fields);
    bool malformed() const { return malformed_; }
    // The line (from 1) on which the last record began.
    int line() const { return record_line_; }

  private:
    bool read_field(std::string& field);
    bool read_quoted(std::string& field);

    std::string_view text_;
    std::size_t at_ = 0;
    char separator_ = ',';
    int line_ = 1;
    int record_line_ = 0;
    bool malformed_ = false;
};

class CsvWriter {
  public:
    CsvWriter& value(std::string_view field);
    // Text that people wrote: a spreadsheet would take one that begins with = + - or @ for a formula, so it
    // gets an apostrophe in front, which unguarded() takes away again.
    CsvWriter& text(std::string_view field);
    void end_row();
    const std::string& str() const { return out_; }
    std::string take() { return std::move(out_); }

  private:
    std::string out_;
    bool first_ = true;
};

std::string unguarded(std::string field);

}  // namespace acad::api
