// ClientSession: from events and bytes to requests and their bodies.
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

#include "gateway/http/client_session.hpp"
#include "gateway/http/proxy_header.hpp"

namespace gateway::http {

using std::chrono::milliseconds;

namespace {

constexpr int kReadsPerTurn = 4;
constexpr std::size_t kHeadRead = 64 * 1024;
constexpr milliseconds kBodyRateGrace{5'000};

}  // namespace

void ClientSession::on_events(std::uint32_t events) {
    if (state_ == State::closed) return;
    if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) hung_up_ = true;
    if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0 || stream_.tls()) readable_ = true;
    // HUP: both directions are over, nobody reads what we would send. (RDHUP alone is a half-close, which is
    // fine.)
    if ((events & (EPOLLHUP | EPOLLERR)) != 0 && (state_ == State::handling || !out_.empty()))
        return client_gone("client_gone");
    if (state_ == State::proxy_header) {
        read_proxy_header();
        if (state_ == State::closed || state_ == State::proxy_header) return;
    }
    if (state_ == State::handshaking) {
        continue_handshake();
        if (state_ == State::closed || state_ == State::handshaking) return;
    }
    if (!out_.empty() && ((events & EPOLLOUT) != 0 || stream_.tls())) {
        flush();
        if (state_ == State::closed) return;
    }
    if (events == kAgain) {
        if (state_ == State::handling && request_->file.descriptor >= 0) pump_file();
        process_kept();
    }
    if (state_ != State::closed) read_loop();
}

// Only looked at until it is complete, so that what follows stays in the socket for the TLS library.
void ClientSession::read_proxy_header() {
    std::array<char, kMaxProxyHeader> bytes;
    const ssize_t got = ::recv(stream_.descriptor(), bytes.data(), bytes.size(), MSG_PEEK | MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) return close();
    const ProxyHeader header = parse_proxy_header({bytes.data(), static_cast<std::size_t>(got)});
    if (header.status == ProxyHeader::Status::incomplete && !hung_up_) return;
    if (header.status != ProxyHeader::Status::complete) {
        worker_.stats.connections_refused.add();
        return close();
    }
    if (::recv(stream_.descriptor(), bytes.data(), header.consumed, MSG_DONTWAIT) <= 0) return close();
    if (header.client) {
        peer_ = *header.client;
        peer_text_ = peer_.address.to_string();
        counted_ = worker_.shared.addresses.acquire(peer_.address);
        if (!counted_) {
            worker_.stats.connections_refused.add();
            return close();
        }
    }
    state_ = stream_.tls() ? State::handshaking : State::idle;
}

void ClientSession::continue_handshake() {
    switch (stream_.handshake()) {
        case net::IoStatus::ok:
            state_ = State::idle;
            return;
        case net::IoStatus::drained:
            return;
        default:
            worker_.stats.tls_handshakes_failed.add();
            close();
    }
}

bool ClientSession::wants_input() const {
    switch (state_) {
        case State::idle:
        case State::reading_head:
        case State::draining_body:
            return out_.empty();
        case State::handling:
            return !body_.done() && request_->forwarder.active() && request_->forwarder.wants_body();
        case State::tunnel:
            return request_->forwarder.wants_body() && !end_of_input_;
        case State::closing:
            return true;
        case State::proxy_header:
        case State::handshaking:
        case State::closed:
            return false;
    }
    return false;
}

void ClientSession::read_loop() {
    int reads = kReadsPerTurn;
    while (readable_ && wants_input()) {
        if (reads-- == 0) return worker_.poller.again(this);
        // Between bodies little is read: what is not used now must be kept, and a client could send any
        // amount behind its request.
        const bool streaming = state_ == State::tunnel || (state_ == State::handling && !body_.done());
        const net::IoResult result =
            stream_.read(streaming ? worker_.scratch : worker_.scratch.first(kHeadRead), hung_up_);
        if (result.status != net::IoStatus::ok) readable_ = false;
        if (result.bytes > 0) on_bytes(worker_.scratch.data(), result.bytes);
        if (state_ == State::closed) return;
        if (result.status == net::IoStatus::closed) return on_end_of_input();
        if (result.status == net::IoStatus::failed) return client_gone("client_gone");
    }
}

void ClientSession::on_bytes(char* data, std::size_t size) {
    if (!in_.empty()) {
        in_.append(data, size);
        return process_kept();
    }
    const std::size_t consumed = process(data, size);
    if (state_ != State::closed && consumed < size) in_.assign(data + consumed, size - consumed);
}

void ClientSession::process_kept() {
    if (in_.empty() || in_process_) return;
    const std::size_t consumed = process(in_.data(), in_.size());
    if (state_ == State::closed) return;
    if (consumed == in_.size())
        std::string().swap(in_);
    else
        in_.erase(0, consumed);
}

