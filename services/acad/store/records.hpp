// Reads and writes the rows of any table that store/table.hpp describes.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "services/acad/store/table.hpp"
#include "services/acad/store/write.hpp"

namespace acad::store {

struct RecordFilter {
    std::optional<std::string> after;       // rows behind this key
    std::vector<shared::pg::Value> values;  // one for each filter of the table; nullopt: not asked for
    int limit = 50;
};

class Records {
  public:
    // The texts of its statements belong to it: it lives as long as the pool is used.
    explicit Records(shared::pg::Pool& pool) : pool_(pool) {}
    Records(const Records&) = delete;
    Records& operator=(const Records&) = delete;

    // Ordered by the key.
    boost::asio::awaitable<shared::Result<std::vector<Record>>> list(const Table& table, RecordFilter filter);
    boost::asio::awaitable<shared::Result<std::optional<Record>>> find(const Table& table, std::string key);
    // The row as stored. Error unique_violation: the key is taken.
    boost::asio::awaitable<shared::Result<Record>> create(const Table& table, domain::Pelaku pelaku,
                                                          Record row);
    // Fills row.versi when done.
    boost::asio::awaitable<shared::Result<Outcome>> replace(const Table& table, domain::Pelaku pelaku,
                                                            Record& row, Versions versions);
    // Error foreign_key_violation: other rows refer to it.
    boost::asio::awaitable<shared::Result<Outcome>> remove(const Table& table, domain::Pelaku pelaku,
                                                           std::string key, Versions versions);

    // Inserts or changes rows given as one array a column. A returned row is "t" for an insert and "f" for a
    // change; those that are as they were are not among them.
    shared::pg::Statement upsert(const Table& table) {
        return shared::pg::Statement(of(table).upsert.c_str());
    }

  private:
    struct Texts {
        explicit Texts(const Table& table);
        std::string list, find, insert, update, remove, upsert;
    };
    const Texts& of(const Table& table);
    boost::asio::awaitable<shared::Result<Outcome>> why_not(const Table& table, std::string key);

    shared::pg::Pool& pool_;
    std::map<const Table*, Texts> texts_;
};

}  // namespace acad::store
