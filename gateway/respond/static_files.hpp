// Files of a directory as a route target: conditional requests, one range, no way out of the directory.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/config/config.hpp"
#include "gateway/wire/request_head.hpp"

namespace gateway::respond {

// The part of an open file that still has to be sent.
struct FileBody {
    FileBody() = default;
    ~FileBody() { close(); }
    FileBody(const FileBody&) = delete;
    FileBody& operator=(const FileBody&) = delete;
    void close();

    int descriptor = -1;
    std::uint64_t at = 0;
    std::uint64_t remaining = 0;
};

struct FileAnswer {
    unsigned status = 404;  // 200, 206, 304, 404, 412, 416, 500; 308 with `location`
    std::string_view content_type;
    std::string etag;
    std::string last_modified;
    std::string content_range;
    std::string location;      // a directory without its final slash
    std::uint64_t length = 0;  // of what is sent
};

// Opens what `path` (canonical) names under the target's directory. `body` holds the open file for 200 and
// 206.
FileAnswer open_file(const config::StaticTarget& target, const wire::RequestHead& head, std::string_view path,
                     FileBody& body);

// What open_file falls back on where the kernel is older than 5.6 or a sandbox knows no openat2: segment by
// segment, through no symbolic link at all. Takes `folder` over; -1 with errno.
int open_step_by_step(int folder, std::string_view relative);

std::string_view content_type_of(std::string_view path);

}  // namespace gateway::respond
