#include "services/acad/store/records.hpp"

#include "services/acad/store/text.hpp"

namespace asio = boost::asio;
namespace pg = shared::pg;
using shared::Result;

namespace acad::store {
namespace {

std::string place(std::size_t number) {
    return "$" + std::to_string(number);
}

// Each column's text, with `separator` between two; from the column `first` on.
template <class Text>
std::string joined(const Table& table, std::size_t first, const char* separator, Text text) {
    std::string result;
    for (std::size_t i = first; i < table.columns.size(); ++i) {
        if (i > first) result += separator;
        result += text(std::string(table.columns[i].name), i + 1);
    }
    return result;
}

std::string with_place(std::string_view condition, const std::string& value) {
    std::string result;
    for (const char c : condition) c == '$' ? result += value : result += c;
    return result;
}

std::string version_check(std::size_t number) {
    const auto list = place(number) + "::bigint[]";
    return " AND (" + list + " IS NULL OR versi = ANY (" + list + "))";
}

Record read(const Table& table, const pg::Rows& rows, int i) {
    Record row;
    const auto count = static_cast<int>(table.columns.size());
    for (int column = 0; column < count; ++column) row.values.push_back(rows.value(i, column));
    row.versi = rows.integer(i, count);
    return row;
}

}  // namespace

Records::Texts::Texts(const Table& table) {
    const std::string name(table.name);
    const std::string key(table.key().name);
    const auto count = table.columns.size();
    const auto names = joined(table, 0, ", ", [](const std::string& column, std::size_t) { return column; });
    const auto places = joined(table, 0, ", ", [](const std::string&, std::size_t n) { return place(n); });
    const auto select = "SELECT " + names + ", versi FROM " + name;

    list = select + " WHERE ($1::text IS NULL OR " + key + " > $1)";
    auto next = std::size_t{2};
    for (const auto& filter : table.filters) {
        const auto value = place(next++);
        list += " AND (" + value + "::text IS NULL OR (" + with_place(filter.condition, value) + "))";
    }
    list += " ORDER BY " + key + " LIMIT " + place(next) + "::int";
    find = select + " WHERE " + key + " = $1";
    insert =
        "INSERT INTO " + name + " (" + names + ") VALUES (" + places + ") RETURNING " + names + ", versi";
    update = "UPDATE " + name + " SET " +
             joined(table, 1, ", ",
                    [](const std::string& column, std::size_t n) { return column + " = " + place(n); }) +
             " WHERE " + key + " = $1" + version_check(count + 1) + " RETURNING versi";
    remove = "DELETE FROM " + name + " WHERE " + key + " = $1" + version_check(2);
    const auto of_table = [&](const std::string& column, std::size_t) { return name + "." + column; };
    const auto of_new = [](const std::string& column, std::size_t) { return "excluded." + column; };
    const auto array = [&](const std::string&, std::size_t n) {
        return place(n) + (table.columns[n - 1].is_number() ? "::int[]" : "::text[]");
    };
    upsert = "INSERT INTO " + name + " (" + names + ") SELECT * FROM unnest(" +
             joined(table, 0, ", ", array) + ") ON CONFLICT (" + key + ") DO UPDATE SET " +
             joined(table, 1, ", ",
                    [](const std::string& column, std::size_t) { return column + " = excluded." + column; }) +
             " WHERE (" + joined(table, 1, ", ", of_table) + ") IS DISTINCT FROM (" +
             joined(table, 1, ", ", of_new) + ") RETURNING xmax = 0";
}

const Records::Texts& Records::of(const Table& table) {
    return texts_.try_emplace(&table, table).first->second;
}

asio::awaitable<Result<std::vector<Record>>> Records::list(const Table& table, RecordFilter filter) {
    pg::Params params{std::move(filter.after)};
    for (std::size_t i = 0; i < table.filters.size(); ++i) {
        auto value = i < filter.values.size() ? std::move(filter.values[i]) : std::nullopt;
        if (value && table.filters[i].part_of) value = contains_pattern(*value);
        params.push_back(std::move(value));
    }
    params.emplace_back(std::to_string(filter.limit));
    const pg::Statement statement(of(table).list.c_str());
    const auto rows = co_await pool_.query(statement, std::move(params));
    if (!rows) co_return rows.error();
    std::vector<Record> result;
    for (int i = 0; i < rows->size(); ++i) result.push_back(read(table, *rows, i));
    co_return result;
}

asio::awaitable<Result<std::optional<Record>>> Records::find(const Table& table, std::string key) {
    const pg::Statement statement(of(table).find.c_str());
    pg::Params params{std::move(key)};
    const auto rows = co_await pool_.query(statement, std::move(params));
    if (!rows) co_return rows.error();
    std::optional<Record> row;
    if (!rows->empty()) row = read(table, *rows, 0);
    co_return row;
}

asio::awaitable<Result<Record>> Records::create(const Table& table, domain::Pelaku pelaku, Record row) {
    const pg::Statement statement(of(table).insert.c_str());
    const auto rows = co_await write_as(pool_, std::move(pelaku), statement, std::move(row.values));
    if (!rows) co_return rows.error();
    co_return read(table, *rows, 0);
}

asio::awaitable<Result<Outcome>> Records::replace(const Table& table, domain::Pelaku pelaku, Record& row,
                                                  Versions versions) {
    const pg::Statement statement(of(table).update.c_str());
    pg::Params params = row.values;
    params.push_back(versions.param());
    const auto rows = co_await write_as(pool_, std::move(pelaku), statement, std::move(params));
    if (!rows) co_return rows.error();
    if (rows->empty()) co_return co_await why_not(table, row.key());
    row.versi = rows->integer(0, 0);
    co_return Outcome::done;
}

asio::awaitable<Result<Outcome>> Records::remove(const Table& table, domain::Pelaku pelaku, std::string key,
                                                 Versions versions) {
    const pg::Statement statement(of(table).remove.c_str());
    pg::Params params{key, versions.param()};
    const auto rows = co_await write_as(pool_, std::move(pelaku), statement, std::move(params));
    if (!rows) co_return rows.error();
    if (rows->affected() == 0) co_return co_await why_not(table, std::move(key));
    co_return Outcome::done;
}

// Nothing was changed: because there is nothing, or because it has another version.
asio::awaitable<Result<Outcome>> Records::why_not(const Table& table, std::string key) {
    const auto row = co_await find(table, std::move(key));
    if (!row) co_return row.error();
    co_return *row ? Outcome::stale : Outcome::not_found;
}

}  // namespace acad::store
