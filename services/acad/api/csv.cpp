#include "services/acad/api/csv.hpp"

namespace acad::api {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::string_view kFormulaStarts = "=+-@\t";

}  // namespace

CsvReader::CsvReader(std::string_view text) : text_(text) {
    if (text_.starts_with(kByteOrderMark)) text_.remove_prefix(kByteOrderMark.size());
    const auto head = text_.substr(0, text_.find('\n'));
    if (head.find(',') == std::string_view::npos && head.find(';') != std::string_view::npos)
        separator_ = ';';
}

bool CsvReader::read_quoted(std::string& field) {
    ++at_;
    while (at_ < text_.size()) {
        const char c = text_[at_++];
        if (c == '\n') ++line_;
        if (c != '"') {
            field += c;
        } else if (at_ < text_.size() && text_[at_] == '"') {
            field += '"';
            ++at_;
        } else {
            // Behind the closing quote comes a separator or the end of the line.
            return at_ == text_.size() || text_[at_] == separator_ || text_[at_] == '\n' ||
                   text_[at_] == '\r';
        }
    }
    return false;
}

bool CsvReader::read_field(std::string& field) {
    if (at_ < text_.size() && text_[at_] == '"') return read_quoted(field);
    while (at_ < text_.size() && text_[at_] != separator_ && text_[at_] != '\n' && text_[at_] != '\r') {
        if (text_[at_] == '"') return false;
        field += text_[at_++];
    }
    return true;
}

bool CsvReader::next(std::vector<std::string>& fields) {
    while (at_ < text_.size() && (text_[at_] == '\n' || text_[at_] == '\r')) {
        if (text_[at_++] == '\n') ++line_;
    }
    fields.clear();
    if (malformed_ || at_ == text_.size()) return false;
    record_line_ = line_;
    while (true) {
        if (!read_field(fields.emplace_back())) {
            malformed_ = true;
            return false;
        }
        if (at_ == text_.size()) return true;
        const char end = text_[at_];
        if (end == separator_) {
            ++at_;
            continue;
        }
        if (end == '\r') {
            ++at_;
            if (at_ < text_.size() && text_[at_] != '\n') {
                malformed_ = true;
                return false;
            }
        }
        return true;  // the line feed is passed over by the next call
    }
}

CsvWriter& CsvWriter::value(std::string_view field) {
    if (!first_) out_ += ',';
    first_ = false;
    if (field.find_first_of(",\";\r\n") == std::string_view::npos) {
        out_ += field;
        return *this;
    }
    out_ += '"';
    for (const char c : field) {
        if (c == '"') out_ += '"';
        out_ += c;
    }
    out_ += '"';
    return *this;
}

CsvWriter& CsvWriter::text(std::string_view field) {
    if (field.empty() || kFormulaStarts.find(field.front()) == std::string_view::npos) return value(field);
    return value("'" + std::string(field));
}

void CsvWriter::end_row() {
    out_ += "\r\n";
    first_ = true;
}

std::string unguarded(std::string field) {
    if (field.size() > 1 && field[0] == '\'' && kFormulaStarts.find(field[1]) != std::string_view::npos)
        field.erase(0, 1);
    return field;
}

}  // namespace acad::api
