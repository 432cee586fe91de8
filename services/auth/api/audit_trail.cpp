#include "services/auth/api/audit_trail.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "shared/log/log.hpp"

namespace auth::api {
namespace {

using boost::asio::awaitable;

constexpr std::size_t kBatch = 200;
constexpr std::size_t kQueueLimit = 20000;
constexpr std::chrono::milliseconds kPause{200};
constexpr std::chrono::milliseconds kPauseAfterFailure{2000};

}  // namespace

void log_audit(const store::AuditRecord& record) {
    shared::log::info("audit", {{"what", record.event},
                                {"actor", record.actor},
                                {"subject", record.subject},
                                {"name", record.name},
                                {"client", record.client_address},
                                {"request_id", record.request_id},
                                {"detail", record.detail}});
}

awaitable<void> AuditTrail::record(store::AuditRecord record) {
    log_audit(record);
    if (queue_.size() >= kQueueLimit) {  // the log has it; memory is bounded
        queue_.pop_front();
        ++through_;
        if (dropped_++ % 1000 == 0)
            shared::log::error("audit_records_not_stored", {{"count", static_cast<std::int64_t>(dropped_)}});
    }
    queue_.push_back(std::move(record));
    const auto mine = ++queued_;
    if (down_ || stopped_) co_return;
    pause_.cancel();
    while (through_ < mine && !down_ && !stopped_) {
        boost::system::error_code woken;
        co_await tried_.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, woken));
    }
}

awaitable<bool> AuditTrail::store_batch() {
    const auto count = static_cast<std::ptrdiff_t>(std::min(queue_.size(), kBatch));
    const auto end = queue_.begin() + count;
    std::vector<store::AuditRecord> batch(std::make_move_iterator(queue_.begin()),
                                          std::make_move_iterator(end));
    queue_.erase(queue_.begin(), end);
    auto done = co_await store_.append(batch);
    down_ = !done;
    if (done)
        through_ += batch.size();
    else  // back to the front, to be tried again
        queue_.insert(queue_.begin(), std::make_move_iterator(batch.begin()),
                      std::make_move_iterator(batch.end()));
    tried_.cancel();
    co_return done.has_value();
}

awaitable<void> AuditTrail::store_all() {
    while (!stopped_) {
        bool stored = true;
        while (stored && !queue_.empty()) {
            stored = co_await store_batch();
        }
        if (stopped_) break;
        pause_.expires_after(stored ? kPause : kPauseAfterFailure);
        boost::system::error_code cut_short;
        co_await pause_.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, cut_short));
    }
    while (!queue_.empty()) {
        const bool stored = co_await store_batch();
        if (!stored) {
            shared::log::error("audit_records_not_stored", {{"count", queue_.size()}});
            break;
        }
    }
}

void AuditTrail::stop() {
    stopped_ = true;
    pause_.cancel();
    tried_.cancel();
}

}  // namespace auth::api
