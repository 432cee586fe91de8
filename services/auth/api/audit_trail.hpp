// Audit records of what changes no account: refused attempts, and the like. (A change's own records are
// stored with it, see store/user_store.hpp.) They are logged at once and stored in batches, before the
// answer; while the database is down they wait, up to a limit, and no answer waits for them.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>

#include "services/auth/store/audit_store.hpp"

namespace auth::api {

void log_audit(const store::AuditRecord& record);

// For one io_context and its one thread.
class AuditTrail {
  public:
    AuditTrail(boost::asio::io_context& io, store::AuditStore& store)
        : store_(store), pause_(io), tried_(io, boost::asio::steady_timer::time_point::max()) {}

    // Returns when it is stored, or when that has failed and is tried again later.
    boost::asio::awaitable<void> record(store::AuditRecord record);

    // Stores what comes in, until stop(), and then what is left, once. Spawned once.
    boost::asio::awaitable<void> store_all();
    void stop();

    std::size_t waiting() const { return queue_.size(); }

  private:
    boost::asio::awaitable<bool> store_batch();

    store::AuditStore& store_;
    boost::asio::steady_timer pause_;
    boost::asio::steady_timer tried_;  // never expires: cancelled when a batch is through
    std::deque<store::AuditRecord> queue_;
    std::uint64_t dropped_ = 0;
    std::uint64_t queued_ = 0;   // records that have come
    std::uint64_t through_ = 0;  // of those, stored or dropped
    bool down_ = false;          // the last batch could not be stored
    bool stopped_ = false;
};

}  // namespace auth::api
