// One request and its answer on a connection; internal to shared/http.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <memory>
#include <optional>

#include "shared/http/body_stream.hpp"
#include "shared/http/connection.hpp"
#include "shared/http/server_state.hpp"

namespace shared::http {

class Exchange {
  public:
    // Both must outlive it.
    Exchange(ServerState& state, Connection& connection) : state_(state), connection_(connection) {}

    // Reads, answers, logs one request. False: the connection ends.
    boost::asio::awaitable<bool> run();

  private:
    using Clock = Connection::Clock;
    using Head = BodyStream::Head;
    using Message = boost::beast::http::response<boost::beast::http::string_body>;
    template <class T>
    using awaitable = boost::asio::awaitable<T>;

    void describe(const boost::beast::http::request_header<>& head, const boost::asio::ip::address& peer);
    std::optional<Response> head_fault(boost::system::error_code error, const Head& head) const;
    // What the head alone decides; `unread_` where the body is not looked at then.
    std::optional<Response> admit(const Head& head);
    std::uint64_t body_limit() const;
    bool streamed() const;
    awaitable<std::optional<Response>> read_whole_body(Head& head);
    // Sets `turn_`, or sheds the request.
    awaitable<std::optional<Response>> wait_for_turn();
    awaitable<Response> answer();

    awaitable<bool> send(Response response);
    awaitable<bool> send_whole(Response response);
    awaitable<bool> send_stream(Response response);
    Message make_message(const Response& response) const;
    void record(unsigned status);

    ServerState& state_;
    Connection& connection_;
    Clock::time_point started_{};
    Request request_;
    Router::Match match_;
    std::optional<Turns::Turn> turn_;   // until the handler has answered, or its pieces are sent
    std::unique_ptr<BodyStream> body_;  // of a route that takes its body in pieces
    bool head_only_ = false;
    bool old_client_ = false;  // HTTP/1.0: no chunks
    bool expects_continue_ = false;
    bool keep_alive_ = false;
    bool unread_ = false;     // the body was left where it is, or part of it
    bool abandoned_ = false;  // the client has gone: there is nobody to answer
};

}  // namespace shared::http
