#include "gateway/respond/static_files.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <ctime>
#include <limits>
#include <optional>

#include "shared/base/http_text.hpp"
#include "shared/base/text.hpp"

namespace gateway::respond {

namespace {

// The canonical path has no "..", no encoded slash and no encoded NUL; what is left to decode is spelling.
std::optional<std::string> decode(std::string_view path) {
    std::string out;
    out.reserve(path.size());
    for (std::size_t i = 0; i < path.size(); ++i) {
        if (path[i] != '%') {
            out += path[i];
            continue;
        }
        if (i + 2 >= path.size()) return std::nullopt;
        const int high = shared::hex_value(path[i + 1]);
        const int low = shared::hex_value(path[i + 2]);
        if (high < 0 || low < 0) return std::nullopt;
        out += static_cast<char>(high * 16 + low);
        i += 2;
    }
    return out;
}

// ".git", ".env" and files that an editor left behind are not pages. /.well-known is one (RFC 8615).
bool has_hidden_segment(std::string_view relative) {
    for (std::size_t at = 0; at < relative.size();) {
        const std::size_t end = std::min(relative.find('/', at), relative.size());
        const std::string_view segment = relative.substr(at, end - at);
        if (segment.starts_with('.') && segment != ".well-known") return true;
        at = end + 1;
    }
    return false;
}

constexpr int kOpenFlags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;

// The kernel itself refuses every way out of the directory: "..", absolute symbolic links, magic links.
int open_beneath(const std::string& directory, const std::string& relative) {
    const int root = ::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root < 0) return -1;
    open_how how{};
    how.flags = kOpenFlags;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
    const long opened =
        ::syscall(SYS_openat2, root, relative.empty() ? "." : relative.c_str(), &how, sizeof how);
    if (opened < 0 && (errno == ENOSYS || errno == EPERM)) return open_step_by_step(root, relative);
    const int error = errno;
    ::close(root);
    errno = error;
    return static_cast<int>(opened);
}

// An entity tag out of what changes with the contents: time to the nanosecond and size. Not the inode:
// replicas that serve copies of one file must agree on its tag.
std::string etag_of(const struct stat& info) {
    std::array<char, 64> text;
    char* end = text.data();
    *end++ = '"';
    for (std::uint64_t part :
         {static_cast<std::uint64_t>(info.st_mtim.tv_sec), static_cast<std::uint64_t>(info.st_mtim.tv_nsec),
          static_cast<std::uint64_t>(info.st_size)}) {
        if (end != text.data() + 1) *end++ = '-';
        end = std::to_chars(end, text.data() + text.size() - 2, part, 16).ptr;
    }
    *end++ = '"';
    return {text.data(), end};
}

// All lines of that name; several are one list (RFC 9110 section 5.3).
std::string list_of(const wire::RequestHead& head, std::string_view name) {
    std::string storage;
    const auto value = head.combined(name, storage);
    return std::string(value.value_or(std::string_view()));
}

// Whether the list of If-Match or If-None-Match names the tag, which is strong: "*" alone names any (RFC 9110
// section 13.1). What is no entity tag ends the list.
bool list_has(std::string_view list, std::string_view etag, bool weak_counts) {
    if (shared::trim(list) == "*") return true;
    while (true) {
        while (!list.empty() && (list[0] == ' ' || list[0] == '\t' || list[0] == ',')) list.remove_prefix(1);
        const bool weak = list.starts_with("W/");
        if (weak) list.remove_prefix(2);
        if (!list.starts_with('"')) return false;
        const std::size_t end = list.find('"', 1);
        if (end == std::string_view::npos) return false;
        if (list.substr(0, end + 1) == etag && (weak_counts || !weak)) return true;
        list.remove_prefix(end + 1);
    }
}

// IMF-fixdate; the obsolete forms are not read, and a date that cannot be read is not there (section 13.1.3).
std::optional<std::time_t> date_of(std::string_view text) {
    std::tm when{};
    const char* const end = ::strptime(std::string(text).c_str(), "%a, %d %b %Y %H:%M:%S GMT", &when);
    if (text.size() != 29 || end == nullptr) return std::nullopt;
    return ::timegm(&when);
}

enum class Condition { none, changed, unchanged };

// In the order of RFC 9110 section 13.2.2. Changed: 412; unchanged: 304.
Condition condition_of(const wire::RequestHead& head, std::string_view etag, std::time_t modified) {
    const auto date = [&](wire::Header id) { return date_of(head.value(id)); };
    if (head.has(wire::Header::if_match)) {
        if (!list_has(list_of(head, "if-match"), etag, false)) return Condition::changed;
    } else if (const auto since = date(wire::Header::if_unmodified_since); since && modified > *since) {
        return Condition::changed;
    }
    if (head.has(wire::Header::if_none_match))
        return list_has(list_of(head, "if-none-match"), etag, true) ? Condition::unchanged : Condition::none;
    const auto since = date(wire::Header::if_modified_since);
    return since && modified <= *since ? Condition::unchanged : Condition::none;
}

// Digits; more than 64 bits hold is as good as the largest number.
std::optional<std::uint64_t> position_in(std::string_view digits) {
    if (digits.empty() || digits.find_first_not_of("0123456789") != std::string_view::npos)
        return std::nullopt;
    const std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
    return shared::parse_number<std::uint64_t>(digits).value_or(most);
}

struct Range {
    std::uint64_t first;
    std::uint64_t last;
};
enum class RangeResult { none, one, unsatisfiable };

// One range (RFC 9110 section 14.1.2). Several, or other units, are answered with the whole file, as a server
// may.
RangeResult parse_range(std::string_view text, std::uint64_t size, Range& out) {
    if (text.size() < 6 || !wire::equals_lower(text.substr(0, 6), "bytes=")) return RangeResult::none;
    text = shared::trim(text.substr(6));
    const std::size_t dash = text.find('-');
    if (dash == std::string_view::npos || text.find(',') != std::string_view::npos) return RangeResult::none;
    const std::string_view from = text.substr(0, dash);
    const std::string_view to = text.substr(dash + 1);
    if (from.empty()) {
        const auto suffix = position_in(to);
        if (!suffix) return RangeResult::none;
        if (*suffix == 0 || size == 0) return RangeResult::unsatisfiable;
        out = {size - std::min(*suffix, size), size - 1};
        return RangeResult::one;
    }
    const auto first = position_in(from);
    const auto last = to.empty() ? std::optional<std::uint64_t>(size == 0 ? 0 : size - 1) : position_in(to);
    if (!first || !last || (!to.empty() && *last < *first)) return RangeResult::none;
    if (*first >= size) return RangeResult::unsatisfiable;
    out = {*first, std::min(*last, size - 1)};
    return RangeResult::one;
}

bool has_extension(std::string_view path) {
    const std::size_t slash = path.rfind('/');
    return path.find('.', slash == std::string_view::npos ? 0 : slash) != std::string_view::npos;
}

}  // namespace

