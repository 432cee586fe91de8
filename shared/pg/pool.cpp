#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <deque>

#include "shared/log/log.hpp"
#include "shared/pg/connection.hpp"
#include "shared/pg/conninfo.hpp"

namespace asio = boost::asio;

namespace shared::pg {
namespace {

using ConnectionPtr = std::shared_ptr<Connection>;

constexpr Statement kPing("SELECT 1");
constexpr Statement kCommit("COMMIT");
constexpr Statement kRollback("ROLLBACK");

// The server's own statement_timeout should end a statement first, because then the connection stays; ours is
// for a server that does not answer any more.
constexpr std::chrono::milliseconds kServerHeadStart{1000};

struct Waiter {
    explicit Waiter(asio::io_context& io) : timer(io) {}
    asio::steady_timer timer;
    bool granted = false;
    ConnectionPtr connection;  // null with granted: the right to open one
};

Keywords with_defaults(const PoolOptions& options) {
    auto keywords = parse_conninfo(options.conninfo);
    if (!options.application_name.empty())
        set_default(keywords, "application_name", options.application_name);
    set_default(keywords, "client_encoding", "UTF8");
    set_default(keywords, "gssencmode", "disable");  // one round trip and a credential cache look-up less
    set_default(keywords, "keepalives_idle", "30");
    set_default(keywords, "keepalives_interval", "10");
    set_default(keywords, "keepalives_count", "3");
    set_default(keywords, "tcp_user_timeout", "15000");
    return keywords;
}

}  // namespace

struct Pool::Impl : std::enable_shared_from_this<Pool::Impl> {
    Impl(asio::io_context& context, PoolOptions pool_options)
        : io(context), options(std::move(pool_options)), resolver(io, with_defaults(options)) {}

    asio::io_context& io;
    PoolOptions options;
    HostResolver resolver;
    std::vector<ConnectionPtr> idle;  // the last one used is the first one taken: few stay warm
    std::deque<std::shared_ptr<Waiter>> waiters;
    std::size_t open = 0;  // idle, in use, or being made
    bool closed = false;
    bool reported_down = false;

    ConnectionPtr health;
    bool pinging = false;
    bool last_ping = false;
    std::vector<std::weak_ptr<asio::steady_timer>> ping_joiners;

    std::chrono::milliseconds client_limit() const { return options.statement_timeout + kServerHeadStart; }

    asio::awaitable<Result<ConnectionPtr>> connect(std::chrono::milliseconds limit);
    // Takes a connection back, or the right to open one (null).
    void release(ConnectionPtr connection);
    void close();
    void report(const std::string& failure);
};

namespace {

// Holds one of the pool's places; gives it back when it goes.
class Lease {
  public:
    Lease(std::shared_ptr<Pool::Impl> pool, ConnectionPtr connection)
        : pool_(std::move(pool)), connection_(std::move(connection)) {}
    Lease(Lease&& other) noexcept = default;
    Lease& operator=(Lease&&) = delete;
    ~Lease() {
        if (pool_) pool_->release(std::move(connection_));
    }
    Connection* operator->() const { return connection_.get(); }
    bool empty() const { return !connection_; }
    void set(ConnectionPtr connection) { connection_ = std::move(connection); }

