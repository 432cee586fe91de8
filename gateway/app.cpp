#include "gateway/app.hpp"

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <utility>

#include "gateway/config/load.hpp"
#include "gateway/wire/ip_address.hpp"
#include "shared/config/environment.hpp"
#include "shared/http/message.hpp"
#include "shared/log/log.hpp"

namespace gateway {

namespace asio = boost::asio;
using std::chrono::milliseconds;

namespace {

// Which CPUs this process may use, not how many the machine has (containers, taskset).
std::uint32_t usable_cpus() {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (::sched_getaffinity(0, sizeof set, &set) != 0) return 1;
    return static_cast<std::uint32_t>(std::max(1, CPU_COUNT(&set)));
}

// A connection needs two descriptors at times; the soft limit is often 1024.
void raise_descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= limit.rlim_max) return;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

void log_failure(std::string_view event, std::exception_ptr failure) {
    if (!failure) return;
    try {
        std::rethrow_exception(failure);
    } catch (const std::exception& e) {
        shared::log::error(event, {{"error", e.what()}});
    }
}

void log_warnings(const config::Loaded& loaded, const std::string& file) {
    if (!loaded.warnings.empty())
        shared::log::warn("configuration_doubtful", {{"report", loaded.warning_report(file)}});
}

}  // namespace

int App::run(const std::string& config_file) {
    config::Loaded loaded = config::load_file(config_file, config::process_environment());
    if (!loaded) {
        std::fprintf(stderr, "%s\n", loaded.report(config_file).c_str());
        return 2;
    }
    shared::config::Environment environment;
    const auto level = environment.choice("LOG_LEVEL", "info", {"debug", "info", "warn", "error"});
    if (!environment.ok()) {
        std::fprintf(stderr, "%s\n", environment.report().c_str());
        return 2;
    }
    shared::log::init("gateway", level);
    // A client that goes away must not end the process.
    std::signal(SIGPIPE, SIG_IGN);
    raise_descriptor_limit();
    log_warnings(loaded, config_file);
    int code = 0;
    try {
        App app(config_file, std::move(loaded.config));
        code = app.serve();
    } catch (const std::exception& e) {
        shared::log::error("start_failed", {{"error", e.what()}});
        code = 1;
    }
    shared::log::flush();
    return code;
}

App::App(std::string config_file, std::shared_ptr<const config::Config> settings)
    : config_file_(std::move(config_file)),
      signals_(io_, SIGTERM, SIGINT, SIGHUP),
      timer_(io_),
      // Files, keys and certificates are read here: what cannot be used stops the start.
      snapshot_(exchange::Snapshot::make(settings, nullptr)),
      shared_(settings->rate_limit_keys, settings->client.max_connections_per_address) {
    if (settings->access_log.enabled)
        access_log_ = std::make_unique<observe::AccessLogWriter>(settings->access_log.path);
    if (!settings->access_log.security_path.empty())
        security_log_ = std::make_unique<observe::AccessLogWriter>(settings->access_log.security_path);
    control_log_.emplace(access_log_.get(), security_log_.get());
    // Ports before threads: a port that is taken ends the start while nothing has happened yet.
    open_listeners();
    if (settings->admin.enabled)
        admin_ = std::make_unique<admin::Admin>(
            io_, settings->admin,
            admin::Hooks{[this] { return metrics(); }, [this] { return reload(); },
                         [this](const shared::http::Request& request, unsigned status,
                                std::string_view reason) { log_post(request, status, reason); }});
    // Workers come last, in begin(): from their start on there is traffic.
}

App::~App() {
    for (auto& monitor : monitors_) monitor->stop();
    snapshot_->issuers->stop();
    for (const auto& of_worker : sockets_)
        for (int descriptor : of_worker) ::close(descriptor);
    admin_.reset();
    workers_.clear();
}

void App::open_listeners() {
    const config::Config& settings = *snapshot_->config;
    const std::uint32_t count = settings.workers == 0 ? usable_cpus() : settings.workers;
    sockets_.resize(count);
    for (std::size_t i = 0; i < settings.listeners.size(); ++i) {
        const config::Listener& listener = settings.listeners[i];
        auto opened = net::listen_on(listener.address, listener.port, listener.backlog, count);
        if (!opened)
            throw std::runtime_error("listeners/" + std::to_string(i) + " (port): cannot listen on " +
                                     listener.address + ":" + std::to_string(listener.port) + ": " +
                                     opened.error().message());
        for (std::size_t worker = 0; worker < count; ++worker)
            sockets_[worker].push_back(opened->descriptors[worker]);
        ports_.push_back(opened->port);
    }
}

