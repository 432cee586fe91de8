// A piece of code in a process of its own, for what ends processes.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>
#include <utility>

namespace test {

struct Ended {
    int code = -1;       // exit code; -1: ended by a signal
    std::string output;  // stdout and stderr
};

// `work` returns the exit code, if it returns. To be called while the test has no other thread.
template <class Work>
Ended in_child(Work work) {
    int ends[2];
    if (::pipe(ends) != 0) std::abort();
    // What Catch has printed and not flushed would come out of the child, too.
    std::cout.flush();
    std::fflush(nullptr);
    const auto child = ::fork();
    if (child == 0) {
        ::dup2(ends[1], 1);
        ::dup2(ends[1], 2);
        ::close(ends[0]);
        ::close(ends[1]);
        std::setvbuf(stdout, nullptr, _IONBF, 0);
        ::alarm(20);
        std::_Exit(work());
    }
    ::close(ends[1]);
    Ended ended;
    char bytes[4096];
    for (ssize_t count = 0; (count = ::read(ends[0], bytes, sizeof bytes)) > 0;)
        ended.output.append(bytes, static_cast<std::size_t>(count));
    ::close(ends[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    if (WIFEXITED(status)) ended.code = WEXITSTATUS(status);
    return ended;
}

}  // namespace test
