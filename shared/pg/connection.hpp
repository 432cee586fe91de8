// One connection to PostgreSQL in pipeline mode. Internal to shared/pg: users see Pool and Transaction.
#pragma once

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <unordered_set>

#include "shared/pg/conninfo.hpp"
#include "shared/pg/pg.hpp"

namespace shared::pg {

// Always held by shared_ptr. One operation at a time. The deadline of an operation moves, the timer stays
// armed: a timer that fires early arms itself again, so a statement costs no timer.
class Connection : public std::enable_shared_from_this<Connection> {
  public:
    explicit Connection(boost::asio::io_context& io);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    // Ready for statements afterwards. `failure` receives libpq's text, for the log only.
    boost::asio::awaitable<Result<>> connect(Keywords keywords, std::chrono::milliseconds limit,
                                             std::chrono::milliseconds statement_timeout,
                                             std::string& failure);

    // Parse (at first use), bind, execute and sync in one round trip. `prefix`, if given, is a command
    // without values that goes before it in the same round trip (BEGIN). `params` must live until it returns.
    boost::asio::awaitable<Result<Rows>> run(const char* prefix, Statement statement, const Params& params,
                                             std::chrono::milliseconds limit);

    // The connection cannot be used again and goes away.
    bool broken() const { return broken_; }
    // The last run() failed before one byte of it could have left.
    bool unsent() const { return unsent_; }
    // For a connection that lay idle: nothing may have come in meanwhile. Anything else is the server's
    // farewell (or a notice, and then a new connection costs little).
    bool still_alive() const;

  private:
    using Clock = std::chrono::steady_clock;

    bool queue(const char* prefix, Statement statement, const Params& params, bool& prepares);
    boost::asio::awaitable<bool> flush();
    boost::asio::awaitable<Result<Rows>> collect(bool has_prefix, bool prepares, const char* sql);
    // False: the deadline has passed or the descriptor failed.
    boost::asio::awaitable<bool> wait(bool for_read, bool for_write);
    Errc classify(const PGresult* result, const char* sql);
    Errc fail();

    void start_deadline(std::chrono::milliseconds limit);
    void arm_timer(Clock::time_point at);
    void on_timer();

    boost::asio::posix::stream_descriptor socket_;  // borrowed from libpq: released before PQfinish
    boost::asio::steady_timer timer_;
    PGconn* conn_ = nullptr;
    // Statement texts have static lifetime: the address is the key, and names the statement on the server.
    std::unordered_set<const char*> prepared_;
    Clock::time_point deadline_;
    Clock::time_point timer_at_;
    bool timer_armed_ = false;
    bool in_operation_ = false;
    bool timed_out_ = false;
    bool broken_ = false;
    bool unsent_ = false;
};

}  // namespace shared::pg
