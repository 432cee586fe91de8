#include "services/acad/api/impor.hpp"

#include <algorithm>
#include <span>
#include <unordered_set>

#include "services/acad/api/csv.hpp"
#include "shared/base/text.hpp"
#include "shared/http/body_stream.hpp"

namespace acad::api {

namespace http = shared::http;
using shared::json::FieldError;

namespace {

constexpr std::size_t kMaxFaults = 100;  // more help nobody

// What is wrong with one value; empty: nothing.
std::string fault_of(const store::Column& column, const std::string& value) {
    if (value.empty()) return column.required ? "wajib diisi" : "";
    if (std::any_of(value.begin(), value.end(), shared::is_control)) return "memuat karakter yang tidak sah";
    if (column.is_number()) {
        const auto number = shared::parse_number<int>(value);
        if (!number || *number < column.min || *number > column.max)
            return "harus bilangan bulat antara " + std::to_string(column.min) + " dan " +
                   std::to_string(column.max);
        if (column.kind == store::Kind::kode_semester && !domain::is_kode_semester(*number))
            return "harus kode seperti 20241";
        return "";
    }
    if (shared::json::code_points(value) > column.max_length)
        return "maksimal " + std::to_string(column.max_length) + " karakter";
    return shape_fault(column, value);
}

struct Parsed {
    std::vector<store::ImporRow> rows;
    std::vector<int> lines;  // of each row
    std::vector<FieldError> faults;

    void fault(int line, std::string_view column, std::string detail) {
        if (faults.size() < kMaxFaults) {
            faults.push_back({"/" + std::to_string(line) + "/" + std::string(column), std::move(detail)});
        }
    }
};

// For each column of the table its place in the file, or npos.
std::vector<std::size_t> places_of(std::span<const store::Column> columns,
                                   const std::vector<std::string>& head, Parsed& parsed) {
    std::vector<std::size_t> places(columns.size(), std::string::npos);
    for (std::size_t i = 0; i < head.size(); ++i) {
        const auto name = shared::trim(head[i]);
        const auto column = std::find_if(columns.begin(), columns.end(),
                                         [&](const auto& known) { return known.name == name; });
        if (column == columns.end()) {
            parsed.fault(1, name, "kolom tidak dikenal");
            continue;
        }
        auto& place = places[static_cast<std::size_t>(column - columns.begin())];
        if (place != std::string::npos) parsed.fault(1, name, "kolom ini ada dua kali");
        place = i;
    }
    for (std::size_t i = 0; i < columns.size(); ++i) {
        if (columns[i].required && places[i] == std::string::npos)
            parsed.fault(1, columns[i].name, "kolom ini wajib ada");
    }
    return places;
}

Parsed parse(const std::string& text, const store::Sasaran& sasaran) {
    Parsed parsed;
    const auto columns = sasaran.columns;
    CsvReader reader(text);
    std::vector<std::string> fields;
    if (!reader.next(fields)) {
        parsed.fault(1, "", "berkas CSV kosong atau tidak sah");
        return parsed;
    }
    const auto places = places_of(columns, fields, parsed);
    if (!parsed.faults.empty()) return parsed;
    const auto width = fields.size();
    std::unordered_set<std::string> keys;
    while (reader.next(fields)) {
        if (fields.size() != width) {
            parsed.fault(reader.line(), "", "jumlah kolom tidak sama dengan baris judul");
            continue;
        }
        store::ImporRow row;
        for (std::size_t i = 0; i < columns.size(); ++i) {
            auto value = places[i] == std::string::npos
                             ? std::string()
                             : unguarded(std::string(shared::trim(fields[places[i]])));
            if (columns[i].kind == store::Kind::nilai) value = shared::upper_case(std::move(value));
            if (const auto fault = fault_of(columns[i], value); !fault.empty()) {
                parsed.fault(reader.line(), columns[i].name, fault);
            }
            row.push_back(value.empty() ? std::nullopt : std::optional(std::move(value)));
        }
        if (sasaran.table == nullptr) {
            if (!row[2] && !row[3])
                parsed.fault(reader.line(), "semester", "semester atau kode_semester wajib diisi");
        } else if (row[0] && !keys.insert(*row[0]).second) {
            parsed.fault(reader.line(), columns[0].name, "sudah ada di baris lain");
        }
        parsed.rows.push_back(std::move(row));
        parsed.lines.push_back(reader.line());
    }
    if (reader.malformed()) parsed.fault(reader.line(), "", "tanda kutip tidak sah");
    return parsed;
}

// The whole file; refused by the head alone where its type or its length is wrong.
boost::asio::awaitable<http::Refused<std::string>> read_file(Request& request) {
    if (request.body_stream == nullptr || !http::has_media_type(request.header("Content-Type"), "text/csv"))
        co_return http::unsupported_media_type("text/csv");
    std::string text;
    while (true) {
        auto reading = request.body_stream->read();
        auto piece = co_await std::move(reading);
        if (!piece) co_return piece.error();
        if (piece->empty()) break;
        text += *piece;
    }
    co_return text;
}

}  // namespace

Reply import_csv(Context& context, Request& request, store::Sasaran sasaran) {
    http::Query query(request);
    const bool dry_run = query.boolean("dry_run").value_or(false);
    if (!query.ok()) co_return query.refusal();
    auto file = co_await read_file(request);
    if (!file) co_return file.error();
    if (!shared::valid_utf8(*file)) {
        co_return http::problem_response(400, "malformed_csv", "Berkas CSV harus berupa UTF-8");
    }
    auto parsed = parse(*file, sasaran);
    if (!parsed.faults.empty()) co_return http::validation_failed(std::move(parsed.faults));

    const auto count = static_cast<std::int64_t>(parsed.rows.size());
    const auto result =
        co_await context.impor.run(pelaku_of(request), sasaran, std::move(parsed.rows), dry_run);
    if (!result) co_return database_failed(result.error());
    if (!result->faults.empty()) {
        for (const auto& fault : result->faults)
            parsed.fault(parsed.lines[fault.row], fault.column, fault.detail);
        co_return http::validation_failed(std::move(parsed.faults));
    }
    shared::json::Writer writer;
    writer.object([&] {
        writer.member("dry_run", dry_run);
        writer.member("baris", count);
        writer.member("ditambah", result->ditambah);
        writer.member("diubah", result->diubah);
    });
    co_return http::json_response(200, writer.str());
}

Reply import_krs(Context& context, Request& request) {
    return import_csv(context, request, {store::kKrsColumns, nullptr});
}

}  // namespace acad::api
