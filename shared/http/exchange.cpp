#include "shared/http/exchange.hpp"

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>
#include <sstream>

#include "shared/base/random.hpp"
#include "shared/base/text.hpp"
#include "shared/http/admission.hpp"
#include "shared/http/answers.hpp"
#include "shared/http/body_writer.hpp"
#include "shared/http/framing.hpp"
#include "shared/http/uri.hpp"
#include "shared/log/log.hpp"

namespace shared::http {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace bhttp = boost::beast::http;

namespace {

bool sane_request_id(std::string_view id) {
    if (id.empty() || id.size() > 128) return false;
    for (const char c : id)
        if (c <= 0x20 || c >= 0x7F) return false;
    return true;
}

std::string_view to_view(beast::string_view text) {
    return {text.data(), text.size()};
}

}  // namespace

asio::awaitable<bool> Exchange::run() {
    boost::system::error_code error;
    const auto peer = connection_.stream.remote_endpoint(error).address();
    if (error) co_return false;

    Head head;
    head.header_limit(state_.options.header_limit_bytes);
    head.body_limit(boost::none);  // looked at below, so that the answer can be a 413
    connection_.expires_after(state_.options.head_timeout);
    co_await bhttp::async_read_header(connection_.stream, connection_.buffer, head,
                                      asio::redirect_error(asio::use_awaitable, error));
    started_ = Clock::now();
    const bool cancelled = error == asio::error::operation_aborted && !connection_.expired;
    if (cancelled || error == bhttp::error::end_of_stream || error == asio::error::connection_reset ||
        error == bhttp::error::partial_message)
        co_return false;

    describe(head.get(), peer);
    auto refusal = head_fault(error, head);
    if (!refusal) {
        keep_alive_ = head.keep_alive();
        refusal = admit(head);
        if (!refusal && streamed()) {
            const auto time = state_.options.body_timeout;
            body_ = std::make_unique<BodyStream>(connection_, std::move(head), body_limit(), time,
                                                 expects_continue_);
            request_.body_stream = body_.get();
        } else if (!unread_ && !head.is_done()) {
            auto fault = co_await read_whole_body(head);
            if (fault) refusal = std::move(fault);
        }
    }
    if (abandoned_) co_return false;

    connection_.never_expires();  // the handler's own waits have their own deadlines
    if (!refusal && !match_.route->rules.at_once) {
        turn_ = state_.turns.take(request_, match_.route->rules.rate);
        if (!turn_) refusal = co_await wait_for_turn();
    }
    Response response;
    if (refusal)
        response = std::move(*refusal);
    else
        response = co_await answer();
    if (body_) {
        unread_ = !body_->finished();
        if (body_->abandoned()) co_return false;
    }
    if (!response.produce) turn_.reset();  // a client that reads slowly keeps nobody waiting
    keep_alive_ = keep_alive_ && !unread_ && !state_.retired && !state_.draining;
    connection_.unread = unread_;
    co_return co_await send(std::move(response));
}

void Exchange::describe(const bhttp::request_header<>& head, const asio::ip::address& peer) {
    request_.method = to_view(head.method_string());
    head_only_ = request_.method == "HEAD";
    if (head_only_) request_.method = "GET";
    old_client_ = head.version() < 11;
    request_.target = to_view(head.target());
    request_.path = request_.target.substr(0, request_.target.find('?'));
    if (!valid_utf8(request_.path)) request_.path = "/";  // goes into the log and the error body
    request_.headers = head;
    const auto given_id = request_.header("X-Request-Id");
    request_.request_id = sane_request_id(given_id) ? std::string(given_id) : random_id();
    request_.client_address = client_address(peer, request_.header_list("X-Client-Address"), state_.trusted);
    request_.client_key = counted_as(request_.client_address);
}

// Nothing behind such a head can be trusted: the connection ends.
std::optional<Response> Exchange::head_fault(boost::system::error_code error, const Head& head) const {
    if (error == asio::error::operation_aborted) return request_timeout();
    if (error == bhttp::error::header_limit)
        return problem_response(431, "headers_too_large", "Header permintaan terlalu besar");
    if (error || framing_fault(head.get()) != nullptr) return malformed_request();
    return std::nullopt;
}

std::optional<Response> Exchange::admit(const Head& head) {
    if (connection_.surplus) {
        unread_ = !head.is_done();
        keep_alive_ = false;
        return overloaded();
    }
    const std::string_view target = request_.target;
    const auto path_end = target.find('?');
    const auto raw_path = target.substr(0, path_end);
    const auto path = percent_decode(raw_path);
    auto query =
        parse_query(path_end == std::string_view::npos ? std::string_view{} : target.substr(path_end + 1));
    std::optional<Response> refusal;
    if (!path || !query || !raw_path.starts_with('/')) {
        refusal = problem_response(400, "malformed_target", "Alamat permintaan tidak sah");
    } else {
        request_.path = *path;
        request_.query = std::move(*query);
        match_ = state_.router.match(to_view(head.get().method_string()), raw_path);
        request_.params = match_.params;
        refusal = refuse(state_, request_, match_);
    }

    const auto length = head.content_length();
    const bool too_long = length && *length > body_limit();
    if (!refusal && too_long) refusal = body_too_large();
    const auto expect = request_.header("Expect");
    expects_continue_ = !expect.empty();
    if (!refusal && expects_continue_ && !equals_ignoring_case(expect, "100-continue"))
        refusal = problem_response(417, "expectation_failed", "Header Expect tidak dikenal");
    const bool has_body = !head.is_done();
    if (!refusal && has_body) refusal = check_content_type(request_, match_.route->rules);
    unread_ = refusal && has_body && (too_long || head.chunked() || expects_continue_ || streamed());
    return refusal;
}

std::uint64_t Exchange::body_limit() const {
    const auto most = state_.options.body_limit_bytes;
    // Nobody waits for it: it is read only so that the connection can go on.
    if (match_.route == nullptr) return std::min(most, RouteRules{}.body_limit_bytes);
    const auto limit = match_.route->rules.body_limit_bytes;
    return limit == kServerLimit ? most : limit;
}

bool Exchange::streamed() const {
    return match_.route != nullptr && match_.route->rules.body == Body::streamed;
}

// Where it cannot be read, what is left of it stays unread.
asio::awaitable<std::optional<Response>> Exchange::read_whole_body(Head& head) {
    boost::system::error_code error;
    connection_.expires_after(state_.options.body_timeout);
    bhttp::request_parser<bhttp::string_body> parser(std::move(head));
    if (expects_continue_) {
        error = co_await send_continue(connection_);
    }
    parser.body_limit(body_limit());
    if (!error)
        co_await bhttp::async_read(connection_.stream, connection_.buffer, parser,
                                   asio::redirect_error(asio::use_awaitable, error));
    if (!error) {
        request_.body = std::move(parser.get().body());
        co_return std::nullopt;
    }
    unread_ = true;
    auto fault = body_fault(error, connection_);
    abandoned_ = !fault;
    co_return fault;
}

asio::awaitable<std::optional<Response>> Exchange::wait_for_turn() {
    turn_ = co_await state_.turns.wait(request_, match_.route->rules.rate);
    if (turn_) co_return std::nullopt;
    co_return overloaded();
}

asio::awaitable<Response> Exchange::answer() {
    try {
        co_return co_await match_.route->handler(request_);
    } catch (const std::exception& e) {
        log::error(
            "handler_failed",
            {{"route", match_.route->pattern}, {"reason", e.what()}, {"request_id", request_.request_id}});
    }
    co_return internal_error();
}

asio::awaitable<bool> Exchange::send(Response response) {
    if (response.produce && !head_only_) {
        co_return co_await send_stream(std::move(response));
    }
    record(response.status);
    co_return co_await send_whole(std::move(response));
}

Exchange::Message Exchange::make_message(const Response& response) const {
    Message message;
    message.version(11);
    message.result(response.status);
    message.reason(beast::string_view(reason_phrase(response.status)));
    message.set("X-Request-Id", request_.request_id);
    if (!response.content_type.empty()) message.set(bhttp::field::content_type, response.content_type);
    for (const auto& [name, value] : response.headers) message.insert(name, value);
    return message;
}

asio::awaitable<bool> Exchange::send_whole(Response response) {
    if (response.problem) {
        response.content_type = "application/problem+json";
        response.body = problem_body(*response.problem, request_.path, request_.request_id);
    }
    auto message = make_message(response);
    message.keep_alive(keep_alive_);
    // Of what HEAD would have got in pieces nobody knows the length.
    if (response.status != 204 && response.status != 304 && !response.produce)
        message.set(bhttp::field::content_length, std::to_string(response.body.size()));
    if (!head_only_) message.body() = std::move(response.body);

    boost::system::error_code error;
    connection_.expires_after(state_.options.write_timeout);
    bhttp::response_serializer<bhttp::string_body> serializer(message);
    co_await bhttp::async_write(connection_.stream, serializer,
                                asio::redirect_error(asio::use_awaitable, error));
    co_return !error && keep_alive_;
}

asio::awaitable<bool> Exchange::send_stream(Response response) {
    if (old_client_) keep_alive_ = false;  // the end of the connection is the end of the body
    auto message = make_message(response);
    message.keep_alive(keep_alive_);
    if (!old_client_) message.set(bhttp::field::transfer_encoding, "chunked");
    std::ostringstream text;
    text << message.base();
    BodyWriter writer(connection_, std::move(text).str(), !old_client_, state_.options.write_timeout);

    bool complete = false;
    try {
        complete = co_await response.produce(writer);
    } catch (const std::exception& e) {
        log::error(
            "handler_failed",
            {{"route", match_.route->pattern}, {"reason", e.what()}, {"request_id", request_.request_id}});
    }
    if (!complete && !writer.begun()) {  // nothing is out yet: it can still be said
        auto failed = internal_error();
        record(failed.status);
        co_return co_await send_whole(std::move(failed));
    }
    if (complete) {
        complete = co_await writer.flush(true);
    }
    record(response.status);
    if (!complete) {
        log::warn("answer_cut", {{"route", match_.route->pattern},
                                 {"reason", writer.failed() ? "client_gone" : "producer_failed"},
                                 {"request_id", request_.request_id}});
        connection_.reset();
        co_return false;
    }
    connection_.streaming = false;
    co_return keep_alive_;
}

void Exchange::record(unsigned status) {
    const auto route = match_.route != nullptr ? std::string_view(match_.route->pattern) : std::string_view{};
    state_.log.record(request_, route, status, Clock::now() - started_);
}

}  // namespace shared::http
