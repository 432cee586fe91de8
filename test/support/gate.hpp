// A TCP relay in front of a server on 127.0.0.1, for outages that a test switches on and off.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

namespace test {

// Shut: what is open is reset and new connections are refused, on the same port until it opens again.
// Silent: connections stay and are accepted, and nothing passes.
class Gate {
  public:
    explicit Gate(unsigned short target_port);
    ~Gate();
    Gate(const Gate&) = delete;
    Gate& operator=(const Gate&) = delete;

    unsigned short port() const;
    void shut();
    void open();
    void set_silent(bool silent);
    // From now on: `then` in place of the server's answer to the `count`th piece that `counts` says yes to,
    // for stopping somebody between two of their writes. On the gate's thread, at most once; 0: never mind.
    void at_answer(int count, std::function<bool(std::string_view)> counts, std::function<void()> then);

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace test
