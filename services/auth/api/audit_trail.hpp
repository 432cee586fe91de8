// Audit records on their way to the log and the store. Recording never makes a request wait or fail: records
// are logged at once and stored in batches; while the database is down they wait, up to a limit.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>

#include "services/auth/store/audit_store.hpp"

namespace auth::api {

// For one io_context and its one thread.
class AuditTrail {
  public:
    AuditTrail(boost::asio::io_context& io, store::AuditStore& store) : store_(store), pause_(io) {}

    void record(store::AuditRecord record);

    // Stores what comes in, until stop(), and then what is left, once. Spawned once.
    boost::asio::awaitable<void> store_all();
    void stop();

    std::size_t waiting() const { return queue_.size(); }

  private:
    boost::asio::awaitable<bool> store_batch();

    store::AuditStore& store_;
    boost::asio::steady_timer pause_;
    std::deque<store::AuditRecord> queue_;
    std::uint64_t dropped_ = 0;
    bool stopped_ = false;
};

}  // namespace auth::api
