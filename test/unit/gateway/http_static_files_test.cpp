// Files as a route target: what is found, what never is, conditions and ranges.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <string>

#include "gateway/respond/static_files.hpp"

using namespace gateway;
namespace fs = std::filesystem;

namespace {

// A folder with a page, next to a file that must never be served.
class Site {
  public:
    Site() : root_(fs::temp_directory_path() / ("static_files_test_" + std::to_string(::getpid()))) {
        fs::remove_all(root_);
        fs::create_directories(root_ / "site/sub");
        write("secret.txt", "secret");
        write("site/index.html", "<p>home</p>");
        write("site/a b.txt", "0123456789");
        write("site/sub/index.html", "<p>sub</p>");
        write("site/app.js", "js");
        write("site/.env", "secret");
        fs::create_directories(root_ / "site/.git");
        write("site/.git/config", "secret");
        fs::create_symlink("../secret.txt", root_ / "site/out.txt");
        fs::create_symlink("/etc/passwd", root_ / "site/abs.txt");
        fs::create_symlink("app.js", root_ / "site/in.js");
        target.directory = (root_ / "site").string();
    }
    ~Site() { fs::remove_all(root_); }
    Site(const Site&) = delete;
    Site& operator=(const Site&) = delete;

    respond::FileAnswer get(const std::string& path, const std::string& headers = "",
                            const std::string& method = "GET") {
        body.close();
        text_ = method + ' ' + path + " HTTP/1.1\r\nHost: h\r\n" + headers + "\r\n";
        head_.clear();
        REQUIRE(wire::read_request_head(text_, {}, head_).status == wire::ReadStatus::complete);
        return respond::open_file(target, head_, head_.path(), body);
    }
    // With a path that the reader would have made canonical.
    respond::FileAnswer open(std::string_view path) {
        get("/");
        body.close();
        return respond::open_file(target, head_, path, body);
    }
    // The tag of a file of such contents, changed at that time.
    std::string tag_of(const std::string& bytes, std::time_t seconds, long nanoseconds) {
        write("site/tagged", bytes);
        const timespec times[] = {{seconds, nanoseconds}, {seconds, nanoseconds}};
        REQUIRE(::utimensat(AT_FDCWD, (root_ / "site/tagged").c_str(), times, 0) == 0);
        return get("/tagged").etag;
    }
    void write(const std::string& name, const std::string& bytes) { std::ofstream(root_ / name) << bytes; }
    fs::path folder() const { return root_ / "site"; }
    std::string contents() {
        std::string bytes(body.remaining, '\0');
        CHECK(::pread(body.descriptor, bytes.data(), bytes.size(), static_cast<off_t>(body.at)) ==
              static_cast<ssize_t>(bytes.size()));
        return bytes;
    }

    config::StaticTarget target;
    respond::FileBody body;

  private:
    fs::path root_;
    std::string text_;
    wire::RequestHead head_;
};

}  // namespace

TEST_CASE("files are found by their canonical path, folders by their index page") {
    Site site;
    CHECK(site.get("/").status == 200);
    CHECK(site.contents() == "<p>home</p>");
    const auto file = site.get("/a%20b.txt");
    CHECK(file.status == 200);
    CHECK(file.length == 10);
    CHECK(file.content_type == "text/plain; charset=utf-8");
    CHECK(site.contents() == "0123456789");
    CHECK(site.get("/sub/").status == 200);
    const auto folder = site.get("/sub");
    CHECK(folder.status == 308);
    CHECK(folder.location == "/sub/");
    CHECK(site.get("/in.js").content_type == "text/javascript; charset=utf-8");
    CHECK(site.get("/nope").status == 404);
    CHECK(site.get("/app.js/x").status == 404);
    const auto head = site.get("/app.js", "", "HEAD");
    CHECK(head.status == 200);
    CHECK(head.length == 2);
    CHECK(site.body.descriptor < 0);
}

TEST_CASE("hidden files are not served, and a folder's redirect stays on this site") {
    Site site;
    fs::create_directories(site.folder() / ".well-known");
    fs::create_directories(site.folder() / "sub/.well-known");
    for (const char* name :
         {"site/.well-known/security.txt", "site/.well-known/.env", "site/.well-knownx", "site/sub/.env"})
        site.write(name, "x");
    for (const char* hidden :
         {"/.env", "/.git/config", "/.git", "/%2Eenv", "/sub/.env", "/.well-knownx", "/.well-known/.env"}) {
        INFO(hidden);
        CHECK(site.get(hidden).status == 404);
        CHECK(site.body.descriptor < 0);
    }
    CHECK(site.get("/.well-known/security.txt").status == 200);
    // "//evil" would be another host's address to a browser. The reader merges slashes unless it is told not
    // to; nothing here relies on that.
    for (const char* path : {"/sub", "//sub", "///sub"}) {
        INFO(path);
        const auto folder = site.open(path);
        CHECK(folder.status == 308);
        CHECK(folder.location == "/sub/");
        CHECK(site.body.descriptor < 0);
    }
}

