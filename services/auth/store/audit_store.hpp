// Who did what to an account, from where, when. Never a password or a token.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>
#include <vector>

#include "services/auth/store/errors.hpp"
#include "shared/base/clock.hpp"

namespace auth::store {

using boost::asio::awaitable;
using shared::WallTime;

struct AuditRecord {
    WallTime at{};
    std::string event;    // snake_case: login_succeeded, login_refused, role_changed, …
    std::string actor;    // account id of who did it; empty: nobody was logged in
    std::string subject;  // account id of whom it is about; empty: no such account
    std::string name;     // the user name or e-mail as given, for attempts
    std::string client_address;
    std::string request_id;
    std::string detail;  // reason, old and new role, session id
};

class AuditStore {
  public:
    virtual ~AuditStore() = default;

    virtual awaitable<Result<>> append(std::vector<AuditRecord> records) = 0;
    // The newest first.
    virtual awaitable<Result<std::vector<AuditRecord>>> latest(std::size_t limit) = 0;
    virtual awaitable<Result<std::int64_t>> sweep(WallTime before) = 0;
};

}  // namespace auth::store
