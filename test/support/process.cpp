#include "test/support/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <thread>

namespace test {

std::string binary(const std::string& name) {
    if (name == "gateway") return std::string(BUILD_DIR) + "/gateway/gateway";
    const auto folder = name.substr(0, name.find('-'));
    return std::string(BUILD_DIR) + "/services/" + folder + "/" + name;
}

std::string source_path(const std::string& relative) {
    return std::string(SOURCE_DIR) + "/" + relative;
}

struct Process::Impl {
    pid_t pid = -1;
    int output_fd = -1;
    std::thread reader;
    mutable std::mutex mutex;
    std::condition_variable changed;
    std::string output;
    bool closed = false;
    std::optional<int> exit_code;

    void read_all() {
        std::array<char, 4096> chunk{};
        while (true) {
            const auto count = ::read(output_fd, chunk.data(), chunk.size());
            if (count < 0 && errno == EINTR) continue;
            const std::lock_guard lock(mutex);
            if (count <= 0) {
                closed = true;
                changed.notify_all();
                return;
            }
            output.append(chunk.data(), static_cast<std::size_t>(count));
            changed.notify_all();
        }
    }

    void reap(int options) {
        if (exit_code) return;
        int status = 0;
        if (::waitpid(pid, &status, options) != pid) return;
        exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
};

Process::Process(std::string program, std::vector<std::string> arguments,
                 std::map<std::string, std::string> environment, std::string input)
    : impl_(std::make_unique<Impl>()) {
    for (const char* name : {"PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"})
        if (const char* value = std::getenv(name); value != nullptr) environment.try_emplace(name, value);
    std::vector<std::string> assignments;
    for (const auto& [name, value] : environment) assignments.push_back(name + "=" + value);
    std::vector<char*> argv{program.data()};
    for (auto& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    std::vector<char*> envp;
    for (auto& assignment : assignments) envp.push_back(assignment.data());
    envp.push_back(nullptr);

    std::array<int, 2> out{};
    std::array<int, 2> in{};
    if (::pipe2(out.data(), O_CLOEXEC) != 0 || ::pipe2(in.data(), O_CLOEXEC) != 0)
        throw std::runtime_error("pipe");
    impl_->pid = ::fork();
    if (impl_->pid < 0) throw std::runtime_error("fork");
    if (impl_->pid == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // a test that crashes leaves nothing behind
        ::dup2(in[0], STDIN_FILENO);
        ::dup2(out[1], STDOUT_FILENO);
        ::dup2(out[1], STDERR_FILENO);
        ::closefrom(STDERR_FILENO + 1);  // listening sockets of this test would stay open in the child
        if (program.find('/') == std::string::npos)
            ::execvpe(program.c_str(), argv.data(), envp.data());
        else
            ::execve(program.c_str(), argv.data(), envp.data());
        ::_exit(127);
    }
    ::close(out[1]);
    ::close(in[0]);
    impl_->output_fd = out[0];
    impl_->reader = std::thread([impl = impl_.get()] { impl->read_all(); });
    if (!input.empty() && ::write(in[1], input.data(), input.size()) < 0) {
        // the child ended before it read: its output says why
    }
    ::close(in[1]);
}

Process::~Process() {
    if (running()) {
        ::kill(impl_->pid, SIGKILL);
        impl_->reap(0);
    }
    impl_->reader.join();
    ::close(impl_->output_fd);
}

pid_t Process::pid() const {
    return impl_->pid;
}

std::string Process::output() const {
    const std::lock_guard lock(impl_->mutex);
    return impl_->output;
}

bool Process::wait_output(const std::string& text, std::chrono::milliseconds timeout) {
    std::unique_lock lock(impl_->mutex);
    const auto there = [&] { return impl_->output.find(text) != std::string::npos; };
    impl_->changed.wait_for(lock, timeout, [&] { return impl_->closed || there(); });
    return there();
}

std::uint16_t Process::wait_port(const std::string& event, std::chrono::milliseconds timeout) {
    const auto find_port = [&]() -> std::optional<std::uint16_t> {
        const auto at = impl_->output.find("\"event\":\"" + event + "\"");
        if (at == std::string::npos) return std::nullopt;
        const auto line_end = impl_->output.find('\n', at);
        if (line_end == std::string::npos) return std::nullopt;
        const auto port = impl_->output.find("\"port\":", at);
        if (port == std::string::npos || port > line_end) return std::nullopt;
        return static_cast<std::uint16_t>(std::strtoul(impl_->output.c_str() + port + 7, nullptr, 10));
    };
    std::unique_lock lock(impl_->mutex);
    std::optional<std::uint16_t> port;
    impl_->changed.wait_for(lock, timeout, [&] {
        port = find_port();
        return impl_->closed || port.has_value();
    });
    if (!port) throw std::runtime_error("no event " + event + "; output:\n" + impl_->output);
    return *port;
}

void Process::signal(int number) {
    ::kill(impl_->pid, number);
}

bool Process::running() {
    impl_->reap(WNOHANG);
    return !impl_->exit_code.has_value();
}

int Process::wait_exit(std::chrono::milliseconds timeout) {
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    while (running()) {
        if (std::chrono::steady_clock::now() > deadline)
            throw std::runtime_error("the process still runs; output:\n" + output());
        std::this_thread::sleep_for(std::chrono::milliseconds(5));  // waitpid has no deadline of its own
    }
    // What it wrote last may still be on its way through the pipe; a grandchild may hold the pipe open for
    // longer.
    std::unique_lock lock(impl_->mutex);
    impl_->changed.wait_for(lock, std::chrono::seconds(2), [this] { return impl_->closed; });
    return *impl_->exit_code;
}

}  // namespace test