TEST_CASE("an entity tag changes with the time to the nanosecond and with the size, and with nothing else") {
    Site site;
    const auto tag = site.tag_of("abc", 1'700'000'000, 500);
    CHECK(tag.starts_with('"'));
    CHECK(tag.ends_with('"'));
    CHECK(tag.size() > 10);
    CHECK(site.tag_of("abc", 1'700'000'000, 501) != tag);
    CHECK(site.tag_of("abc", 1'700'000'001, 500) != tag);
    CHECK(site.tag_of("abcd", 1'700'000'000, 500) != tag);
    fs::remove(site.folder() / "tagged");
    CHECK(site.tag_of("abc", 1'700'000'000, 500) == tag);
}

TEST_CASE("nothing outside the folder is served") {
    Site site;
    CHECK(site.get("/out.txt").status == 404);
    CHECK(site.get("/abs.txt").status == 404);
    CHECK(site.get("/sub/../secret.txt").status == 404);
    CHECK(site.body.descriptor < 0);
}

TEST_CASE("without the kernel's help files are opened step by step and no link is followed") {
    Site site;
    fs::create_directories(fs::path(site.target.directory) / "sub/deep");
    std::ofstream(fs::path(site.target.directory) / "sub/deep/a.txt") << "a";
    fs::create_symlink("sub", fs::path(site.target.directory) / "folder");
    fs::create_symlink("/etc", fs::path(site.target.directory) / "sub/etc");
    const auto opens = [&](const std::string& relative) {
        const int root = ::open(site.target.directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
        const int opened = respond::open_step_by_step(root, relative);
        if (opened >= 0) ::close(opened);
        return opened >= 0;
    };
    CHECK(opens("app.js"));
    CHECK(opens("sub/deep/a.txt"));
    CHECK(opens("sub"));
    for (const char* closed : {"in.js", "out.txt", "abs.txt", "folder/index.html", "sub/etc/passwd",
                               "sub/../../secret.txt", "app.js/x", "none"}) {
        INFO(closed);
        CHECK_FALSE(opens(closed));
    }
}

TEST_CASE("a prefix is cut off and an application's page stands in for its own paths") {
    Site site;
    site.target.strip_prefix = "/docs";
    CHECK(site.get("/docs/app.js").status == 200);
    CHECK(site.get("/docs").status == 308);
    CHECK(site.get("/docs/unknown").status == 404);
    site.target.fallback = "index.html";
    CHECK(site.get("/docs/unknown/page").status == 200);
    CHECK(site.contents() == "<p>home</p>");
    CHECK(site.get("/docs/unknown.js").status == 404);
}

TEST_CASE("conditions: 304 for what the client has") {
    Site site;
    const auto first = site.get("/app.js");
    const auto tag = first.etag;
    CHECK(site.get("/app.js", "If-None-Match: " + tag + "\r\n").status == 304);
    CHECK(site.get("/app.js", "If-None-Match: \"x\", W/" + tag + "\r\n").status == 304);
    CHECK(site.body.descriptor < 0);  // nothing is sent, nothing stays open
    CHECK(site.get("/app.js", "If-None-Match: *\r\n").status == 304);
    CHECK(site.body.descriptor < 0);
    CHECK(site.get("/app.js", "If-None-Match: " + tag.substr(0, tag.size() - 2) + "\"\r\n").status == 200);
    CHECK(site.get("/app.js", "If-None-Match: \"x\"\r\n").status == 200);
    CHECK(site.get("/app.js", "If-Modified-Since: " + first.last_modified + "\r\n").status == 304);
    CHECK(site.get("/app.js", "If-None-Match: \"x\"\r\nIf-Modified-Since: " + first.last_modified + "\r\n")
              .status == 200);
}

TEST_CASE("ranges: one at a time, within the file") {
    Site site;
    struct Case {
        const char* range;
        unsigned status;
        const char* bytes;
    };
    for (const auto& c :
         {Case{"bytes=4-4", 206, "4"}, Case{"bytes=0-0", 206, "0"}, Case{"bytes=9-9", 206, "9"},
          Case{"bytes=0-9", 206, "0123456789"}, Case{"bytes=9-10", 206, "9"},
          Case{"bytes=-10", 206, "0123456789"}, Case{"bytes=-1", 206, "9"}, Case{"bytes=2-4", 206, "234"},
          Case{"bytes=7-", 206, "789"}, Case{"bytes=-3", 206, "789"}, Case{"bytes=8-99", 206, "89"},
          Case{"bytes=-99", 206, "0123456789"}, Case{"bytes=4-2", 200, "0123456789"},
          Case{"bytes=0-1,3-4", 200, "0123456789"}, Case{"items=0-1", 200, "0123456789"},
          Case{"bytes=a-b", 200, "0123456789"}}) {
        INFO(c.range);
        const auto answer = site.get("/a%20b.txt", std::string("Range: ") + c.range + "\r\n");
        CHECK(answer.status == c.status);
        CHECK(site.contents() == c.bytes);
    }
    const auto beyond = site.get("/a%20b.txt", "Range: bytes=10-\r\n");
    CHECK(beyond.status == 416);
    CHECK(beyond.content_range == "bytes */10");
    CHECK(site.body.descriptor < 0);
    CHECK(site.get("/a%20b.txt", "Range: bytes=-0\r\n").status == 416);
    CHECK(site.get("/a%20b.txt", "Range: bytes=2-4\r\n").content_range == "bytes 2-4/10");
    const auto now = site.get("/a%20b.txt");
    CHECK(now.length == 10);
    for (const auto& [validator, status] : {std::pair{now.etag, 206U},
                                            {now.last_modified, 206U},
                                            {std::string("\"old\""), 200U},
                                            {"W/" + now.etag, 200U},
                                            {std::string("Thu, 01 Jan 1970 00:00:00 GMT"), 200U}}) {
        INFO(validator);
        const auto answer = site.get("/a%20b.txt", "Range: bytes=2-4\r\nIf-Range: " + validator + "\r\n");
        CHECK(answer.status == status);
        CHECK(answer.length == (status == 206 ? 3 : 10));
    }
    // An empty file has no bytes to ask for.
    site.write("site/empty.txt", "");
    CHECK(site.get("/empty.txt").status == 200);
    CHECK(site.get("/empty.txt").length == 0);
    for (const char* range : {"bytes=0-", "bytes=0-0", "bytes=-1"})
        CHECK(site.get("/empty.txt", std::string("Range: ") + range + "\r\n").status == 416);
}

TEST_CASE("conditions and ranges are read as RFC 9110 has them") {
    Site site;
    const auto file = site.get("/app.js");
    const std::string tag = file.etag;
    const std::string date = file.last_modified;
    const std::string early = "Thu, 01 Jan 2015 00:00:00 GMT";
    const std::string late = "Thu, 01 Jan 2099 00:00:00 GMT";
    const std::vector<std::pair<std::string, unsigned>> rows{
        {"If-Match: " + tag, 200},
        {"If-Match: *", 200},
        {"If-Match: \"x\"\r\nIf-Match: " + tag, 200},
        {"If-Match: \"x\"", 412},
        {"If-Match: W/" + tag, 412},
        {"If-Match: \"x\"\r\nIf-None-Match: " + tag, 412},
        {"If-Unmodified-Since: " + date, 200},
        {"If-Unmodified-Since: " + early, 412},
        {"If-Unmodified-Since: yesterday", 200},
        {"If-Match: *\r\nIf-Unmodified-Since: " + early, 200},
        {"If-None-Match: \"x\"\r\nIf-None-Match: " + tag, 304},
        {"If-None-Match: \"x\",\t" + tag, 304},
        {"If-None-Match: W/" + tag, 304},
        {"If-None-Match: *", 304},
        {"If-None-Match: \"*\"", 200},
        {"If-None-Match: \"a, *, b\"", 200},
        {"If-None-Match: \"a," + tag.substr(1), 200},
        {"If-None-Match: \"x\"\r\nIf-Modified-Since: " + date, 200},
        {"If-Modified-Since: " + date, 304},
        {"If-Modified-Since: " + late, 304},
        {"If-Modified-Since: " + early, 200},
        {"Range: bytes=0-0", 206},
        {"Range: Bytes= 0-0", 206},
        {"Range: bytes=0-99999999999999999999999", 206},
        {"Range: bytes=-99999999999999999999999", 206},
        {"Range: bytes=99999999999999999999999-", 416},
        {"Range: bytes=0-0\r\nRange: bytes=1-1", 200},
    };
    for (const auto& [lines, status] : rows) {
        INFO(lines);
        CHECK(site.get("/app.js", lines + "\r\n").status == status);
    }
    const auto head = site.get("/app.js", "Range: bytes=0-0\r\n", "HEAD");
    CHECK(head.status == 200);
    CHECK(head.length == 2);
    CHECK(head.content_range.empty());
}

TEST_CASE("a folder's redirect keeps the query, and its slash is asked for behind a cut-off prefix, too") {
    Site site;
    CHECK(site.get("/sub?a=b").location == "/sub/?a=b");
    CHECK(site.get("/sub?").location == "/sub/?");
    site.target.strip_prefix = "/st";
    const auto top = site.get("/st?a=b");
    CHECK(top.status == 308);
    CHECK(top.location == "/st/?a=b");
    CHECK(site.get("/st/").status == 200);
    CHECK(site.get("/st/sub").location == "/st/sub/");
}

TEST_CASE("the fallback is for paths with a slash at their end, too") {
    Site site;
    site.target.fallback = "index.html";
    for (const char* path : {"/courses", "/courses/", "/courses/1/"}) {
        INFO(path);
        CHECK(site.get(path).status == 200);
        CHECK(site.contents() == "<p>home</p>");
    }
    CHECK(site.get("/courses/x.js").status == 404);
}
