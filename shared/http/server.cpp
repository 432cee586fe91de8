#include "shared/http/server.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http.hpp>
#include <list>
#include <stdexcept>
#include <unordered_map>

#include "shared/base/random.hpp"
#include "shared/http/answers.hpp"
#include "shared/http/framing.hpp"
#include "shared/http/networks.hpp"
#include "shared/http/query.hpp"
#include "shared/http/uri.hpp"
#include "shared/jwt/credentials.hpp"
#include "shared/log/log.hpp"

namespace shared::http {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace bhttp = boost::beast::http;
using tcp = asio::ip::tcp;
using Clock = std::chrono::steady_clock;

namespace {

constexpr auto kTick = std::chrono::milliseconds(200);  // how late a deadline may be noticed
constexpr std::size_t kReadChunk = 8 * 1024;            // flat_buffer alone starts with 512-byte reads

using Parser = bhttp::request_parser<bhttp::string_body>;

bool sane_request_id(std::string_view id) {
    if (id.empty() || id.size() > 128) return false;
    for (const char c : id)
        if (c <= 0x20 || c >= 0x7F) return false;
    return true;
}

std::string_view to_view(beast::string_view text) {
    return {text.data(), text.size()};
}

// Of a request that has a body; one without is the handler's to judge.
std::optional<Response> check_content_type(const Request& request, const RouteRules& rules) {
    const auto accepted =
        rules.body == Body::json ? std::string_view("application/json") : rules.content_type;
    if (accepted.empty() || has_media_type(request.header("Content-Type"), accepted)) return std::nullopt;
    return unsupported_media_type(accepted);
}

}  // namespace

struct Server::Impl : std::enable_shared_from_this<Server::Impl> {
    Impl(asio::io_context& io_, ServerOptions options_, Router router_, TokenCheck check_,
         metrics::Registry& metrics_)
        : io(io_),
          options(std::move(options_)),
          router(std::move(router_)),
          check(std::move(check_)),
          metrics(metrics_),
          trusted(options.trusted_proxies),
          acceptor(io),
          retry_timer(io),
          ticker(io),
          connections_gauge(metrics.gauge("http_connections", "Open client connections")) {}

    // One open connection, known to the server so that deadlines and a drain can reach it. The deadline moves
    // with each phase; one ticker looks at all of them (no timer is armed per read or write). A passed
    // deadline cancels what the socket waits for, again at each tick, and leaves the socket open for a last
    // answer.
    struct Connection {
        explicit Connection(tcp::socket accepted) : stream(std::move(accepted)) {}
        void expires_after(Clock::duration time) {
            deadline = Clock::now() + time;
            expired = false;
        }
        tcp::socket stream;
        Clock::time_point deadline = Clock::time_point::max();
        bool expired = false;
        bool busy = false;
    };

    struct Instruments {
        prometheus::Histogram* duration;
        std::unordered_map<unsigned, prometheus::Counter*> by_status;
    };

    asio::io_context& io;
    ServerOptions options;
    Router router;
    TokenCheck check;
    metrics::Registry& metrics;
    Networks trusted;
    tcp::acceptor acceptor;
    asio::steady_timer retry_timer;
    asio::steady_timer ticker;
    prometheus::Gauge& connections_gauge;
    std::list<Connection> connections;
    std::unordered_map<std::string, Instruments> instruments;  // by route pattern
    bool retired = false;                                      // each answer ends its connection
    bool draining = false;
    Clock::time_point drain_end = Clock::time_point::max();  // then everything left is cut off
    bool cut_off = false;                                    // that has been done
    std::function<void()> drained;

