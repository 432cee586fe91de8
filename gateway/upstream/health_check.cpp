#include "gateway/upstream/health_check.hpp"

#include <openssl/ssl.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <cstring>
#include <memory>
#include <string>

#include "gateway/net/stream.hpp"
#include "gateway/wire/response_head.hpp"

namespace gateway::upstream {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

std::string request_for(const config::HealthCheck& rules, const Endpoint& endpoint) {
    return "GET " + rules.path +
           " HTTP/1.1\r\nHost: " + (rules.host.empty() ? endpoint.authority() : rules.host) +
           "\r\nUser-Agent: kampus-gateway-health\r\nAccept: */*\r\nConnection: close\r\n\r\n";
}

enum class Judged : std::uint8_t { unknown, good, bad };

// Of the final answer's head, which has to be whole. Who is too busy to answer lives. `head` and `answer` are
// given again with more behind them while it is unknown.
Judged judge(const config::HealthCheck& rules, std::string& answer, wire::ResponseHead& head) {
    static const wire::ReaderRules kRules;
    while (true) {
        const wire::ReadResult result = wire::read_response_head(answer, wire::Method::get, kRules, head);
        if (result.status == wire::ReadStatus::incomplete) return Judged::unknown;
        if (result.status == wire::ReadStatus::refused) return Judged::bad;
        if (!head.informational()) break;
        answer.erase(0, result.consumed);
        head.clear();
    }
    const unsigned status = head.status();
    return head.shed() || (status >= rules.status_min && status <= rules.status_max) ? Judged::good
                                                                                     : Judged::bad;
}

// The socket's wait is what the deadline cancels; the same code serves plain and TLS streams.
struct Checked {
    explicit Checked(const asio::any_io_executor& executor) : socket(executor), deadline(executor) {}
    tcp::socket socket;
    asio::steady_timer deadline;
    bool over = false;
};

}  // namespace

asio::awaitable<bool> check_health(std::shared_ptr<Cluster> cluster, std::shared_ptr<Endpoint> endpoint) {
    const config::HealthCheck& rules = cluster->settings().health;
    const auto executor = co_await asio::this_coro::executor;
    auto state = std::make_shared<Checked>(executor);
    state->deadline.expires_after(rules.timeout);
    state->deadline.async_wait([state](boost::system::error_code error) {
        if (error) return;
        state->over = true;
        boost::system::error_code ignored;
        state->socket.cancel(ignored);
    });
    const auto finish = [&state](bool good) {
        state->deadline.cancel();
        return good;
    };

    tcp::endpoint to;
    std::memcpy(to.data(), &endpoint->address().storage, endpoint->address().length);
    to.resize(endpoint->address().length);
    boost::system::error_code error;
    auto connecting = state->socket.async_connect(to, asio::redirect_error(asio::use_awaitable, error));
    co_await std::move(connecting);
    if (error || state->over) co_return finish(false);
    state->socket.non_blocking(true, error);

    // The TLS object and net::Stream want to own a descriptor: a duplicate, which the stream closes.
    net::Stream stream(::dup(state->socket.native_handle()), cluster->new_tls(*endpoint));
    const auto wait_type = tcp::socket::wait_read;
    while (true) {
        const net::IoStatus status = stream.handshake();
        if (status == net::IoStatus::ok) break;
        if (status != net::IoStatus::drained) co_return finish(false);
        auto waiting = state->socket.async_wait(wait_type, asio::redirect_error(asio::use_awaitable, error));
        co_await std::move(waiting);
        if (error || state->over) co_return finish(false);
    }
    const std::string request = request_for(rules, *endpoint);
    const net::IoResult sent = stream.write(request);
    if (sent.bytes != request.size())
        co_return finish(false);  // a fresh connection takes a few hundred bytes
    std::string answer;
    const auto head = std::make_unique<wire::ResponseHead>();
    head->clear();
    std::array<char, 512> buffer;
    while (true) {
        const net::IoResult got = stream.read(buffer, false);
        answer.append(buffer.data(), got.bytes);
        const Judged verdict = got.bytes > 0 ? judge(rules, answer, *head) : Judged::unknown;
        if (verdict != Judged::unknown) co_return finish(verdict == Judged::good);
        if (got.status == net::IoStatus::ok) continue;
        if (got.status == net::IoStatus::closed || got.status == net::IoStatus::failed)
            co_return finish(false);
        auto waiting = state->socket.async_wait(wait_type, asio::redirect_error(asio::use_awaitable, error));
        co_await std::move(waiting);
        if (error || state->over) co_return finish(false);
    }
}

}  // namespace gateway::upstream
