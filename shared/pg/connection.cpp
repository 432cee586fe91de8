#include "shared/pg/connection.hpp"

#include <sys/socket.h>

#include <boost/asio/async_result.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>

#include "shared/log/log.hpp"

namespace asio = boost::asio;

namespace shared::pg {
namespace {

constexpr Statement kSettings(
    "SELECT set_config('statement_timeout', $1, false), "
    "set_config('idle_in_transaction_session_timeout', $2, false)");

// libpq prints notices on stderr unless told otherwise.
void ignore_notice(void*, const char*) {}

std::string statement_name(const char* sql) {
    return "s" + std::to_string(reinterpret_cast<std::uintptr_t>(sql));
}

// Up to here libpq keeps everything in its own buffer until the sync (OUTBUFFER_THRESHOLD is 64 KiB in libpq
// 15).
constexpr std::size_t kSurelyBuffered = 60'000;

}  // namespace

Connection::Connection(asio::io_context& io) : socket_(io), timer_(io) {}

Connection::~Connection() {
    if (socket_.is_open()) socket_.release();
    if (conn_ != nullptr) PQfinish(conn_);
}

void Connection::start_deadline(std::chrono::milliseconds limit) {
    deadline_ = Clock::now() + limit;
    timed_out_ = false;
    in_operation_ = true;
    if (!timer_armed_ || deadline_ < timer_at_) arm_timer(deadline_);
}

void Connection::arm_timer(Clock::time_point at) {
    timer_at_ = at;
    timer_armed_ = true;
    timer_.expires_at(at);
    timer_.async_wait([weak = weak_from_this()](ErrorCode error) {
        if (error) return;
        if (const auto self = weak.lock()) self->on_timer();
    });
}

void Connection::on_timer() {
    timer_armed_ = false;
    if (!in_operation_) return;
    if (Clock::now() < deadline_) return arm_timer(deadline_);
    timed_out_ = true;
    ErrorCode ignored;
    if (socket_.is_open()) socket_.cancel(ignored);
}

asio::awaitable<bool> Connection::wait(bool for_read, bool for_write) {
    if (timed_out_) co_return false;
    ErrorCode error;
    if (!(for_read && for_write)) {
        const auto what =
            for_read ? asio::posix::descriptor_base::wait_read : asio::posix::descriptor_base::wait_write;
        co_await socket_.async_wait(what, asio::redirect_error(asio::use_awaitable, error));
        co_return !error && !timed_out_;
    }
    // Whichever comes first; the other wait is cancelled and finds nothing to do.
    auto initiation = [this](auto handler) {
        using Handler = decltype(handler);
        auto pending = std::make_shared<std::optional<Handler>>(std::move(handler));
        auto first = [this, pending](ErrorCode result) {
            if (!*pending) return;
            Handler ready = std::move(**pending);
            pending->reset();
            ErrorCode ignored;
            socket_.cancel(ignored);
            std::move(ready)(!result);
        };
        socket_.async_wait(asio::posix::descriptor_base::wait_read, first);
        socket_.async_wait(asio::posix::descriptor_base::wait_write, first);
    };
    const bool ready = co_await asio::async_initiate<const asio::use_awaitable_t<>&, void(bool)>(
        initiation, asio::use_awaitable);
    co_return ready && !timed_out_;
}

Errc Connection::fail() {
    in_operation_ = false;
    broken_ = true;
    // Also where it was the time that ran out: PostgreSQL ends a statement itself before (57014, timeout), so
    // this is a server or a network that says nothing any more.
    return Errc::unavailable;
}

asio::awaitable<Result<>> Connection::connect(Keywords keywords, std::chrono::milliseconds limit,
                                              std::chrono::milliseconds statement_timeout,
                                              std::string& failure) {
    std::vector<const char*> names;
    std::vector<const char*> values;
    for (const auto& [name, value] : keywords) {
        names.push_back(name.c_str());
        values.push_back(value.c_str());
    }
    names.push_back(nullptr);
    values.push_back(nullptr);

    start_deadline(limit);
    conn_ = PQconnectStartParams(names.data(), values.data(), 0);
    if (conn_ == nullptr) co_return fail();
    PQsetNoticeProcessor(conn_, ignore_notice, nullptr);
    auto state = PQstatus(conn_) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING;
    while (state != PGRES_POLLING_OK) {
        if (state == PGRES_POLLING_FAILED) {
            failure = PQerrorMessage(conn_);
            fail();
            co_return Errc::unavailable;
        }
        // libpq may have closed its socket and opened another, even under the same number.
        ErrorCode error;
        socket_.assign(PQsocket(conn_), error);
        if (error) {
            failure = error.message();
            fail();
            co_return Errc::unavailable;
        }
        const bool reading = state == PGRES_POLLING_READING;
        const bool ready = co_await wait(reading, !reading);
        socket_.release();
        if (!ready) {
            failure = "no answer in time";
            fail();
            co_return Errc::unavailable;
        }
        state = PQconnectPoll(conn_);
    }
    ErrorCode error;
    socket_.assign(PQsocket(conn_), error);
    if (error || PQsetnonblocking(conn_, 1) != 0 || PQenterPipelineMode(conn_) != 1) {
        failure = error ? error.message() : PQerrorMessage(conn_);
        fail();
        co_return Errc::unavailable;
    }
    // Not through `options`: connection poolers in between do not accept that.
    const Params params{std::to_string(statement_timeout.count()),
                        std::to_string(2 * statement_timeout.count())};
    const auto settings = co_await run(nullptr, kSettings, params, limit);
    if (!settings) {
        failure = PQerrorMessage(conn_);
        fail();
        co_return Errc::unavailable;
    }
    co_return Result<>{};
}

bool Connection::still_alive() const {
    if (broken_ || PQstatus(conn_) != CONNECTION_OK) return false;
    char byte = 0;
    const auto count = ::recv(PQsocket(conn_), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
}

bool Connection::queue(const char* prefix, Statement statement, const Params& params, bool& prepares) {
    std::vector<const char*> values;
    values.reserve(params.size());
    for (const auto& param : params) values.push_back(param ? param->c_str() : nullptr);
    if (prefix != nullptr &&
        PQsendQueryParams(conn_, prefix, 0, nullptr, nullptr, nullptr, nullptr, 0) != 1) {
        return false;
    }
    const auto name = statement_name(statement.sql);
    prepares = !prepared_.contains(statement.sql);
    if (prepares && PQsendPrepare(conn_, name.c_str(), statement.sql, 0, nullptr) != 1) return false;
    return PQsendQueryPrepared(conn_, name.c_str(), static_cast<int>(values.size()), values.data(), nullptr,
                               nullptr, 0) == 1;
}

asio::awaitable<bool> Connection::flush() {
    while (true) {
        const int state = PQflush(conn_);
        if (state == 0) co_return true;
        if (state < 0) co_return false;
        // The server may be unable to read because it waits for us to read.
        const bool ready = co_await wait(true, true);
        if (!ready || PQconsumeInput(conn_) == 0) co_return false;
    }
}

asio::awaitable<Result<Rows>> Connection::run(const char* prefix, Statement statement, const Params& params,
                                              std::chrono::milliseconds limit) {
    unsent_ = false;
    std::size_t bytes = 0;
    for (const auto& param : params) {
        if (!param) continue;
        bytes += param->size();
        if (param->find('\0') != std::string::npos) co_return Errc::check_violation;
    }
    start_deadline(limit);
    bool prepares = false;
    if (!queue(prefix, statement, params, prepares)) {
        unsent_ = bytes < kSurelyBuffered;
        co_return fail();
    }
    if (PQpipelineSync(conn_) != 1) co_return fail();
    const bool sent = co_await flush();
    if (!sent) co_return fail();
    auto result = co_await collect(prefix != nullptr, prepares, statement.sql);
    in_operation_ = false;
    co_return result;
}

asio::awaitable<Result<Rows>> Connection::collect(bool has_prefix, bool prepares, const char* sql) {
    const int commands = 1 + (has_prefix ? 1 : 0) + (prepares ? 1 : 0);
    int finished = 0;  // a command's results end with a null result
    Rows rows;
    std::optional<Errc> failure;
    while (true) {
        while (PQisBusy(conn_) != 0) {
            const bool ready = co_await wait(true, false);
            if (!ready || PQconsumeInput(conn_) == 0) co_return fail();
        }
        PGresult* result = PQgetResult(conn_);
        if (result == nullptr) {
            // A broken connection gives null for ever.
            if (PQstatus(conn_) != CONNECTION_OK || ++finished > commands) co_return fail();
            continue;
        }
        const bool is_last = finished == commands - 1;
        const bool is_prepare = prepares && finished == commands - 2;
        switch (PQresultStatus(result)) {
            case PGRES_PIPELINE_SYNC:
                PQclear(result);
                if (failure) co_return *failure;
                co_return rows;
            case PGRES_TUPLES_OK:
            case PGRES_COMMAND_OK:
                if (is_prepare) prepared_.insert(sql);
                if (is_last) {
                    rows = Rows(result);
                } else {
                    PQclear(result);
                }
                break;
            case PGRES_PIPELINE_ABORTED:
                PQclear(result);
                break;
            case PGRES_FATAL_ERROR:
                if (!failure) failure = classify(result, sql);
                PQclear(result);
                break;
            default:  // COPY, for which there is no statement here
                PQclear(result);
                co_return fail();
        }
    }
}

Errc Connection::classify(const PGresult* result, const char* sql) {
    const char* field = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const std::string_view sqlstate = field != nullptr ? field : "";
    const auto errc = from_sqlstate(sqlstate);
    if (errc == Errc::unavailable) broken_ = true;
    // The server has forgotten the statement, or a migration changed its columns: a new connection knows
    // better.
    if (sqlstate == "26000" || sqlstate == "0A000" || sqlstate == "42P05") broken_ = true;
    if (errc == Errc::query_failed) {
        const char* message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
        log::error("query_failed", {{"sqlstate", sqlstate},
                                    {"message", message != nullptr ? message : ""},
                                    {"sql", std::string_view(sql).substr(0, 200)}});
    }
    return errc;
}

}  // namespace shared::pg
