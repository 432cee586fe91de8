// The frame of a service: one I/O thread, its HTTP server, what is prepared before it and runs beside it, and
// the end in order.
//
//   stop signal → unhealthy, but serving for drain_delay (balancers look elsewhere) → on_drain: nothing more
//   is accepted, what is in flight is answered → on_drained: no request is left → the last tasks end → run()
//   returns
//
// A second signal ends the process at once.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <exception>
#include <functional>
#include <list>
#include <optional>
#include <string>
#include <vector>

#include "shared/async/bounded_pool.hpp"
#include "shared/http/server.hpp"
#include "shared/metrics/metrics.hpp"

namespace shared::service {

// What came of a try to prepare what the service needs (a schema, an index, a first answer).
enum class Prepared {
    yes,
    not_yet,  // tried again a second later, for as long as it takes
    never,    // the process ends with exit code 1
};

struct Timing {
    std::chrono::milliseconds drain_delay{0};
    std::chrono::milliseconds grace{10'000};          // for requests in flight
    std::chrono::milliseconds retry{1'000};           // between two tries to prepare
    std::chrono::milliseconds blocking_grace{2'000};  // for what blocking() still runs at the end
};

// Declare it first: everything else of the process works on its context and ends before it. One thread.
class Service {
  public:
    explicit Service(Timing timing);
    ~Service();
    Service(const Service&) = delete;
    Service& operator=(const Service&) = delete;

    boost::asio::io_context& context() { return io_; }
    metrics::Registry& metrics() { return metrics_; }

    // Binds the port; answers from run() on. Throws as http::Server does.
    void serve(http::ServerOptions options, http::Router router, http::TokenCheck check);
    std::uint16_t port() const { return server_->port(); }

    // `step` is called from run() on until it says yes or never.
    void prepare(std::function<boost::asio::awaitable<Prepared>()> step);
    bool prepared() const { return prepared_; }
    // A stop signal has come: health checks say so.
    const bool& stopping() const { return stopping_; }

    // Work that blocks, on a thread of its own, one at a time (error async::Errc::queue_full while there is
    // another). What cannot be interrupted is not waited for at the end.
    template <class F, class R = std::invoke_result_t<F&>>
    boost::asio::awaitable<Result<R>> blocking(F work) {
        return blocking_.run(std::move(work));
    }

    // A task that may be cut off by the end; an exception of it is logged as task_failed.
    void spawn(std::string name, boost::asio::awaitable<void> task);
    // A task that run() waits for after the last request; on_drained tells it to end.
    void spawn_last(std::string name, boost::asio::awaitable<void> task);
    // Calls `task` now and again `interval` after it has ended, until the drain begins. A round that throws
    // is logged, and the next one comes all the same.
    void every(std::string name, std::chrono::milliseconds interval,
               std::function<boost::asio::awaitable<void>()> task);
    // Returns after `time`, or when the drain begins.
    boost::asio::awaitable<void> pause(std::chrono::milliseconds time);

    void on_drain(std::function<void()> callback) { on_drain_.push_back(std::move(callback)); }
    void on_drained(std::function<void()> callback) { on_drained_.push_back(std::move(callback)); }

    // Until a signal, or until preparing has failed for good. Returns the exit code.
    int run();

  private:
    boost::asio::awaitable<void> prepare_until_done();
    boost::asio::awaitable<void> repeat(std::string name, std::chrono::milliseconds interval,
                                        std::function<boost::asio::awaitable<void>()> task);
    void wait_for_signal();
    void stop(std::chrono::milliseconds delay);
    void drain();
    void drained();
    void last_ended();
    // Ends the process where something is left that cannot be taken down in order.
    void leave_at_once_unless_idle();

    const Timing timing_;
    boost::asio::io_context io_{1};
    metrics::Registry metrics_;
    async::BoundedPool blocking_{1, 0};
    std::optional<http::Server> server_;
    std::function<boost::asio::awaitable<Prepared>()> preparation_;
    std::vector<std::function<void()>> on_drain_;
    std::vector<std::function<void()>> on_drained_;
    std::list<boost::asio::steady_timer*> pauses_;  // in the frames of those who rest
    boost::asio::signal_set signals_;
    boost::asio::steady_timer drain_timer_;
    std::size_t last_tasks_ = 0;  // that have not ended
    bool prepared_ = false;
    bool stopping_ = false;
    bool draining_ = false;
    bool drained_ = false;
    int exit_code_ = 0;
};

}  // namespace shared::service