void App::start_workers() {
    while (!sockets_.empty()) {
        workers_.push_back(std::make_unique<Worker>(shared_, access_log_.get(), security_log_.get(),
                                                    snapshot_, sockets_.back()));
        sockets_.pop_back();
    }
    for (auto& worker : workers_) worker->start();
    const config::Config& settings = *snapshot_->config;
    for (std::size_t i = 0; i < ports_.size(); ++i)
        shared::log::info("listening", {{"port", ports_[i]},
                                        {"address", settings.listeners[i].address},
                                        {"listener", settings.listeners[i].name},
                                        {"tls", settings.listeners[i].tls.has_value()},
                                        {"workers", workers_.size()}});
}

int App::serve() {
    wait_for_signal();
    asio::co_spawn(io_, begin(), [this](std::exception_ptr failure) {
        log_failure("start_failed", failure);
        if (failure) io_.stop();
    });
    io_.run();
    const bool started = !workers_.empty();
    for (auto& worker : workers_) worker->join();
    shared::log::info("stopped");
    return started ? 0 : 1;
}

asio::awaitable<void> App::begin() {
    snapshot_->issuers->start(io_);
    auto looking_up = monitor(snapshot_);
    co_await std::move(looking_up);
    start_workers();
    if (admin_) {
        admin_->start();
        shared::log::info("admin_listening", {{"port", admin_->port()}});
    }
}

asio::awaitable<void> App::monitor(std::shared_ptr<const exchange::Snapshot> snapshot) {
    std::vector<std::shared_ptr<upstream::ClusterMonitor>> all;
    std::vector<std::shared_ptr<upstream::ClusterMonitor>> fresh;
    for (const auto& cluster : snapshot->clusters) {
        const auto known = std::find_if(monitors_.begin(), monitors_.end(),
                                        [&](const auto& m) { return m->cluster() == cluster; });
        if (known != monitors_.end()) {
            all.push_back(*known);
            continue;
        }
        all.push_back(
            std::make_shared<upstream::ClusterMonitor>(io_, cluster, upstream::system_resolver(io_)));
        fresh.push_back(all.back());
    }
    for (const auto& one : fresh) {
        auto resolving = one->resolve();
        co_await std::move(resolving);
    }
    for (const auto& one : fresh) one->start();
    for (const auto& old : monitors_)
        if (std::find(all.begin(), all.end(), old) == all.end()) old->stop();
    monitors_ = std::move(all);
}

asio::awaitable<admin::ReloadResult> App::reload() {
    admin::ReloadResult result;
    if (reloading_ || stopping_) {
        result.report = stopping_ ? "the gateway is stopping" : "a reload is under way";
        co_return result;
    }
    reloading_ = true;
    try {
        auto reloading = reload_once();
        result = co_await std::move(reloading);
    } catch (const std::exception& e) {
        result.report = e.what();
    }
    reloading_ = false;
    ++(result.done ? reloads_done_ : reloads_refused_);
    if (!result.done) shared::log::error("reload_refused", {{"report", result.report}});
    control_log_->write_reload(std::chrono::system_clock::now(), result.done);
    control_log_->flush();
    if (std::exchange(reload_again_, false)) start_reload();
    co_return result;
}

void App::start_reload() {
    asio::co_spawn(io_, reload(), [](std::exception_ptr failure, const admin::ReloadResult&) {
        log_failure("reload_failed", failure);
    });
}

