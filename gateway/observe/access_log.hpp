// One JSON object a line for each request. Workers fill their own buffer; one thread writes what they hand
// over, so that a slow disk or pipe never holds up a request.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "gateway/observe/refusal_sampler.hpp"
#include "gateway/wire/ip_address.hpp"

namespace gateway::observe {

// Appends `text` as a JSON string with its quotes; bytes that are no UTF-8 become U+FFFD.
void append_json_string(std::string& out, std::string_view text);

class AccessLogWriter {
  public:
    // `path`: "-" is standard output, else a file that is appended to. Throws std::system_error.
    explicit AccessLogWriter(const std::string& path);
    // Writes what was handed over.
    ~AccessLogWriter();

    // Takes the lines out of `lines` (and gives back an empty buffer with capacity). When the reader of the
    // log is so slow that 16 MiB wait, lines are dropped and counted.
    void hand_over(std::string& lines);
    // Opens the file again (log rotation).
    void reopen();
    std::uint64_t dropped_bytes() const { return dropped_bytes_.load(std::memory_order_relaxed); }

  private:
    void run();
    void write_all(std::string_view bytes);

    std::string path_;
    int descriptor_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::string> waiting_;
    std::vector<std::string> spare_;
    std::size_t waiting_bytes_ = 0;
    bool stopping_ = false;
    bool reopen_ = false;
    std::atomic<std::uint64_t> dropped_bytes_{0};
    std::thread thread_;
};

struct AccessEntry {
    std::chrono::system_clock::time_point time;
    std::string_view route;
    std::string_view method;
    std::string_view path;
    unsigned status = 0;
    std::uint64_t bytes_in = 0;
    std::uint64_t bytes_out = 0;
    std::uint64_t duration_us = 0;
    std::uint64_t upstream_us = 0;  // until the head of its answer; 0: not asked
    std::string_view upstream;
    std::string_view client;
    std::string_view request_id;
    std::string_view trace_id;
    std::string_view subject;
    std::string_view session;
    std::string_view token_id;
    std::string_view user_agent;
    std::string_view reason;  // why it was refused or failed
    std::uint32_t retries = 0;
};

// A worker's side.
class AccessLog {
  public:
    // `requests` null: off. `security` gets refusals with 400, 401, 403 and 429, in place of `requests`;
    // null: it stays there.
    explicit AccessLog(AccessLogWriter* requests, AccessLogWriter* security = nullptr)
        : requests_{requests, {}}, security_{security, {}} {}
    ~AccessLog();

    bool enabled() const { return requests_.writer || security_.writer; }
    void write(const AccessEntry& entry) { write(requests_, entry); }
    // A refusal of the gateway's own: a line, or one more in a count.
    void write_refusal(const AccessEntry& entry, const wire::IpAddress& client,
                       RefusalSampler::Clock::time_point now);
    // What somebody did to the gateway itself.
    void write_security(const AccessEntry& entry) { write(security_.writer ? security_ : requests_, entry); }
    // In `security` alone: the log of standard error has it too.
    void write_reload(std::chrono::system_clock::time_point time, bool done);
    // Writes the counts that are due, and hands over.
    void tick(RefusalSampler::Clock::time_point now);
    void flush();

  private:
    struct Stream {
        AccessLogWriter* writer;
        std::string buffer;
    };
    Stream& of_refusal(unsigned status);
    void write(Stream& to, const AccessEntry& entry);
    void begin_line(Stream& to, std::chrono::system_clock::time_point time, std::string_view event);
    void end_line(Stream& to);
    void time(std::string& out, std::chrono::system_clock::time_point time);

    Stream requests_;
    Stream security_;
    RefusalSampler refusals_;
    std::int64_t second_ = -1;
    std::string second_text_;  // "2025-01-31T12:00:00", of second_
};

}  // namespace gateway::observe
