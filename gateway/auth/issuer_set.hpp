// The issuers of one configuration snapshot: their keys, what is known of ended sessions, and what keeps both
// up to date.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "gateway/config/config.hpp"

namespace gateway::auth {

class Issuer;

class IssuerSet {
  public:
    // Reads secrets, PEM texts and JWKS files; throws std::runtime_error naming the issuer and what is wrong.
    // Key sets from a URL and session feeds that `previous` has under the same settings are taken over with
    // all they know, so that a reload forgets nothing and needs no network.
    static std::shared_ptr<IssuerSet> make(const std::vector<config::Issuer>& issuers,
                                           const IssuerSet* previous = nullptr);
    ~IssuerSet();

    // Starts what has to be followed (JWKS URLs, session feeds) on `context`, which must outlive stop(). What
    // was taken over keeps running where it runs.
    void start(boost::asio::io_context& context);
    // Ends what no newer set has taken over. Thread-safe; the coroutines are gone soon after.
    void stop();

    // For programs that answer one question (`gateway explain`): fetches keys and ended sessions here and
    // now, for at most `time`. Returns ready().
    bool settle(std::chrono::milliseconds time);

    // Every issuer can decide: keys are there, and its feed has been read once (or may be ignored by its
    // setting).
    bool ready() const;

    struct Status {  // for the admin port and the metrics
        std::string name;
        std::size_t keys = 0;
        double keys_age_s = 0;  // since the last successful fetch; 0 for configured keys
        std::uint64_t key_fetch_failures = 0;
        bool has_feed = false;
        bool feed_stale = false;  // older than its max_age
        double feed_age_s = 0;
        std::uint64_t feed_failures = 0;
        std::size_t ended_sessions = 0;
    };
    std::vector<Status> status() const;

    // For the gates.
    const std::vector<std::shared_ptr<Issuer>>& issuers() const { return issuers_; }

  private:
    explicit IssuerSet(std::vector<std::shared_ptr<Issuer>> issuers);
    std::vector<std::shared_ptr<Issuer>> issuers_;
    std::atomic<bool> started_{false};
};

}  // namespace gateway::auth
