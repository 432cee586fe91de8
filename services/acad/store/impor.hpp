// Many rows in one transaction: all of them or none.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "services/acad/domain/semester.hpp"
#include "services/acad/store/records.hpp"

namespace acad::store {

// krs has rules of its own: both ways of a semester, and rows that refer to others.
inline constexpr Column kKrsColumns[] = {
    // Of a student that is there, in whatever shape.
    {.name = "nim", .kind = Kind::text, .max_length = shared::domain::Nim::kMaxLength},
    kode_column("kode_mk"),
    optional(number_column("semester", 1, domain::kLastOrdinal)),
    {.name = "kode_semester", .kind = Kind::kode_semester, .required = false, .min = 19001, .max = 29993},
    {.name = "nilai", .kind = Kind::nilai, .required = false, .max_length = 2},
};

// What a file is imported into.
struct Sasaran {
    std::span<const Column> columns;
    const Table* table = nullptr;  // nullptr: krs
};

// The values of one row in the order of the columns; nullopt: not given.
using ImporRow = std::vector<std::optional<std::string>>;

struct ImporFault {
    std::size_t row = 0;  // index into the rows
    std::string column;
    std::string detail;
};

struct ImporResult {
    std::int64_t ditambah = 0;
    std::int64_t diubah = 0;
    std::vector<ImporFault> faults;  // not empty: nothing was stored
};

class ImporStore {
  public:
    ImporStore(shared::pg::Pool& pool, Records& records) : pool_(pool), records_(records) {}

    // Rows that exist are changed (krs: only the grade, where one is given). `dry_run`: everything but the
    // commit.
    boost::asio::awaitable<shared::Result<ImporResult>> run(domain::Pelaku pelaku, Sasaran sasaran,
                                                            std::vector<ImporRow> rows, bool dry_run);

  private:
    shared::pg::Pool& pool_;
    Records& records_;
};

}  // namespace acad::store
