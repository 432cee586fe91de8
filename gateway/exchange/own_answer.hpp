// Answers of the gateway's own: refusals, failures, redirects, /health.
#pragma once

#include <string>

#include "gateway/exchange/answer.hpp"
#include "gateway/exchange/responder.hpp"

namespace gateway::exchange {

class OwnAnswer final : public Responder {
  public:
    void set(const Answer& answer) { answer_ = answer; }

    // Gives the whole answer at once: the connection keeps what the client does not take yet.
    void start(Exchange& exchange) override;
    bool on_body(std::string_view, bool) override { return false; }
    void on_client_ready() override {}
    void abandon() override {}

  private:
    Answer answer_;
    std::string body_;
};

}  // namespace gateway::exchange
