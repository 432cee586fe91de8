// Who did what to an account, from where, when. Never a password or a token.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string>
#include <vector>

#include "services/auth/store/errors.hpp"
#include "shared/base/clock.hpp"

namespace auth::store {

using boost::asio::awaitable;
using shared::WallTime;

struct AuditRecord {
    std::string id;  // given by the store
    WallTime at{};
    std::string event;    // snake_case: login_succeeded, login_refused, role_changed, …
    std::string actor;    // account id of who did it; empty: nobody was logged in
    std::string subject;  // account id of whom it is about; empty: no such account
    std::string name;     // the user name or e-mail as given, for attempts
    std::string client_address;
    std::string request_id;
    std::string detail;  // reason, old and new role, session id
};

// What goes with a change: stored with it or, where that takes several writes, closed after it.
using AuditRecords = std::vector<AuditRecord>;

// Where a page begins: behind this one.
struct AuditPosition {
    WallTime at{};
    std::string id;
};

struct AuditQuery {
    std::string actor;  // empty: any; the same below
    std::string subject;
    std::string event;
    std::optional<WallTime> from;
    std::optional<WallTime> to;  // not itself
    std::optional<AuditPosition> after;
    std::size_t limit = 50;
};

class AuditStore {
  public:
    virtual ~AuditStore() = default;

    virtual awaitable<Result<>> append(AuditRecords records) = 0;
    // The newest first.
    virtual awaitable<Result<AuditRecords>> list(AuditQuery query) = 0;
    virtual awaitable<Result<std::int64_t>> sweep(WallTime before) = 0;
};

}  // namespace auth::store
