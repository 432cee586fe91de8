// The client as whoever answers sees it, whatever protocol it speaks: one direction, from the answer to the
// client. Framing, keep-alive and the limits of the protocol are the connection's.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "gateway/wire/head_writer.hpp"

namespace gateway::exchange {

// The head of an answer, before it has the form of a protocol. Views hold for the time of the call.
struct Reply {
    enum class Size : std::uint8_t {
        absent,   // no body, and nothing is said of its length
        known,    // `length`; of what a GET would have been answered with, where the request is a HEAD
        unknown,  // it ends where `last` says so
    };
    unsigned status = 0;
    Size size = Size::absent;
    std::uint64_t length = 0;
    const wire::ResponseHead* upstream = nullptr;  // its lines are passed on
    std::span<const wire::Addition> fields{};      // of an answer of our own
    bool close = false;                            // the connection cannot go on after this

    // ---- what the response filters put in
    std::string_view request_id;
    std::span<const wire::Addition> additions{};
};

// What became of bytes that were handed over.
enum class Given : std::uint8_t {
    taken,       // sent or kept
    gone,        // the client is gone and the exchange is over: touch nothing of it any more
    unwritable,  // heads only: it cannot be written; nothing was sent, the exchange goes on
};

class ClientSide {
  public:
    // The answer begins; its first bytes leave together with the head. `last`: they are all.
    virtual Given head(const Reply& reply, std::string_view first, bool last) = 0;
    // An answer before the answer: 103 with these lines, changed by the overrides, or 100 (null).
    virtual Given informational(const wire::ResponseHead* lines,
                                std::span<const wire::Addition> overrides = {}) = 0;
    // More of the answer, or of what a tunnel carries. `last`: nothing follows.
    virtual Given body(std::string_view data, bool last) = 0;
    // All has been handed over: the exchange is over.
    virtual void end() = 0;
    // The answer cannot be completed, and the client must see that. The exchange is over.
    virtual void cut(std::string_view reason) = 0;
    // Offer no more: Responder::on_client_ready() says when.
    virtual bool full() const = 0;
    // More of the request's body may come.
    virtual void want_body() = 0;
    // Instead of head(): from now on bytes go both ways.
    virtual Given tunnel(const Reply& reply, std::string_view first) = 0;

  protected:
    ~ClientSide() = default;
};

}  // namespace gateway::exchange
