// GET /api/auth/audit: who did what, newest first; as CSV where the client asks for it.
#include <algorithm>
#include <chrono>

#include "services/auth/api/answers.hpp"
#include "services/auth/api/endpoints.hpp"
#include "shared/base/text.hpp"
#include "shared/http/query.hpp"

namespace auth::api {
namespace {

constexpr std::size_t kMaxText = 100;
// Beyond it a time in nanoseconds does not fit.
constexpr std::int64_t kLatestMs = 9'000'000'000'000;

// "2026-08-01T07:30:00Z" (RFC 3339, UTC alone) or "2026-08-01", its first second.
std::optional<shared::WallTime> parse_time(std::string_view text) {
    namespace chrono = std::chrono;
    static constexpr std::string_view kShape = "dddd-dd-ddTdd:dd:ddZ";
    if (text.size() != kShape.size() && text.size() != 10) return std::nullopt;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool digit = text[i] >= '0' && text[i] <= '9';
        if (kShape[i] == 'd' ? !digit : text[i] != kShape[i]) return std::nullopt;
    }
    const auto number = [&](std::size_t at, std::size_t size) {
        return shared::parse_number<int>(text.substr(at, size)).value_or(0);
    };
    const chrono::year_month_day day(chrono::year(number(0, 4)),
                                     chrono::month(static_cast<unsigned>(number(5, 2))),
                                     chrono::day(static_cast<unsigned>(number(8, 2))));
    if (!day.ok() || number(0, 4) < 1970 || number(0, 4) > 2250) return std::nullopt;
    shared::WallTime time = chrono::sys_days(day);
    if (text.size() == 10) return time;
    if (number(11, 2) > 23 || number(14, 2) > 59 || number(17, 2) > 59) return std::nullopt;
    return time + chrono::hours(number(11, 2)) + chrono::minutes(number(14, 2)) +
           chrono::seconds(number(17, 2));
}

// Position of a page as the key of its cursor: "<at in ms>.<id>".
std::string to_key(const store::AuditRecord& record) {
    const auto ms = std::chrono::floor<std::chrono::milliseconds>(record.at.time_since_epoch());
    return std::to_string(ms.count()) + '.' + record.id;
}

std::optional<store::AuditPosition> read_position(shared::http::Query& in, std::string_view store) {
    const auto key = in.after();
    if (!key) return std::nullopt;
    const auto dot = std::min(key->find('.'), key->size());
    const auto ms = shared::parse_number<std::int64_t>(std::string_view(*key).substr(0, dot));
    const std::string id = dot < key->size() ? key->substr(dot + 1) : std::string();
    // Of the store that is asked: 24 hex digits, or a number.
    const bool fits = store == "mongodb"
                          ? id.size() == 24 && id.find_first_not_of("0123456789abcdef") == std::string::npos
                          : shared::parse_number<std::int64_t>(std::string_view(id)).value_or(-1) >= 0;
    if (!ms || *ms < 0 || *ms > kLatestMs || !fits) {
        in.error("after", "kursor tidak sah");
        return std::nullopt;
    }
    return store::AuditPosition{shared::WallTime(std::chrono::milliseconds(*ms)), id};
}

std::string as_json(const store::AuditRecords& records) {
    shared::json::Writer out;
    out.array([&] {
        for (const auto& record : records) {
            out.object([&] {
                out.member("at", iso_time(record.at));
                out.member("event", record.event);
                out.member("actor", record.actor);
                out.member("subject", record.subject);
                out.member("name", record.name);
                out.member("client_address", record.client_address);
                out.member("request_id", record.request_id);
                out.member("detail", record.detail);
            });
        }
    });
    return std::string(out.str());
}

// Every field in quotes (RFC 4180), and an apostrophe before what a spreadsheet would take for a formula:
// names and request ids are what a client sent.
std::string csv_field(std::string_view text) {
    std::string field = "\"";
    if (!text.empty() && std::string_view("=+-@\t").find(text.front()) != std::string_view::npos)
        field += '\'';
    for (const char c : text) {
        if (c == '"') field += '"';
        field += c;
    }
    return field + '"';
}

std::string as_csv(const store::AuditRecords& records) {
    std::string out = "at,event,actor,subject,name,client_address,request_id,detail\r\n";
    for (const auto& record : records) {
        out += csv_field(iso_time(record.at));
        for (const auto* text : {&record.event, &record.actor, &record.subject, &record.name,
                                 &record.client_address, &record.request_id, &record.detail})
            out += ',' + csv_field(*text);
        out += "\r\n";
    }
    return out;
}

}  // namespace

Answer list_audit(Context& context, Request& request) {
    shared::http::Query in(request);
    store::AuditQuery query;
    const int limit = in.limit();
    query.after = read_position(in, context.database.kind());
    query.actor = in.text("actor", kMaxText).value_or("");
    query.subject = in.text("subject", kMaxText).value_or("");
    query.event = in.text("event", kMaxText).value_or("");
    const std::string shape = "harus waktu seperti 2026-08-01T07:30:00Z atau 2026-08-01";
    query.from = in.parsed("from", parse_time, shape);
    query.to = in.parsed("to", parse_time, shape);
    if (!in.ok()) co_return in.refusal();
    query.limit = static_cast<std::size_t>(limit) + 1;
    auto records = co_await context.database.audit().list(std::move(query));
    if (!records) co_return store_failure(records.error());
    const bool more = shared::http::cut_to_page(*records, limit);
    auto response = private_json(200, "");
    if (request.header("Accept").find("text/csv") != std::string_view::npos) {
        response.content_type = "text/csv; charset=utf-8; header=present";
        response.body = as_csv(*records);
    } else {
        response.body = as_json(*records);
    }
    response.with("Vary", "Accept");
    if (more) shared::http::next_page(response, request, to_key(records->back()));
    co_return response;
}

}  // namespace auth::api
