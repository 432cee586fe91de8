// What passwords are being tried now, and who waits until he may. For one thread.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace auth::api {

class Guessing {
    struct Line {
        std::size_t under_way = 0;
        std::list<boost::asio::steady_timer*> waiting;
    };
    using Lines = std::unordered_map<std::string, Line>;

  public:
    static constexpr std::size_t kMostWaiting = 32;  // for one key
    static constexpr std::chrono::seconds kPatience{2};
    using Deadline = std::chrono::steady_clock::time_point;

    explicit Guessing(boost::asio::io_context& io) : io_(io), lines_(std::make_shared<Lines>()) {}

    // The keys that one attempt is counted against, until it is decided: then those who wait look again. It
    // may outlive the owner, with a coroutine that is never resumed.
    class Turn {
      public:
        explicit Turn(const Guessing& owner) : lines_(owner.lines_) {}
        ~Turn();
        Turn(const Turn&) = delete;
        Turn& operator=(const Turn&) = delete;

        void take(std::string key);

      private:
        std::shared_ptr<Lines> lines_;
        std::vector<std::string> keys_;
    };
    bool under_way(const std::string& key) const;

    enum class Waited { woken, expired, refused };  // refused: too many wait already
    boost::asio::awaitable<Waited> wait(std::string key, Deadline deadline);

  private:
    class Place;
    static void forget_if_empty(Lines& lines, const std::string& key);

    boost::asio::io_context& io_;
    std::shared_ptr<Lines> lines_;
};

}  // namespace auth::api
