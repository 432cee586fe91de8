// Every write of the service is one transaction that says who acts, so that the triggers can record it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "services/acad/domain/akses.hpp"
#include "shared/pg/pg.hpp"

namespace acad::store {

// `alasan`: why a grade is changed; may be empty.
boost::asio::awaitable<shared::Result<shared::pg::Transaction>> begin_as(shared::pg::Pool& pool,
                                                                         domain::Pelaku pelaku,
                                                                         std::string alasan = "");

// One statement as such a transaction, committed.
boost::asio::awaitable<shared::Result<shared::pg::Rows>> write_as(shared::pg::Pool& pool,
                                                                  domain::Pelaku pelaku,
                                                                  shared::pg::Statement statement,
                                                                  shared::pg::Params params);

// What If-Match allows (RFC 9110 section 13.1.1): any version, or one of these.
struct Versions {
    bool any = true;
    std::vector<std::int64_t> allowed;

    bool match(std::int64_t versi) const;
    // As a parameter of "($n::bigint[] IS NULL OR versi = ANY ($n::bigint[]))".
    shared::pg::Value param() const;
};

// How a write to one row ended.
enum class Outcome { done, not_found, stale };

}  // namespace acad::store