// Works through what has been read. Returns how much of it is used up.
std::size_t ClientSession::process(char* data, std::size_t size) {
    in_process_ = true;
    std::size_t at = 0;
    bool more = true;
    while (more) {
        switch (state_) {
            case State::idle:
                // The answer before must be out first: a client that sends and never reads must not fill our
                // memory.
                if (at == size || !out_.empty()) {
                    more = false;
                    break;
                }
                begin_head();
                break;
            case State::reading_head: {
                Exchange& exchange = request_->exchange;
                const wire::ReadResult result = wire::read_request_head(
                    {data + at, size - at}, exchange.snapshot->shared->rules, exchange.head);
                if (result.status == wire::ReadStatus::incomplete) {
                    more = false;
                } else if (result.status == wire::ReadStatus::refused) {
                    at = size;
                    refuse(result.refusal);
                } else {
                    at += result.consumed;
                    begin_request();
                }
                break;
            }
            case State::handling:
            case State::draining_body:
                more = read_body(data, size, at);
                break;
            case State::tunnel:
                if (at < size) request_->forwarder.on_tunnel_bytes({data + at, size - at});
                at = size;
                more = false;
                break;
            case State::closing:
            case State::proxy_header:
            case State::handshaking:
            case State::closed:
                at = size;
                more = false;
                break;
        }
    }
    in_process_ = false;
    return at;
}

void ClientSession::on_end_of_input() {
    end_of_input_ = true;
    switch (state_) {
        case State::tunnel:
            return request_->forwarder.on_tunnel_client_end();
        case State::handling:
            // The body stays incomplete for ever.
            return client_gone("client_body_incomplete");
        case State::reading_head:
            return client_gone("client_head_incomplete");
        default:
            close();
    }
}

// Reads request body out of data[at..size). False: nothing more can be done with these bytes now.
bool ClientSession::read_body(char* data, std::size_t size, std::size_t& at) {
    if (body_.done() || at == size) return false;
    const bool handling = state_ == State::handling;
    if (handling && !(request_->forwarder.active() && request_->forwarder.wants_body())) {
        if (body_paused_ == 0) body_paused_ = worker_.wheel.now();
        return false;
    }
    const BodyReader::Step step = body_.read(data + at, size - at);
    at += step.consumed;
    body_read_ += step.data.size();
    if (step.refusal != wire::Refusal::none) {
        at = size;
        if (!handling) {
            begin_close();
            return true;
        }
        const bool started = request_->forwarder.answer_started();
        request_->forwarder.abandon();
        if (!started) {
            refuse(step.refusal);
        } else {
            // A second head in the middle of the first answer would be read as part of it.
            worker_.stats.refusals[static_cast<std::size_t>(step.refusal)].add();
            answer_aborted(wire::describe(step.refusal).code);
        }
        return true;
    }
    if (!handling) {
        if (body_.done()) {
            become_idle();
        } else if (body_read_ > worker_.snapshot->shared->config->client.drain_bytes) {
            begin_close();
        }
        return true;
    }
    Exchange& exchange = request_->exchange;
    exchange.bytes_in += step.data.size();
    if (body_read_ > exchange.route->limits.body_bytes) {
        const bool started = request_->forwarder.answer_started();
        request_->forwarder.abandon();
        at = size;
        if (started)
            answer_aborted("body_too_large");
        else
            answer(answer_for(Failed::body_too_large));
        return true;
    }
    if (body_.done())
        worker_.wheel.clear(*this);
    else
        body_deadline();
    if (!step.data.empty() || body_.done()) request_->forwarder.on_body(step.data, body_.done());
    return true;
}

// The next byte must come within body_timeout, and the average must stay above the minimum rate.
void ClientSession::body_deadline() {
    const config::Client& rules = request_->exchange.snapshot->shared->config->client;
    milliseconds wait = rules.body_timeout;
    if (body_paused_ != 0) {
        // Time in which we did not want to read does not count against the client.
        body_began_ += worker_.wheel.now() - body_paused_;
        body_paused_ = 0;
    }
    if (rules.min_body_rate_bytes > 0) {
        const milliseconds spent = net::DeadlineWheel::kTick * (worker_.wheel.now() - body_began_);
        const milliseconds earned(body_read_ * 1000 / rules.min_body_rate_bytes);
        wait = std::min(wait, std::max(milliseconds(0), kBodyRateGrace + earned - spent));
    }
    worker_.wheel.set(*this, wait);
}

void ClientSession::resume_body() {
    if (in_process_ || state_ == State::closed) return;
    // In the next turn: the caller is in the middle of an upstream's event.
    if (readable_ || !in_.empty()) worker_.poller.again(this);
}

}  // namespace gateway::http
