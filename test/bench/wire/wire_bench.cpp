// What the readers, the writer and the route table cost for one request, in CPU time of this thread.
//
//   build/release/test/bench/wire/wire_bench [REQUESTS]
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "gateway/config/load.hpp"
#include "gateway/limits/keyed_limiter.hpp"
#include "gateway/routing/route_table.hpp"
#include "gateway/wire/head_writer.hpp"

using namespace gateway;

namespace {

double cpu_ns() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

// Kept alive, so that no loop is optimized away.
volatile std::size_t sink;

template <class F>
void measure(const char* what, long count, F&& once) {
    std::array<double, 5> rounds{};
    for (auto& round : rounds) {
        const auto start = cpu_ns();
        for (long i = 0; i < count; ++i) sink = sink + once();
        round = (cpu_ns() - start) / static_cast<double>(count);
    }
    std::sort(rounds.begin(), rounds.end());
    std::printf("%-48s %7.0f ns\n", what, rounds[rounds.size() / 2]);
}

}  // namespace

int main(int argc, char** argv) {
    const long count = argc > 1 ? std::atol(argv[1]) : 500'000;
    const std::string request =
        "GET /api/acad/ips?nim=22001 HTTP/1.1\r\nHost: 127.0.0.1:8081\r\nUser-Agent: bench/1\r\nAccept: "
        "*/*\r\n"
        "Authorization: Bearer " +
        std::string(304, 'a') + "\r\n\r\n";
    const std::string answer =
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 76\r\nCache-Control: "
        "no-store\r\n"
        "Date: Mon, 23 Nov 2026 17:00:00 GMT\r\n\r\n";
    const wire::ReaderRules rules;
    wire::RequestHead head;
    wire::ResponseHead response;
    std::vector<char> bytes(16 * 1024);

    measure("read a request head of 430 bytes", count, [&] {
        head.clear();
        return wire::read_request_head(request, rules, head).consumed;
    });
    measure("read an answer head of 130 bytes", count, [&] {
        response.clear();
        return wire::read_response_head(answer, wire::Method::get, rules, response).consumed;
    });
    const std::array<wire::Addition, 4> identity{{{"X-User-Id", "01234567-89ab"},
                                                  {"X-User-Role", "mahasiswa"},
                                                  {"X-User-Nim", "22001"},
                                                  {"X-Session-Id", "abcdefghijklmnopqrstuv"}}};
    measure("write it for the upstream, identity added", count, [&] {
        wire::UpstreamRequest add;
        add.path = head.path();
        add.query = head.query();
        add.has_query = true;
        add.host = add.forwarded_host = "127.0.0.1:8081";
        add.forwarded_for = add.client_address = "127.0.0.1";
        add.forwarded_proto = "http";
        add.request_id = "0123456789abcdefghijklmnop";
        add.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        add.additions = identity;
        wire::Output out(bytes.data(), bytes.size());
        return wire::write_request_head(out, head, add) ? out.size() : 0;
    });
    measure("write the answer head for the client", count, [&] {
        wire::ClientResponse add;
        add.body = wire::BodyKind::length;
        add.content_length = 76;
        add.request_id = "0123456789abcdefghijklmnop";
        wire::Output out(bytes.data(), bytes.size());
        return wire::write_response_head(out, response, add) ? out.size() : 0;
    });

    std::ifstream file(SOURCE_DIR "/deploy/config/gateway.json", std::ios::binary);
    const std::string text(std::istreambuf_iterator<char>(file), {});
    const auto loaded = config::parse(text, [](const std::string& name) -> std::optional<std::string> {
        if (name == "JWT_SECRET") return std::string(32, 's');
        return std::nullopt;
    });
    if (!loaded) {
        std::fputs(loaded.report("gateway.json").c_str(), stderr);
        return 1;
    }
    const routing::RouteTable table(loaded.config);
    measure("find its route in the shipped table", count,
            [&] { return table.find(head.host(), head.method(), head.path(), head).index; });

    limits::KeyedLimiter limiter(100'000);
    const limits::Rate rate(1000, std::chrono::seconds(1), 1000);
    limits::Nanoseconds now = std::chrono::hours(1);
    measure("take from a rate limit's bucket", count, [&] {
        limits::KeyHash key(0);
        key.part("127.0.0.1");
        now += std::chrono::microseconds(1);
        return static_cast<std::size_t>(limiter.take(key.value(), rate, now).remaining);
    });
    return 0;
}
