// Composition root: builds every object in order, runs them, and takes them down in order.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "services/acad/api/context.hpp"
#include "services/acad/settings.hpp"
#include "shared/http/server.hpp"
#include "shared/keys/key_source.hpp"
#include "shared/session/follower.hpp"

namespace acad {

class App {
  public:
    // Binds the port. Throws std::runtime_error with the setting's name if that fails.
    explicit App(Settings settings);
    ~App();

    // Until SIGTERM or SIGINT (a second one ends the process at once). Returns the exit code: 1 if the schema
    // cannot be brought up to date.
    int run();

  private:
    shared::http::TokenCheck make_token_check();
    std::shared_ptr<const shared::keys::KeySource> make_keys();
    void migrate_until_done();
    void on_signal();
    // Unhealthy, but serving for `delay`, so that balancers look elsewhere; then drain().
    void shut_down(std::chrono::milliseconds delay);
    void drain();

    const Settings settings_;
    boost::asio::io_context io_{1};
    shared::metrics::Registry metrics_;
    std::atomic<bool> migrated_{false};
    shared::pg::Pool pool_;
    std::shared_ptr<shared::keys::JwksFollower> jwks_;  // null without JWKS_URL
    std::shared_ptr<const shared::keys::KeySource> keys_;
    std::shared_ptr<shared::session::Follower> follower_;  // null without AUTH_FEED_URL

    api::Context context_;
    std::optional<shared::http::Server> server_;
    boost::asio::signal_set signals_;
    boost::asio::steady_timer drain_timer_{io_};

    // The one thread besides the main one: libpq's migrations block.
    std::thread migrator_;
    std::mutex migrator_mutex_;
    std::condition_variable migrator_wake_;
    bool stopping_ = false;           // under the mutex
    bool migrator_finished_ = false;  // under the mutex
    bool draining_ = false;
    int exit_code_ = 0;
};

}  // namespace acad
