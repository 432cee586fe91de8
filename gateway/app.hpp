// The composition root: builds every object in order, follows signals, stops in order.
#pragma once

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/admin/admin.hpp"
#include "gateway/exchange/worker_resources.hpp"
#include "gateway/observe/access_log.hpp"
#include "gateway/upstream/cluster_monitor.hpp"
#include "gateway/worker.hpp"

namespace gateway {

class App {
  public:
    // Runs until SIGTERM or SIGINT has been followed. Returns the process's exit code; what is wrong has been
    // printed.
    static int run(const std::string& config_file);

  private:
    App(std::string config_file, std::shared_ptr<const config::Config> settings);
    ~App();

    int serve();
    void open_listeners();
    void start_workers();
    boost::asio::awaitable<void> begin();
    boost::asio::awaitable<admin::ReloadResult> reload();
    boost::asio::awaitable<admin::ReloadResult> reload_once();
    void start_reload();
    // Monitors for the clusters of `snapshot`: known ones go on, new ones look their names up before traffic
    // comes.
    boost::asio::awaitable<void> monitor(std::shared_ptr<const exchange::Snapshot> snapshot);
    void wait_for_signal();
    void on_signal(int signal);
    void shut_down();
    void drain_workers();
    void wait_for_workers(std::chrono::steady_clock::time_point until, bool killed);
    admin::MetricsInput metrics() const;
    void log_post(const shared::http::Request& request, unsigned status, std::string_view reason);

    const std::string config_file_;
    boost::asio::io_context io_{1};  // the control thread's: everything that is not a request
    boost::asio::signal_set signals_;
    boost::asio::steady_timer timer_;
    std::shared_ptr<const exchange::Snapshot> snapshot_;
    exchange::Shared shared_;
    std::unique_ptr<observe::AccessLogWriter> access_log_;
    std::unique_ptr<observe::AccessLogWriter> security_log_;
    std::optional<observe::AccessLog> control_log_;  // of the control thread
    std::vector<std::vector<int>> sockets_;  // of each worker: one per listener; until a worker owns them
    std::vector<std::uint16_t> ports_;       // parallel to the configuration's listeners
    std::vector<std::unique_ptr<Worker>> workers_;
    std::vector<std::shared_ptr<upstream::ClusterMonitor>> monitors_;
    std::unique_ptr<admin::Admin> admin_;
    std::uint64_t reloads_done_ = 0;
    std::uint64_t reloads_refused_ = 0;
    bool reloading_ = false;
    bool reload_again_ = false;  // the file has changed once more meanwhile
    bool stopping_ = false;
};

}  // namespace gateway
