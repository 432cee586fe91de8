// Composition root: builds every object in order and runs them in the services' frame.
#pragma once

#include <memory>

#include "services/acad/api/context.hpp"
#include "services/acad/settings.hpp"
#include "shared/keys/key_source.hpp"
#include "shared/pg/pg.hpp"
#include "shared/service/service.hpp"
#include "shared/session/follower.hpp"

namespace acad {

class App {
  public:
    // Binds the port. Throws std::runtime_error with the setting's name if that fails.
    explicit App(Settings settings);

    // Until SIGTERM or SIGINT (a second one ends the process at once). Returns the exit code: 1 if the schema
    // cannot be brought up to date.
    int run() { return service_.run(); }

  private:
    std::shared_ptr<const shared::keys::KeySource> make_keys();
    shared::http::TokenCheck make_token_check();
    // The service listens meanwhile and says 503.
    boost::asio::awaitable<shared::service::Prepared> migrate();

    const Settings settings_;
    shared::service::Service service_;
    shared::pg::Pool pool_;
    std::shared_ptr<shared::keys::JwksFollower> jwks_;  // null without JWKS_URL
    std::shared_ptr<const shared::keys::KeySource> keys_;
    std::shared_ptr<shared::session::Follower> follower_;  // null without AUTH_FEED_URL
    api::Context context_;
    bool waiting_reported_ = false;
};

}  // namespace acad
