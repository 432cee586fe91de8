// Places that are given away fairly among those who want them: in turn by key, so that whoever asks a
// thousand times at once waits behind their own requests and not in front of everybody else's.
//
//   auto place = gate.try_enter(key);
//   if (!place) place = co_await gate.enter(key);
//   if (!place) co_return overloaded();
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace shared::async {

struct GateLimits {
    std::size_t places = 8;                    // taken at the same time
    std::size_t per_key = 8;                   // of those, by one key
    std::size_t waiting = 1024;                // beyond that somebody is shed
    std::chrono::milliseconds patience{5000};  // of who waits; then they are shed
};

// One thread.
class FairGate {
    struct State;

  public:
    explicit FairGate(GateLimits limits);
    ~FairGate();  // who waits is shed; places outlive it
    FairGate(const FairGate&) = delete;
    FairGate& operator=(const FairGate&) = delete;

    // Given back when it goes.
    class Place {
      public:
        Place(Place&&) noexcept;
        Place& operator=(Place&&) noexcept;
        ~Place();

      private:
        friend class FairGate;
        Place(std::shared_ptr<State> state, std::string key);
        void give_back();
        std::shared_ptr<State> state_;
        std::string key_;
    };

    // A place, where the key may have one without waiting.
    std::optional<Place> try_enter(std::string_view key);
    // A place, as soon as it is the key's turn; within a key first come, first served. nullopt: shed. Where
    // too many wait, the last one of the key with the most of them goes, whoever has just come.
    boost::asio::awaitable<std::optional<Place>> enter(std::string key);

    std::size_t taken() const;
    std::size_t waiting() const;
    std::uint64_t shed() const;  // since the start

  private:
    static boost::asio::awaitable<std::optional<Place>> wait(std::shared_ptr<State> state, std::string key);

    std::shared_ptr<State> state_;
};

}  // namespace shared::async