int open_step_by_step(int folder, std::string_view relative) {
    while (true) {
        const std::size_t slash = relative.find('/');
        const std::string segment(relative.substr(0, slash));
        const bool last = slash == std::string_view::npos;
        const int flags = (last ? kOpenFlags : O_PATH | O_DIRECTORY | O_CLOEXEC) | O_NOFOLLOW;
        int next = -1;
        int error = EXDEV;
        if (segment != "..") {
            next = ::openat(folder, segment.empty() ? "." : segment.c_str(), flags);
            error = errno;
        }
        ::close(folder);
        errno = error;
        if (next < 0 || last) return next;
        folder = next;
        relative.remove_prefix(slash + 1);
    }
}

void FileBody::close() {
    if (descriptor >= 0) ::close(descriptor);
    descriptor = -1;
    remaining = 0;
}

std::string_view content_type_of(std::string_view path) {
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 20> kTypes{{
        {"html", "text/html; charset=utf-8"},
        {"htm", "text/html; charset=utf-8"},
        {"css", "text/css; charset=utf-8"},
        {"js", "text/javascript; charset=utf-8"},
        {"mjs", "text/javascript; charset=utf-8"},
        {"json", "application/json"},
        {"map", "application/json"},
        {"svg", "image/svg+xml"},
        {"png", "image/png"},
        {"jpg", "image/jpeg"},
        {"jpeg", "image/jpeg"},
        {"gif", "image/gif"},
        {"webp", "image/webp"},
        {"ico", "image/x-icon"},
        {"woff2", "font/woff2"},
        {"txt", "text/plain; charset=utf-8"},
        {"xml", "application/xml"},
        {"yaml", "application/yaml"},
        {"yml", "application/yaml"},
        {"webmanifest", "application/manifest+json"},
    }};
    const std::size_t dot = path.rfind('.');
    if (dot != std::string_view::npos)
        for (const auto& [extension, type] : kTypes)
            if (wire::equals_lower(path.substr(dot + 1), extension)) return type;
    return "application/octet-stream";
}

