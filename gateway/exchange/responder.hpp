// Who answers a request.
#pragma once

#include <string_view>

namespace gateway::exchange {

struct Exchange;

class Responder {
  public:
    // The request's head must still be readable; nothing of it is needed afterwards. May answer at once.
    virtual void start(Exchange& exchange) = 0;
    // A piece of the request's body, or of what the client sends into a tunnel. Only what
    // ClientSide::want_body() asked for comes. False: no more, until it is asked for again.
    virtual bool on_body(std::string_view data, bool last) = 0;
    // The client takes more: ClientSide::full() was true and is not any more.
    virtual void on_client_ready() = 0;
    // The exchange is over for the client: lets go of everything. May come at any time, and again.
    virtual void abandon() = 0;

  protected:
    ~Responder() = default;
};

}  // namespace gateway::exchange
