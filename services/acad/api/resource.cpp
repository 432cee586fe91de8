#include "services/acad/api/resource.hpp"

#include <algorithm>

#include "shared/http/answers.hpp"
#include "shared/http/etag.hpp"
#include "shared/http/query.hpp"

namespace acad::api {

namespace http = shared::http;
using shared::json::FieldError;
using shared::json::ObjectReader;
using store::Column;
using store::Record;

namespace {

void write(shared::json::Writer& writer, const store::Table& table, const Record& row) {
    writer.object([&] {
        for (std::size_t i = 0; i < table.columns.size(); ++i) {
            const auto& column = table.columns[i];
            const auto& value = row.values[i];
            writer.key(column.name);
            if (value && column.is_number())
                writer.raw_number(*value);
            else if (value || (column.required && !column.is_number()))
                writer.value(value.value_or(""));  // a text that the first release left out is an empty one
            else
                writer.null();
        }
    });
}

Response json(unsigned status, const Resource& resource, std::string body) {
    return resource.personal ? http::private_json(status, std::move(body))
                             : http::json_response(status, std::move(body));
}

Response one(const Request& request, unsigned status, const Resource& resource, const Record& row) {
    shared::json::Writer writer;
    write(writer, resource.table, row);
    return http::versioned(request, json(status, resource, writer.str()), row.versi);
}

Response absent(const Resource& resource) {
    return http::not_found(std::string(resource.not_found_code), std::string(resource.not_found));
}

shared::pg::Value read_number(ObjectReader& in, const Column& column) {
    if (column.required) return std::to_string(in.required_integer(column.name, column.min, column.max));
    if (in.take_null(column.name)) return std::nullopt;  // null says the same as an absent member
    const auto number = in.optional_integer(column.name, column.min, column.max);
    if (!number) return std::nullopt;
    return std::to_string(*number);
}

shared::pg::Value read_text(ObjectReader& in, const Column& column) {
    const shared::json::TextRule rule{.max_length = column.max_length};
    if (!column.required && in.take_null(column.name)) return std::nullopt;
    auto text = column.required ? in.required_text(column.name, rule) : in.optional_text(column.name, rule);
    if (text && !text->empty())
        if (const auto fault = shape_fault(column, *text); !fault.empty()) in.error(column.name, fault);
    return text;
}

// `key` is given for a row that exists; in the body it may then be left out.
Record read(const rapidjson::Value& body, const Resource& resource, const std::string* key,
            std::vector<FieldError>& errors) {
    Record row;
    ObjectReader in(body, errors);
    for (const auto& column : resource.table.columns) {
        if (key != nullptr && &column == &resource.table.key()) {
            const auto given = in.optional_text(column.name, {.max_length = column.max_length});
            if (given && *given != *key)
                in.error(column.name, "harus sama dengan " + std::string(resource.key_name) + " pada alamat");
            row.values.emplace_back(*key);
        } else {
            row.values.push_back(column.is_number() ? read_number(in, column) : read_text(in, column));
        }
    }
    in.finish();
    return row;
}

http::Refused<Record> read_body(const Request& request, const Resource& resource, const std::string* key) {
    auto body = http::read_json_body(request);
    if (body.refusal) return std::move(*body.refusal);
    std::vector<FieldError> errors;
    auto row = read(body.document, resource, key, errors);
    if (!errors.empty()) return http::validation_failed(std::move(errors));
    return row;
}

// The key in the path; one that no row can have is not looked for.
http::Refused<std::string> key_of(const Request& request, const Resource& resource) {
    const auto& column = resource.table.key();
    const auto& key = request.param(column.name);
    if (!plausible_key(key, column.max_length)) return absent(resource);
    return key;
}

}  // namespace

http::Refused<store::RecordFilter> read_filter(const Request& request, const store::Table& table) {
    http::Query query(request);
    store::RecordFilter filter;
    for (const auto& entry : table.filters) {
        const auto& column = entry.value;
        if (!column.is_number()) {
            filter.values.push_back(query.text(column.name, column.max_length));
            continue;
        }
        const auto number = query.integer(column.name, column.min, column.max);
        filter.values.push_back(number ? shared::pg::Value(std::to_string(*number)) : std::nullopt);
    }
    filter.after = query.after();
    filter.limit = query.limit();
    if (!query.ok()) return query.refusal();
    return filter;
}

shared::pg::Value& filter_value(store::RecordFilter& filter, const store::Table& table,
                                std::string_view name) {
    const auto entry = std::find_if(table.filters.begin(), table.filters.end(),
                                    [&](const auto& row) { return row.value.name == name; });
    return filter.values.at(static_cast<std::size_t>(entry - table.filters.begin()));
}

Reply list_page(Context& context, Request& request, const Resource& resource, store::RecordFilter filter) {
    const int limit = filter.limit;
    filter.limit = limit + 1;  // one more tells whether there is a next page
    auto rows = co_await context.records.list(resource.table, std::move(filter));
    if (!rows) co_return database_failed(rows.error());
    const bool more = http::cut_to_page(*rows, limit);
    shared::json::Writer writer;
    writer.array([&] {
        for (const auto& row : *rows) write(writer, resource.table, row);
    });
    auto response = json(200, resource, writer.str());
    if (more) http::next_page(response, request, rows->back().key());
    co_return response;
}

Reply list_rows(Context& context, Request& request, const Resource& resource) {
    auto filter = read_filter(request, resource.table);
    if (!filter) co_return filter.error();
    co_return co_await list_page(context, request, resource, std::move(*filter));
}

Reply get_row(Context& context, Request& request, const Resource& resource) {
    auto key = key_of(request, resource);
    if (!key) co_return key.error();
    const auto row = co_await context.records.find(resource.table, *key);
    if (!row) co_return database_failed(row.error());
    if (!*row) co_return absent(resource);
    co_return one(request, 200, resource, **row);
}

Reply create_row(Context& context, Request& request, const Resource& resource) {
    auto row = read_body(request, resource, nullptr);
    if (!row) co_return row.error();
    const auto created = co_await context.records.create(resource.table, pelaku_of(request), std::move(*row));
    if (created.has_error() && created.error() == shared::pg::Errc::unique_violation)
        co_return http::conflict("already_exists", std::string(resource.taken));
    if (!created) co_return database_failed(created.error());
    auto response = one(request, 201, resource, *created);
    response.with("Location", std::string(resource.path) + "/" + created->key());
    co_return response;
}

Reply replace_row(Context& context, Request& request, const Resource& resource) {
    const auto& path_key = request.param(resource.table.key().name);
    auto row = read_body(request, resource, &path_key);
    if (!row) co_return row.error();
    auto key = key_of(request, resource);
    if (!key) co_return key.error();
    const auto outcome =
        co_await context.records.replace(resource.table, pelaku_of(request), *row, allowed_versions(request));
    if (!outcome) co_return database_failed(outcome.error());
    if (*outcome == store::Outcome::not_found) co_return absent(resource);
    if (*outcome == store::Outcome::stale) co_return http::stale();
    co_return one(request, 200, resource, *row);
}

Reply remove_row(Context& context, Request& request, const Resource& resource) {
    auto key = key_of(request, resource);
    if (!key) co_return key.error();
    const auto outcome =
        co_await context.records.remove(resource.table, pelaku_of(request), *key, allowed_versions(request));
    if (outcome.has_error() && outcome.error() == shared::pg::Errc::foreign_key_violation)
        co_return http::conflict("still_in_use", std::string(resource.in_use));
    if (!outcome) co_return database_failed(outcome.error());
    if (*outcome == store::Outcome::not_found) co_return absent(resource);
    if (*outcome == store::Outcome::stale) co_return http::stale();
    co_return http::no_content();
}

}  // namespace acad::api