FileAnswer open_file(const config::StaticTarget& target, const wire::RequestHead& head, std::string_view path,
                     FileBody& body) {
    FileAnswer answer;
    std::string_view below = path;
    if (!target.strip_prefix.empty() && below.starts_with(target.strip_prefix))
        below.remove_prefix(target.strip_prefix.size());
    while (below.starts_with('/')) below.remove_prefix(1);
    auto relative = decode(below);
    if (!relative || relative->find('\0') != std::string::npos || has_hidden_segment(*relative))
        return answer;
    // Relative links of an index page need the slash.
    const auto redirect = [&] {
        answer.status = 308;
        // "//host" would send the browser to another site.
        answer.location =
            "/" + std::string(path.substr(std::min(path.find_first_not_of('/'), path.size()))) + "/";
        if (head.has_query()) answer.location.append("?").append(head.query());
    };
    if (relative->empty() && !path.ends_with('/')) {
        redirect();
        return answer;
    }
    const bool page = !has_extension(*relative);
    if (relative->empty() || relative->ends_with('/')) *relative += target.index;

    int descriptor = open_beneath(target.directory, *relative);
    struct stat info {};
    if (descriptor >= 0 && ::fstat(descriptor, &info) == 0 && S_ISDIR(info.st_mode)) {
        ::close(descriptor);
        redirect();
        return answer;
    }
    if (descriptor < 0 && !target.fallback.empty() && page) {
        *relative = target.fallback;
        descriptor = open_beneath(target.directory, *relative);
        if (descriptor >= 0) ::fstat(descriptor, &info);
    }
    if (descriptor < 0) {
        answer.status = errno == EMFILE || errno == ENFILE || errno == ENOMEM ? 500 : 404;
        return answer;
    }
    if (!S_ISREG(info.st_mode)) {
        ::close(descriptor);
        return answer;
    }
    body.close();
    body.descriptor = descriptor;
    const auto size = static_cast<std::uint64_t>(info.st_size);
    answer.content_type = content_type_of(*relative);
    answer.etag = etag_of(info);
    shared::set_http_date(answer.last_modified, info.st_mtim.tv_sec);

    const Condition condition = condition_of(head, answer.etag, info.st_mtim.tv_sec);
    if (condition != Condition::none) {
        answer.status = condition == Condition::changed ? 412 : 304;
        body.close();
        return answer;
    }
    Range range{0, size == 0 ? 0 : size - 1};
    RangeResult wanted = RangeResult::none;
    const std::string_view if_range = head.value(wire::Header::if_range);
    // Of GET alone (RFC 9110 section 14.2).
    if (head.method() == wire::Method::get && head.count(wire::Header::range) == 1 &&
        (if_range.empty() || if_range == answer.etag || if_range == answer.last_modified))
        wanted = parse_range(head.value(wire::Header::range), size, range);
    switch (wanted) {
        case RangeResult::unsatisfiable:
            answer.status = 416;
            answer.content_range = "bytes */" + std::to_string(size);
            body.close();
            return answer;
        case RangeResult::one:
            answer.status = 206;
            answer.content_range = "bytes " + std::to_string(range.first) + "-" + std::to_string(range.last) +
                                   "/" + std::to_string(size);
            answer.length = range.last - range.first + 1;
            break;
        case RangeResult::none:
            answer.status = 200;
            answer.length = size;
            break;
    }
    body.at = range.first;
    body.remaining = answer.length;
    if (head.method() == wire::Method::head) {
        body.close();
    }
    return answer;
}

}  // namespace gateway::respond