  private:
    std::shared_ptr<Pool::Impl> pool_;
    ConnectionPtr connection_;
};

// Waits for a place. Error: pool_exhausted.
asio::awaitable<Result<ConnectionPtr>> wait_for_place(std::shared_ptr<Pool::Impl> pool) {
    if (pool->waiters.size() >= pool->options.max_waiters) co_return Errc::pool_exhausted;
    const auto waiter = std::make_shared<Waiter>(pool->io);
    pool->waiters.push_back(waiter);
    waiter->timer.expires_after(pool->options.acquire_timeout);
    ErrorCode ignored;
    co_await waiter->timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    if (waiter->granted) co_return std::move(waiter->connection);
    const auto place = std::find(pool->waiters.begin(), pool->waiters.end(), waiter);
    if (place != pool->waiters.end()) pool->waiters.erase(place);
    co_return pool->closed ? Errc::unavailable : Errc::pool_exhausted;
}

asio::awaitable<Result<Lease>> acquire(std::shared_ptr<Pool::Impl> pool) {
    if (pool->closed) co_return Errc::unavailable;
    ConnectionPtr connection;
    while (!pool->idle.empty()) {
        connection = std::move(pool->idle.back());
        pool->idle.pop_back();
        if (connection->still_alive()) break;
        connection.reset();
        --pool->open;
    }
    if (!connection) {
        if (pool->open < pool->options.size) {
            ++pool->open;
        } else {
            auto granted = co_await wait_for_place(pool);
            if (!granted) co_return granted.error();
            connection = std::move(*granted);
        }
    }
    Lease lease(pool, std::move(connection));
    if (lease.empty()) {
        auto opened = co_await pool->connect(pool->options.connect_timeout);
        if (!opened) co_return opened.error();
        lease.set(std::move(*opened));
    }
    co_return Result<Lease>(std::move(lease));
}

asio::awaitable<Result<Rows>> run_query(std::shared_ptr<Pool::Impl> pool, Statement statement,
                                        Params params) {
    for (int attempt = 0;; ++attempt) {
        auto lease = co_await acquire(pool);
        if (!lease) co_return lease.error();
        auto rows = co_await (*lease)->run(nullptr, statement, params, pool->client_limit());
        // The one safe second try: nothing of the statement had left this process.
        if (!rows && (*lease)->unsent() && attempt == 0) continue;
        co_return rows;
    }
}

asio::awaitable<void> roll_back(std::shared_ptr<Pool::Impl> pool, Lease lease) {
    const Params none;
    const auto result = co_await lease->run(nullptr, kRollback, none, pool->client_limit());
    if (!result) log::warn("rollback_failed", {{"error", result.error().message()}});
}

asio::awaitable<bool> ping_once(std::shared_ptr<Pool::Impl> pool, std::chrono::milliseconds timeout) {
    if (pool->health && !pool->health->still_alive()) pool->health.reset();
    if (!pool->health) {
        auto opened = co_await pool->connect(timeout);
        if (!opened || pool->closed) co_return false;
        pool->health = std::move(*opened);
    }
    const auto connection = pool->health;
    const Params none;
    const auto rows = co_await connection->run(nullptr, kPing, none, timeout);
    if (!rows) pool->health.reset();
    co_return rows.has_value();
}

asio::awaitable<bool> ping_shared(std::shared_ptr<Pool::Impl> pool, std::chrono::milliseconds timeout) {
    if (pool->closed) co_return false;
    if (pool->pinging) {
        const auto timer = std::make_shared<asio::steady_timer>(pool->io, timeout);
        pool->ping_joiners.emplace_back(timer);
        ErrorCode ignored;
        co_await timer->async_wait(asio::redirect_error(asio::use_awaitable, ignored));
        co_return ignored == asio::error::operation_aborted && pool->last_ping;
    }
    pool->pinging = true;
    const bool alive = co_await ping_once(pool, timeout);
    pool->pinging = false;
    pool->last_ping = alive;
    for (const auto& weak : std::exchange(pool->ping_joiners, {})) {
        if (const auto timer = weak.lock()) timer->cancel();
    }
    co_return alive;
}

}  // namespace

asio::awaitable<Result<ConnectionPtr>> Pool::Impl::connect(std::chrono::milliseconds limit) {
    const auto self = shared_from_this();
    auto keywords = co_await resolver.resolve(limit);
    if (!keywords) {
        report("cannot resolve the host name: " + keywords.error().message());
        co_return Errc::unavailable;
    }
    const auto connection = std::make_shared<Connection>(io);
    std::string failure;
    const auto connected =
        co_await connection->connect(std::move(*keywords), limit, options.statement_timeout, failure);
    if (!connected) {
        report(failure);
        co_return Errc::unavailable;
    }
    if (reported_down) log::info("database_reachable");
    reported_down = false;
    co_return connection;
}

// One line when the database goes and one when it is back, not one a request.
void Pool::Impl::report(const std::string& failure) {
    if (!reported_down) log::warn("database_unreachable", {{"error", failure}});
    reported_down = true;
}

void Pool::Impl::release(ConnectionPtr connection) {
    if (connection && (connection->broken() || closed)) connection.reset();
    if (!waiters.empty() && !closed) {
        const auto waiter = std::move(waiters.front());
        waiters.pop_front();
        waiter->granted = true;
        waiter->connection = std::move(connection);
        waiter->timer.cancel();
        return;
    }
    if (connection) {
        idle.push_back(std::move(connection));
    } else {
        --open;
    }
}

void Pool::Impl::close() {
    closed = true;
    open -= idle.size();
    idle.clear();
    health.reset();
    for (const auto& waiter : std::exchange(waiters, {})) waiter->timer.cancel();
}

Pool::Pool(asio::io_context& io, PoolOptions options)
    : impl_(std::make_shared<Impl>(io, std::move(options))) {}

Pool::~Pool() {
    impl_->close();
}

// These are no coroutines themselves: what they start owns the pool's state and outlives the Pool object.
asio::awaitable<Result<Rows>> Pool::query(Statement statement, Params params) {
    return run_query(impl_, statement, std::move(params));
}

asio::awaitable<bool> Pool::ping(std::chrono::milliseconds timeout) {
    return ping_shared(impl_, timeout);
}

void Pool::close() {
    impl_->close();
}

Pool::Counts Pool::counts() const {
    return {impl_->open, impl_->idle.size(), impl_->waiters.size()};
}

struct Transaction::Impl {
    Impl(std::shared_ptr<Pool::Impl> owner, Lease place) : pool(std::move(owner)), lease(std::move(place)) {}

