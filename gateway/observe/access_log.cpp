#include "gateway/observe/access_log.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <ctime>
#include <system_error>
#include <utility>

#include "shared/base/text.hpp"

namespace gateway::observe {

namespace {

constexpr std::size_t kHandOverBytes = 32 * 1024;
constexpr std::size_t kMostWaiting = 16 * 1024 * 1024;

int open_log(const std::string& path) {
    if (path == "-") return ::dup(STDOUT_FILENO);
    return ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
}

void append_number(std::string& out, std::uint64_t value) {
    std::array<char, 20> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
    out.append(digits.data(), end);
}

void text_member(std::string& out, std::string_view name, std::string_view value) {
    if (value.empty()) return;
    out += ",\"";
    out += name;
    out += "\":";
    append_json_string(out, value);
}

void number_member(std::string& out, std::string_view name, std::uint64_t value) {
    out += ",\"";
    out += name;
    out += "\":";
    append_number(out, value);
}

// Microseconds as milliseconds with three decimals.
void ms_member(std::string& out, std::string_view name, std::uint64_t us) {
    number_member(out, name, us / 1000);
    const auto rest = static_cast<unsigned>(us % 1000);
    out += '.';
    out += static_cast<char>('0' + rest / 100);
    out += static_cast<char>('0' + rest / 10 % 10);
    out += static_cast<char>('0' + rest % 10);
}

// Eight bytes of ASCII that JSON takes as they are: nearly all of a line. Each term has the high bit of a
// byte that is below a space, a quote, a backslash or DEL.
bool plain(const char* bytes) {
    constexpr std::uint64_t kOnes = 0x0101010101010101;
    constexpr std::uint64_t kHigh = kOnes << 7;
    std::uint64_t x = 0;
    std::memcpy(&x, bytes, sizeof x);
    const auto is = [&](std::uint64_t c) {
        const std::uint64_t difference = x ^ (kOnes * c);
        return (difference - kOnes) & ~difference;
    };
    return ((x | ((x - kOnes * 0x20) & ~x) | is('"') | is('\\') | is(0x7F)) & kHigh) == 0;
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
    static constexpr std::string_view kHex = "0123456789abcdef";
    out += '"';
    std::size_t clean = 0;  // start of the run that goes out as it is
    std::size_t i = 0;
    while (i < text.size()) {
        if (text.size() - i >= 8 && plain(text.data() + i)) {
            i += 8;
            continue;
        }
        const auto c = static_cast<unsigned char>(text[i]);
        const std::size_t length = shared::utf8_length(text.substr(i));
        if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7F && length > 0) {
            i += length;
            continue;
        }
        out.append(text.substr(clean, i - clean));
        if (c == '"' || c == '\\') {
            out += '\\';
            out += text[i];
        } else if (length == 0) {
            out += "\xEF\xBF\xBD";
        } else {
            out += "\\u00";
            out += kHex[c >> 4];
            out += kHex[c & 15];
        }
        clean = ++i;
    }
    out.append(text.substr(clean));
    out += '"';
}

AccessLogWriter::AccessLogWriter(const std::string& path) : path_(path), descriptor_(open_log(path)) {
    if (descriptor_ < 0) throw std::system_error(errno, std::generic_category(), "access_log: " + path);
    thread_ = std::thread([this] { run(); });
}

AccessLogWriter::~AccessLogWriter() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    changed_.notify_one();
    thread_.join();
    ::close(descriptor_);
}

void AccessLogWriter::hand_over(std::string& lines) {
    if (lines.empty()) return;
    {
        const std::lock_guard lock(mutex_);
        if (waiting_bytes_ + lines.size() > kMostWaiting) {
            dropped_bytes_.fetch_add(lines.size(), std::memory_order_relaxed);
            lines.clear();
            return;
        }
        waiting_bytes_ += lines.size();
        waiting_.push_back(std::move(lines));
        if (!spare_.empty()) {
            lines = std::move(spare_.back());
            spare_.pop_back();
        } else {
            lines = std::string();
        }
    }
    lines.clear();
    changed_.notify_one();
}

void AccessLogWriter::reopen() {
    {
        const std::lock_guard lock(mutex_);
        reopen_ = true;
    }
    changed_.notify_one();
}

void AccessLogWriter::run() {
    std::vector<std::string> mine;
    while (true) {
        bool stopping = false;
        bool reopen_now = false;
        {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [this] { return stopping_ || reopen_ || !waiting_.empty(); });
            mine.swap(waiting_);
            waiting_bytes_ = 0;
            stopping = stopping_;
            reopen_now = std::exchange(reopen_, false);
        }
        for (const std::string& lines : mine) write_all(lines);
        if (reopen_now) {
            const int fresh = open_log(path_);
            if (fresh >= 0) {
                ::close(descriptor_);
                descriptor_ = fresh;
            }
        }
        {
            const std::lock_guard lock(mutex_);
            for (std::string& used : mine)
                if (spare_.size() < 8) spare_.push_back(std::move(used));
            if (stopping && waiting_.empty()) return;
        }
        mine.clear();
    }
}

