// A TCP relay in front of a server on 127.0.0.1, for outages that a test switches on and off.
#pragma once

#include <memory>

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

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace test