    std::shared_ptr<Pool::Impl> pool;
    Lease lease;
    bool begun = false;
    bool finished = false;
};

Transaction::Transaction(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Transaction::Transaction(Transaction&&) noexcept = default;

// What is overwritten ends like any other that goes out of scope.
Transaction& Transaction::operator=(Transaction&& other) noexcept {
    Transaction old(std::move(impl_));
    impl_ = std::move(other.impl_);
    return *this;
}

Transaction::~Transaction() {
    if (!impl_ || !impl_->begun || impl_->finished || impl_->lease->broken()) return;
    auto pool = impl_->pool;
    auto& io = pool->io;
    asio::co_spawn(io, roll_back(std::move(pool), std::move(impl_->lease)), [](std::exception_ptr failure) {
        if (failure) log::error("rollback_threw");
    });
}

asio::awaitable<Result<Transaction>> Pool::begin() {
    return [](std::shared_ptr<Pool::Impl> pool) -> asio::awaitable<Result<Transaction>> {
        auto lease = co_await acquire(pool);
        if (!lease) co_return lease.error();
        auto impl = std::make_unique<Transaction::Impl>(pool, std::move(*lease));
        Transaction transaction(std::move(impl));
        co_return Result<Transaction>(std::move(transaction));
    }(impl_);
}

asio::awaitable<Result<Rows>> Transaction::query(Statement statement, Params params) {
    const char* prefix = impl_->begun ? nullptr : "BEGIN";
    impl_->begun = true;
    auto rows = co_await impl_->lease->run(prefix, statement, params, impl_->pool->client_limit());
    co_return rows;
}

asio::awaitable<Result<>> Transaction::commit() {
    impl_->finished = true;
    if (!impl_->begun) co_return Result<>{};
    const Params none;
    const auto rows = co_await impl_->lease->run(nullptr, kCommit, none, impl_->pool->client_limit());
    if (!rows) co_return rows.error();
    co_return Result<>{};
}

}  // namespace shared::pg