void AccessLogWriter::write_all(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
        if (written > 0) {
            bytes.remove_prefix(static_cast<std::size_t>(written));
        } else if (errno != EINTR) {
            dropped_bytes_.fetch_add(bytes.size(), std::memory_order_relaxed);
            return;
        }
    }
}

void AccessLog::time(std::string& out, std::chrono::system_clock::time_point when) {
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(when.time_since_epoch()).count();
    if (ms / 1000 != second_) {
        second_ = ms / 1000;
        const std::time_t seconds = second_;
        std::tm parts{};
        ::gmtime_r(&seconds, &parts);
        std::array<char, 32> text;
        const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
        second_text_.assign(text.data(), size);
    }
    const auto rest = static_cast<unsigned>(ms % 1000);
    out += second_text_;
    out += '.';
    out += static_cast<char>('0' + rest / 100);
    out += static_cast<char>('0' + rest / 10 % 10);
    out += static_cast<char>('0' + rest % 10);
    out += 'Z';
}

AccessLog::~AccessLog() {
    tick(RefusalSampler::Clock::time_point::max());
}

AccessLog::Stream& AccessLog::of_refusal(unsigned status) {
    const bool security = status == 400 || status == 401 || status == 403 || status == 429;
    return security && security_.writer ? security_ : requests_;
}

void AccessLog::begin_line(Stream& to, std::chrono::system_clock::time_point when, std::string_view event) {
    std::string& out = to.buffer;
    if (out.capacity() < kHandOverBytes) out.reserve(kHandOverBytes + 4096);
    out += "{\"ts\":\"";
    time(out, when);
    out += "\",\"event\":\"";
    out += event;
    out += '"';
}

void AccessLog::end_line(Stream& to) {
    to.buffer += "}\n";
    if (to.buffer.size() >= kHandOverBytes) to.writer->hand_over(to.buffer);
}

void AccessLog::write(Stream& to, const AccessEntry& entry) {
    if (!to.writer) return;
    std::string& out = to.buffer;
    begin_line(to, entry.time, "request");
    text_member(out, "route", entry.route);
    text_member(out, "method", entry.method);
    text_member(out, "path", entry.path);
    number_member(out, "status", entry.status);
    ms_member(out, "duration_ms", entry.duration_us);
    number_member(out, "bytes_in", entry.bytes_in);
    number_member(out, "bytes_out", entry.bytes_out);
    text_member(out, "upstream", entry.upstream);
    if (entry.upstream_us != 0) ms_member(out, "upstream_ms", entry.upstream_us);
    if (entry.retries != 0) number_member(out, "retries", entry.retries);
    text_member(out, "client", entry.client);
    text_member(out, "request_id", entry.request_id);
    text_member(out, "trace_id", entry.trace_id);
    text_member(out, "sub", entry.subject);
    text_member(out, "sid", entry.session);
    text_member(out, "jti", entry.token_id);
    text_member(out, "user_agent", entry.user_agent);
    text_member(out, "reason", entry.reason);
    end_line(to);
}

void AccessLog::write_refusal(const AccessEntry& entry, const wire::IpAddress& client,
                              RefusalSampler::Clock::time_point now) {
    Stream& to = of_refusal(entry.status);
    if (to.writer && refusals_.take(client, entry.status, entry.reason, entry.time, now)) write(to, entry);
}

void AccessLog::write_reload(std::chrono::system_clock::time_point when, bool done) {
    if (!security_.writer) return;
    begin_line(security_, when, done ? "reloaded" : "reload_refused");
    end_line(security_);
}

void AccessLog::tick(RefusalSampler::Clock::time_point now) {
    refusals_.expire(now, [this](const RefusalSampler::Counted& counted) {
        Stream& to = of_refusal(counted.status);
        begin_line(to, counted.last, "more_refused");
        number_member(to.buffer, "status", counted.status);
        text_member(to.buffer, "client", counted.client);
        text_member(to.buffer, "reason", counted.reason);
        number_member(to.buffer, "more", counted.more);
        end_line(to);
    });
    flush();
}

void AccessLog::flush() {
    if (requests_.writer) requests_.writer->hand_over(requests_.buffer);
    if (security_.writer) security_.writer->hand_over(security_.buffer);
}

}  // namespace gateway::observe
