#include "shared/pg/pg.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

#include "shared/base/text.hpp"

namespace shared::pg {
namespace {

class Category final : public boost::system::error_category {
  public:
    const char* name() const noexcept override { return "shared.pg"; }
    std::string message(int value) const override {
        switch (static_cast<Errc>(value)) {
            case Errc::unavailable:
                return "database unavailable";
            case Errc::pool_exhausted:
                return "no database connection became free in time";
            case Errc::timeout:
                return "statement took too long";
            case Errc::unique_violation:
                return "unique violation";
            case Errc::foreign_key_violation:
                return "foreign key violation";
            case Errc::check_violation:
                return "value breaks a rule of the schema";
            case Errc::serialization_failure:
                return "serialization failure or deadlock";
            case Errc::query_failed:
                return "query failed";
        }
        return "unknown";
    }
};

}  // namespace

const boost::system::error_category& category() {
    static const Category instance;
    return instance;
}

// PostgreSQL documentation, appendix A (error codes).
Errc from_sqlstate(std::string_view sqlstate) {
    struct Entry {
        std::string_view state;
        Errc errc;
    };
    static constexpr std::array kExact{
        Entry{"23505", Errc::unique_violation},
        Entry{"23503", Errc::foreign_key_violation},
        Entry{"23001", Errc::foreign_key_violation},  // restrict_violation
        Entry{"23514", Errc::check_violation},
        Entry{"23502", Errc::check_violation},  // not null
        Entry{"23P01", Errc::check_violation},  // exclusion
        Entry{"22001", Errc::check_violation},  // string too long
        Entry{"22003", Errc::check_violation},  // number out of range
        Entry{"22007", Errc::check_violation},  // no date or time
        Entry{"22008", Errc::check_violation},  // date or time out of range
        Entry{"22021", Errc::check_violation},  // bytes that are no valid text
        Entry{"22P02", Errc::check_violation},  // text that is no value of the type
        Entry{"40001", Errc::serialization_failure},
        Entry{"40P01", Errc::serialization_failure},
        Entry{"57014", Errc::timeout},      // query_canceled: statement_timeout
        Entry{"55P03", Errc::timeout},      // lock_timeout
        Entry{"25006", Errc::unavailable},  // read-only: the primary has moved
        Entry{"25P03", Errc::unavailable},  // idle in transaction for too long
        Entry{"57P01", Errc::unavailable},  // shutdown or pg_terminate_backend
        Entry{"57P02", Errc::unavailable},
        Entry{"57P03", Errc::unavailable},  // starting up
        Entry{"57P05", Errc::unavailable},  // idle session timeout
    };
    if (sqlstate.size() != 5) return Errc::unavailable;
    for (const auto& entry : kExact) {
        if (entry.state == sqlstate) return entry.errc;
    }
    const auto group = sqlstate.substr(0, 2);
    if (group == "08" || group == "53" || group == "58") return Errc::unavailable;
    return Errc::query_failed;
}

std::int64_t Rows::integer(int row, int column) const {
    const auto value = parse_number<std::int64_t>(text(row, column));
    if (!value) throw std::logic_error("column " + std::to_string(column) + " is no integer");
    return *value;
}

std::int64_t Rows::affected() const {
    if (!result_) return 0;
    return parse_number<std::int64_t>(PQcmdTuples(result_.get())).value_or(0);
}

}  // namespace shared::pg