asio::awaitable<admin::ReloadResult> App::reload_once() {
    admin::ReloadResult result;
    for (const auto* log : {&access_log_, &security_log_})
        if (*log) (*log)->reopen();
    std::shared_ptr<const exchange::Snapshot> next;
    config::Loaded loaded = config::load_file(config_file_, config::process_environment());
    if (!loaded) {
        result.report = loaded.report(config_file_);
    } else {
        try {
            next = exchange::Snapshot::make(loaded.config, snapshot_.get());
        } catch (const std::exception& e) {
            result.report = e.what();
        }
    }
    // Sockets belong to the workers' start: what needs others needs a restart, and says so instead of
    // half-working.
    if (next) {
        const auto& before = snapshot_->config->listeners;
        const auto& after = next->config->listeners;
        const bool same = std::equal(before.begin(), before.end(), after.begin(), after.end(),
                                     [](const config::Listener& a, const config::Listener& b) {
                                         return a.address == b.address && a.port == b.port &&
                                                a.tls.has_value() == b.tls.has_value();
                                     });
        if (!same) {
            result.report = "listeners: address, port and tls on or off cannot change without a restart";
            next.reset();
        }
    }
    if (!next) co_return result;
    log_warnings(loaded, config_file_);
    next->issuers->start(io_);
    auto looking_up = monitor(next);
    co_await std::move(looking_up);
    const auto old = std::exchange(snapshot_, next);
    for (auto& worker : workers_) worker->use(snapshot_);
    old->issuers->stop();
    result.done = true;
    shared::log::info("reloaded", {{"generation", snapshot_->generation}});
    co_return result;
}

void App::wait_for_signal() {
    signals_.async_wait([this](shared::ErrorCode error, int signal) {
        if (error) return;
        wait_for_signal();
        on_signal(signal);
    });
}

void App::on_signal(int signal) {
    if (signal == SIGHUP) {
        if (workers_.empty()) return;
        // What the file said when the reload under way read it may be old by now.
        if (reloading_)
            reload_again_ = true;
        else
            start_reload();
        return;
    }
    if (stopping_) {
        shared::log::warn("second_signal", {{"signal", signal}});
        shared::log::flush();
        std::_Exit(130);
    }
    shut_down();
}

// Not ready → (drain_delay: balancers look elsewhere) → accept no more, Connection: close → grace → cancel →
// join.
void App::shut_down() {
    stopping_ = true;
    shared_.draining.store(true);
    shared::log::info("draining", {{"connections", shared_.connections.load()}});
    timer_.expires_after(snapshot_->config->shutdown.drain_delay);
    timer_.async_wait([this](shared::ErrorCode) { drain_workers(); });
}

void App::drain_workers() {
    for (auto& worker : workers_) worker->drain();
    wait_for_workers(std::chrono::steady_clock::now() + snapshot_->config->shutdown.grace, false);
}

void App::wait_for_workers(std::chrono::steady_clock::time_point until, bool killed) {
    const bool finished =
        std::all_of(workers_.begin(), workers_.end(), [](const auto& worker) { return worker->finished(); });
    const auto now = std::chrono::steady_clock::now();
    if (finished || (killed && now >= until)) {
        for (auto& monitor : monitors_) monitor->stop();
        snapshot_->issuers->stop();
        // Stops the admin port too, which has been there to watch the drain.
        io_.stop();
        return;
    }
    if (!killed && now >= until) {
        shared::log::warn("grace_over", {{"connections", shared_.connections.load()}});
        for (auto& worker : workers_) worker->kill();
        killed = true;
        until = now + std::chrono::seconds(2);
    }
    timer_.expires_after(milliseconds(20));
    timer_.async_wait([this, until, killed](shared::ErrorCode) { wait_for_workers(until, killed); });
}

void App::log_post(const shared::http::Request& request, unsigned status, std::string_view reason) {
    observe::AccessEntry entry;
    entry.time = std::chrono::system_clock::now();
    entry.route = "admin";
    entry.method = request.method;
    entry.path = request.path;
    entry.status = status;
    entry.client = request.client_address;
    entry.request_id = request.request_id;
    entry.reason = reason;
    const auto now = observe::RefusalSampler::Clock::now();
    const auto client = wire::IpAddress::parse(request.client_address);
    if (client && !reason.empty())
        control_log_->write_refusal(entry, *client, now);
    else
        control_log_->write_security(entry);
    control_log_->tick(now);
}

admin::MetricsInput App::metrics() const {
    admin::MetricsInput input;
    for (const auto& worker : workers_) input.workers.push_back(&worker->stats());
    input.snapshot = snapshot_;
    input.shared = &shared_;
    for (const auto* log : {&access_log_, &security_log_})
        if (*log) input.access_log_dropped_bytes += (*log)->dropped_bytes();
    input.reloads_done = reloads_done_;
    input.reloads_refused = reloads_refused_;
    return input;
}

}  // namespace gateway
