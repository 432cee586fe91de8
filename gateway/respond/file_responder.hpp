// Files of a directory as answers.
#pragma once

#include "gateway/exchange/responder.hpp"
#include "gateway/exchange/worker_resources.hpp"
#include "gateway/net/poller.hpp"
#include "gateway/respond/static_files.hpp"

namespace gateway::respond {

// A poller's handler for its turns only: a large file does not keep the others of its worker waiting.
class FileResponder final : public exchange::Responder, public net::PollHandler {
  public:
    explicit FileResponder(exchange::WorkerResources& worker) : worker_(worker) {}
    ~FileResponder() override { abandon(); }

    void start(exchange::Exchange& exchange) override;
    bool on_body(std::string_view, bool) override { return false; }
    void on_client_ready() override { pump(); }
    void abandon() override;

    void on_events(std::uint32_t events) override;
    void on_exception() noexcept override;

  private:
    void refuse_method();
    std::string_view read();
    void pump();
    void finish();

    exchange::WorkerResources& worker_;
    exchange::Exchange* exchange_ = nullptr;  // null: none under way
    FileBody body_;
};

}  // namespace gateway::respond
