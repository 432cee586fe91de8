// Runs the real binaries.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace test {

// Path of one of our binaries in this build: "gateway", "auth-service", "acad-service".
std::string binary(const std::string& name);
// A path below the source tree.
std::string source_path(const std::string& relative);

// A child process with only the given environment (plus PATH and sanitizer options). Killed when it goes out
// of scope. Its stdout and stderr are collected together.
class Process {
  public:
    Process(std::string program, std::vector<std::string> arguments,
            std::map<std::string, std::string> environment, std::string input = "");
    ~Process();
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;

    pid_t pid() const;
    // Port of the log line with that event ("listening", "admin_listening"). Throws with the output so far if
    // the process ends or the time is over.
    std::uint16_t wait_port(const std::string& event = "listening",
                            std::chrono::milliseconds timeout = std::chrono::seconds(20));
    // True as soon as the output contains `text`.
    bool wait_output(const std::string& text, std::chrono::milliseconds timeout = std::chrono::seconds(10));
    std::string output() const;
    void signal(int number);
    // Exit code (128 + signal for a killed one). Throws if it still runs after `timeout`.
    int wait_exit(std::chrono::milliseconds timeout = std::chrono::seconds(15));
    bool running();

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace test