    void bind();
    asio::awaitable<void> accept_loop();
    void tick();
    asio::awaitable<void> serve(std::list<Connection>::iterator connection);
    asio::awaitable<bool> one_request(Connection& connection, beast::flat_buffer& buffer);
    asio::awaitable<Response> answer(Request& request, const Router::Match& match);
    std::optional<Response> refuse(Request& request, const Router::Match& match);
    std::optional<Response> check_token(Request& request, const Access& access);
    static std::optional<Response> check_query(const Request& request, const RouteRules& rules);
    std::uint64_t body_limit(const Router::Match& match) const;
    Request make_request(const bhttp::request_header<>& head, const asio::ip::address& peer) const;
    asio::awaitable<bool> write(Connection& connection, const Request& request, Response response,
                                bool keep_alive, bool head_only);
    void record(const Request& request, std::string_view route, unsigned status, Clock::duration took);
    void finished(std::list<Connection>::iterator connection);
};

void Server::Impl::bind() {
    const auto address = asio::ip::make_address(options.address);
    const tcp::endpoint endpoint(address, options.port);
    boost::system::error_code error;
    acceptor.open(endpoint.protocol(), error);
    if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
    if (error)
        throw std::runtime_error("PORT: cannot listen on " + options.address + ":" +
                                 std::to_string(options.port) + ": " + error.message());
}

asio::awaitable<void> Server::Impl::accept_loop() {
    while (!draining) {
        boost::system::error_code error;
        tcp::socket socket(io);
        co_await acceptor.async_accept(socket, asio::redirect_error(asio::use_awaitable, error));
        if (draining) break;
        if (error) {
            if (error == asio::error::operation_aborted) break;
            // EMFILE, ENFILE, ENOMEM and the like pass: wait a little, never spin, never die.
            log::warn("accept_failed", {{"reason", error.message()}});
            retry_timer.expires_after(std::chrono::milliseconds(100));
            co_await retry_timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
            continue;
        }
        if (connections.size() >= options.max_connections) {
            log::warn("connection_limit", {{"limit", options.max_connections}});
            continue;  // the socket closes
        }
        boost::system::error_code ignored;
        socket.set_option(tcp::no_delay(true), ignored);
        const auto connection = connections.emplace(connections.end(), std::move(socket));
        connections_gauge.Set(static_cast<double>(connections.size()));
        auto session = serve(connection);
        auto self = shared_from_this();
        asio::co_spawn(io, std::move(session), [self, connection](std::exception_ptr failure) {
            if (failure) {
                try {
                    std::rethrow_exception(failure);
                } catch (const std::exception& e) {
                    log::error("connection_failed", {{"reason", e.what()}});
                }
            }
            self->finished(connection);
        });
    }
}

void Server::Impl::tick() {
    ticker.expires_after(kTick);
    ticker.async_wait([self = shared_from_this()](boost::system::error_code error) {
        if (error) return;
        const auto now = Clock::now();
        const bool drain_over = now >= self->drain_end;
        for (auto& connection : self->connections) {
            if (now < connection.deadline && !drain_over) continue;
            connection.expired = true;
            boost::system::error_code ignored;
            if (drain_over) connection.stream.shutdown(tcp::socket::shutdown_both, ignored);
            connection.stream.cancel(ignored);
        }
        // A tick later what could be cut off is gone; what is left is a handler that waits for something
        // else.
        if (drain_over && std::exchange(self->cut_off, true)) {
            if (auto done = std::exchange(self->drained, nullptr)) {
                log::warn("drain_incomplete", {{"connections", self->connections.size()}});
                done();
            }
            return;
        }
        self->tick();
    });
}

void Server::Impl::finished(std::list<Connection>::iterator connection) {
    connections.erase(connection);
    connections_gauge.Set(static_cast<double>(connections.size()));
    if (draining && connections.empty()) {
        ticker.cancel();
        if (auto done = std::exchange(drained, nullptr)) done();
    }
}

asio::awaitable<void> Server::Impl::serve(std::list<Connection>::iterator connection) {
    beast::flat_buffer buffer;
    auto& stream = connection->stream;
    bool keep = true;
    while (keep && !draining) {
        if (buffer.size() == 0) {
            connection->expires_after(options.idle_timeout);
            boost::system::error_code error;
            const auto space = buffer.prepare(kReadChunk);
            const auto count =
                co_await stream.async_read_some(space, asio::redirect_error(asio::use_awaitable, error));
            if (error) break;  // closed, reset, idle for too long, or drained
            buffer.commit(count);
        }
        connection->busy = true;
        keep = co_await one_request(*connection, buffer);
        connection->busy = false;
    }
    boost::system::error_code ignored;
    stream.shutdown(tcp::socket::shutdown_send, ignored);
    stream.close(ignored);
}

// Reads, answers, logs one request. False: the connection ends.
asio::awaitable<bool> Server::Impl::one_request(Connection& connection, beast::flat_buffer& buffer) {
    auto& stream = connection.stream;
    boost::system::error_code error;
    const auto peer = stream.remote_endpoint(error).address();
    if (error) co_return false;

    Parser parser;
    parser.header_limit(options.header_limit_bytes);
    parser.body_limit(boost::none);  // checked below, so that the answer can be a 413
    connection.expires_after(options.head_timeout);
    co_await bhttp::async_read_header(stream, buffer, parser,
                                      asio::redirect_error(asio::use_awaitable, error));
    const auto started = Clock::now();
    const bool head_late = error == asio::error::operation_aborted && connection.expired;
    if (error == bhttp::error::end_of_stream || (error == asio::error::operation_aborted && !head_late) ||
        error == asio::error::connection_reset || error == bhttp::error::partial_message)
        co_return false;

    Request request = make_request(parser.get(), peer);
    const bool head_only = parser.get().method() == bhttp::verb::head;
    std::optional<Response> refusal;
    Router::Match match;
    if (head_late) {
        refusal = problem_response(408, "request_timeout", "Permintaan terlalu lama dikirim");
    } else if (error == bhttp::error::header_limit) {
        refusal = problem_response(431, "headers_too_large", "Header permintaan terlalu besar");
    } else if (error || framing_fault(parser.get()) != nullptr) {
        refusal = problem_response(400, "malformed_request", "Permintaan HTTP tidak sah");
    }
    if (refusal) {  // nothing behind this head can be trusted
        record(request, "", refusal->status, Clock::now() - started);
        const bool sent = co_await write(connection, request, std::move(*refusal), false, head_only);
        boost::ignore_unused(sent);
        co_return false;
    }

    const auto path_end = request.target.find('?');
    const auto raw_path = std::string_view(request.target).substr(0, path_end);
    const auto decoded_path = percent_decode(raw_path);
    auto query =
        parse_query(path_end == std::string::npos ? std::string_view{}
                                                  : std::string_view(request.target).substr(path_end + 1));
    if (!decoded_path || !query || !raw_path.starts_with('/')) {
        refusal = problem_response(400, "malformed_target", "Alamat permintaan tidak sah");
    } else {
        request.path = *decoded_path;
        request.query = std::move(*query);
        match = router.match(to_view(parser.get().method_string()), raw_path);
        request.params = match.params;
        refusal = refuse(request, match);
    }

    const auto length = parser.content_length();
    const auto limit = body_limit(match);
    const bool too_long = length && *length > limit;
    const auto too_long_answer = [] {
        return problem_response(413, "body_too_large", "Isi permintaan terlalu besar");
    };
    if (!refusal && too_long) refusal = too_long_answer();
    bool keep_alive = parser.keep_alive();
    const auto expect = to_view(parser.get()[bhttp::field::expect]);
    if (!refusal && !expect.empty() && !beast::iequals(parser.get()[bhttp::field::expect], "100-continue"))
        refusal = problem_response(417, "expectation_failed", "Header Expect tidak dikenal");

    const bool has_body = !parser.is_done();
    if (!refusal && has_body) refusal = check_content_type(request, match.route->rules);
    if (has_body && refusal && (too_long || parser.chunked() || !expect.empty())) {
        keep_alive = false;  // the body is not read
    } else if (has_body) {
        connection.expires_after(options.body_timeout);
        if (!expect.empty()) {
            static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
            co_await asio::async_write(stream, asio::buffer(kContinue.data(), kContinue.size()),
                                       asio::redirect_error(asio::use_awaitable, error));
            if (error) co_return false;
        }
        parser.body_limit(limit);
        co_await bhttp::async_read(stream, buffer, parser, asio::redirect_error(asio::use_awaitable, error));
        if (error == bhttp::error::body_limit) {
            refusal = too_long_answer();
            keep_alive = false;
        } else if (error == asio::error::operation_aborted && connection.expired) {
            refusal = problem_response(408, "request_timeout", "Permintaan terlalu lama dikirim");
            keep_alive = false;
        } else if (error) {
            if (error.category() != make_error_code(bhttp::error::bad_chunk).category()) co_return false;
            if (error == bhttp::error::partial_message || error == bhttp::error::end_of_stream)
                co_return false;
            refusal = problem_response(400, "malformed_request", "Permintaan HTTP tidak sah");
            keep_alive = false;
        } else {
            request.body = std::move(parser.get().body());
        }
    }

    Response response;
    if (refusal) {
        response = std::move(*refusal);
    } else {
        connection.deadline = Clock::time_point::max();  // the handler's own waits have their own deadlines
        response = co_await answer(request, match);
    }
    keep_alive = keep_alive && !retired && !draining;
    record(request, match.route != nullptr ? std::string_view(match.route->pattern) : std::string_view{},
           response.status, Clock::now() - started);
    co_return co_await write(connection, request, std::move(response), keep_alive, head_only);
}

std::uint64_t Server::Impl::body_limit(const Router::Match& match) const {
    const auto limit = match.route != nullptr ? match.route->rules.body_limit_bytes : kServerLimit;
    return limit == kServerLimit ? options.body_limit_bytes : limit;
}

Request Server::Impl::make_request(const bhttp::request_header<>& head, const asio::ip::address& peer) const {
    Request request;
    request.method = to_view(head.method_string());
    if (request.method == "HEAD") request.method = "GET";
    request.target = to_view(head.target());
    request.path = request.target.substr(0, request.target.find('?'));
    if (!json::valid_utf8(request.path)) request.path = "/";  // goes into the log and the error body
    request.headers = head;
    const auto given_id = request.header("X-Request-Id");
    request.request_id = sane_request_id(given_id) ? std::string(given_id) : random_id();
    request.client_address = client_address(peer, request.header_list("X-Forwarded-For"), trusted);
    return request;
}

// What is decided by method, path, query and token: 404, 405, OPTIONS, 401, 403, 422.
std::optional<Response> Server::Impl::refuse(Request& request, const Router::Match& match) {
    if (match.route == nullptr) {
        if (match.allow.empty()) return problem_response(404, "not_found", "Alamat tidak ditemukan");
        if (request.method == "OPTIONS") return no_content().with("Allow", match.allow);
        return problem_response(405, "method_not_allowed", "Metode tidak didukung untuk alamat ini")
            .with("Allow", match.allow);
    }
    if (match.route->access.needs_token()) {
        auto refusal = check_token(request, match.route->access);
        if (refusal) return refusal;
    }
    return match.route->rules.query == kAnyQuery ? std::nullopt : check_query(request, match.route->rules);
}

std::optional<Response> Server::Impl::check_query(const Request& request, const RouteRules& rules) {
    auto errors = unexpected_parameters(request, rules.query);
    if (errors.empty()) return std::nullopt;
    return parameters_invalid(std::move(errors));
}

std::optional<Response> Server::Impl::check_token(Request& request, const Access& access) {
    const auto challenge = "Bearer realm=\"" + options.service + "\"";
    const auto credentials = jwt::read_credentials(request.header("Authorization"));
    if (credentials.kind == jwt::Credentials::Kind::none)
        return problem_response(401, "token_missing", "Silakan masuk terlebih dahulu")
            .with("WWW-Authenticate", challenge);
    auto claims = check(credentials.token);  // malformed ones have an empty token
    if (!claims) {
        if (claims.error() == jwt::Errc::no_keys || claims.error() == jwt::Errc::sessions_unknown)
            return unavailable("keys_unavailable", "Pemeriksaan token sedang tidak tersedia");
        log::info("token_refused",
                  {{"reason", claims.error().message()}, {"request_id", request.request_id}});
        return problem_response(401, "token_invalid", "Token tidak sah atau sudah kedaluwarsa")
            .with("WWW-Authenticate", challenge + ", error=\"invalid_token\"");
    }
    if (!access.allows(claims->role))
        return problem_response(403, "forbidden", "Anda tidak berhak mengakses data ini")
            .with("WWW-Authenticate", challenge + ", error=\"insufficient_scope\"");
    request.claims = std::move(*claims);
    return std::nullopt;
}

asio::awaitable<Response> Server::Impl::answer(Request& request, const Router::Match& match) {
    try {
        auto pending = match.route->handler(request);
        co_return co_await std::move(pending);
    } catch (const std::exception& e) {
        log::error(
            "handler_failed",
            {{"route", match.route->pattern}, {"reason", e.what()}, {"request_id", request.request_id}});
    }
    co_return internal_error();
}

asio::awaitable<bool> Server::Impl::write(Connection& connection, const Request& request, Response response,
                                          bool keep_alive, bool head_only) {
    if (response.problem) {
        response.content_type = "application/problem+json";
        response.body = problem_body(*response.problem, request.path, request.request_id);
    }
    bhttp::response<bhttp::string_body> message;
    message.version(11);
    message.result(response.status);
    message.reason(beast::string_view(reason_phrase(response.status)));
    message.set("X-Request-Id", request.request_id);
    if (!response.content_type.empty()) message.set(bhttp::field::content_type, response.content_type);
    for (const auto& [name, value] : response.headers) message.insert(name, value);
    message.keep_alive(keep_alive);
    if (response.status != 204 && response.status != 304)
        message.set(bhttp::field::content_length, std::to_string(response.body.size()));
    if (!head_only) message.body() = std::move(response.body);

    boost::system::error_code error;
    connection.expires_after(options.write_timeout);
    bhttp::response_serializer<bhttp::string_body> serializer(message);
    co_await bhttp::async_write(connection.stream, serializer,
                                asio::redirect_error(asio::use_awaitable, error));
    co_return !error && keep_alive;
}

void Server::Impl::record(const Request& request, std::string_view route, unsigned status,
                          Clock::duration took) {
    const double seconds = std::chrono::duration<double>(took).count();
    const std::string label = route.empty() ? "none" : std::string(route);
    auto found = instruments.find(label);
    if (found == instruments.end()) {
        auto& duration = metrics.latency("http_request_duration_seconds",
                                         "Time from the request's head to the answer", {{"route", label}});
        found = instruments.emplace(label, Instruments{&duration, {}}).first;
    }
    auto& [duration, by_status] = found->second;
    duration->Observe(seconds);
    auto*& counter = by_status[status];
    if (counter == nullptr)
        counter = &metrics.counter("http_requests_total", "Requests answered",
                                   {{"route", label}, {"status", std::to_string(status)}});
    counter->Increment();
    log::info("request",
              {{"method", request.method},
               {"path", request.path},
               {"status", status},
               {"duration_ms", seconds * 1000},
               {"client", request.client_address},
               {"sub", request.claims ? std::string_view(request.claims->sub) : std::string_view{}},
               {"request_id", request.request_id}});
}

Server::Server(asio::io_context& io, ServerOptions options, Router router, TokenCheck check,
               metrics::Registry& metrics)
    : impl_(std::make_shared<Impl>(io, std::move(options), std::move(router), std::move(check), metrics)) {
    impl_->bind();
}

Server::~Server() = default;

std::uint16_t Server::port() const {
    return impl_->acceptor.local_endpoint().port();
}

std::size_t Server::connections() const {
    return impl_->connections.size();
}

void Server::start() {
    log::info("listening", {{"address", impl_->options.address}, {"port", port()}});
    impl_->tick();
    auto loop = impl_->accept_loop();
    asio::co_spawn(impl_->io, std::move(loop), [self = impl_](std::exception_ptr failure) {
        if (failure) log::error("accept_loop_failed");
    });
}

void Server::retire() {
    impl_->retired = true;
}

void Server::drain(std::chrono::milliseconds grace, std::function<void()> done) {
    auto& impl = *impl_;
    if (impl.draining) return;
    impl.draining = true;
    boost::system::error_code ignored;
    impl.acceptor.close(ignored);
    impl.retry_timer.cancel();
    if (impl.connections.empty()) {
        impl.ticker.cancel();
        asio::post(impl.io, std::move(done));
        return;
    }
    impl.drained = std::move(done);
    for (auto& connection : impl.connections)
        if (!connection.busy) connection.stream.cancel(ignored);
    impl.drain_end = Clock::now() + grace;
}

}  // namespace shared::http
