// A bounded load on 127.0.0.1: keep-alive connections that ask one after the other, and count what comes
// back.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace test {

class Load {
  public:
    // `requests_per_connection`: a connection is closed after so many and a new one opened; 0: never. The
    // load ends by itself after `at_most`.
    Load(std::uint16_t port, std::size_t connections, std::string request, int requests_per_connection = 0,
         std::chrono::seconds at_most = std::chrono::seconds(60));
    ~Load() { stop(); }
    Load(const Load&) = delete;
    Load& operator=(const Load&) = delete;

    // Ends after the requests that are under way.
    void stop();
    std::uint64_t good() const { return good_.load(); }  // answers with status 200 that came completely
    std::uint64_t bad() const { return bad_.load(); }    // everything else
    // Until so many more good ones have come; false after 15 s.
    bool wait_good(std::uint64_t more) const;
    // How many bad ones of each kind: a status, or what broke.
    std::string bad_ones() const;

  private:
    void run();
    void failed(const std::string& why);

    const std::uint16_t port_;
    const std::string request_;
    const int requests_per_connection_;
    const std::chrono::steady_clock::time_point until_;
    std::atomic<bool> stopping_{false};
    std::atomic<std::uint64_t> good_{0};
    std::atomic<std::uint64_t> bad_{0};
    mutable std::mutex mutex_;
    std::map<std::string, int> kinds_;
    std::vector<std::thread> threads_;
};

}  // namespace test
