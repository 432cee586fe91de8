// Http1Connection: from events and bytes to requests and their bodies.
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

#include "gateway/http/http1_connection.hpp"
#include "gateway/http/proxy_header.hpp"

namespace gateway::http {

using std::chrono::milliseconds;

namespace {

constexpr int kReadsPerTurn = 4;
constexpr std::size_t kHeadRead = 64 * 1024;
constexpr milliseconds kBodyRateGrace{5'000};

// For the time of one call.
class Raised {
  public:
    explicit Raised(bool& flag) : flag_(flag) { flag_ = true; }
    ~Raised() { flag_ = false; }
    Raised(const Raised&) = delete;
    Raised& operator=(const Raised&) = delete;

  private:
    bool& flag_;
};

}  // namespace

void Http1Connection::on_events(std::uint32_t events) {
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
    if (events == kAgain) process_kept();
    if (state_ != State::closed) read_loop();
    if (state_ != State::closed && left()) client_gone("client_gone");
}

bool Http1Connection::left() const {
    return hung_up_ && state_ == State::handling && body_.done() && request_->exchange.ends_with_client;
}

// Only looked at until it is complete, so that what follows stays in the socket for the TLS library.
void Http1Connection::read_proxy_header() {
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
    peer_unknown_ = !header.client;
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

void Http1Connection::continue_handshake() {
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

bool Http1Connection::wants_input() const {
    switch (state_) {
        case State::idle:
        case State::reading_head:
        case State::draining_body:
        case State::closing:  // the FIN says that no more comes, not that the answer is not wanted
            return out_.empty();
        case State::handling:
            return inflow_ == Inflow::wanted && !body_.done();
        case State::tunnel:
        case State::tunnel_ending:
            return inflow_ == Inflow::wanted;
        case State::proxy_header:
        case State::handshaking:
        case State::closed:
            return false;
    }
    return false;
}

void Http1Connection::read_loop() {
    int reads = kReadsPerTurn;
    while (readable_ && wants_input()) {
        if (reads-- == 0) return worker_.poller.again(this);
        // Between bodies little is read: what is not used now must be kept, and a client could send any
        // amount behind its request.
        const bool streaming = in_tunnel() || (state_ == State::handling && !body_.done());
        const net::IoResult result =
            stream_.read(streaming ? worker_.scratch : worker_.scratch.first(kHeadRead), hung_up_);
        if (result.status != net::IoStatus::ok) readable_ = false;
        if (result.bytes > 0) on_bytes(worker_.scratch.data(), result.bytes);
        if (state_ == State::closed) return;
        if (result.status == net::IoStatus::closed) return on_end_of_input();
        if (result.status == net::IoStatus::failed) return client_gone("client_gone");
    }
}

void Http1Connection::on_bytes(char* data, std::size_t size) {
    if (!in_.empty()) {
        in_.append(data, size);
        return process_kept();
    }
    const std::size_t consumed = process(data, size);
    if (state_ != State::closed && consumed < size) in_.assign(data + consumed, size - consumed);
}

void Http1Connection::process_kept() {
    if (in_.empty() || in_process_) return;
    const std::size_t consumed = process(in_.data(), in_.size());
    if (state_ == State::closed) return;
    if (consumed == in_.size())
        std::string().swap(in_);
    else
        in_.erase(0, consumed);
}

// Works through what has been read. Returns how much of it is used up.
std::size_t Http1Connection::process(char* data, std::size_t size) {
    const Raised busy(in_process_);
    std::size_t at = 0;
    while (true) {
        switch (state_) {
            case State::idle:
                // The answer before must be out first: a client that sends and never reads must not fill our
                // memory.
                if (at == size || !out_.empty()) return at;
                // Some send an empty line behind a body (RFC 9112 section 2.2): no request begins with it.
                if (data[at] == '\r' && at + 1 == size) return at;
                if (data[at] == '\r' && data[at + 1] == '\n') {
                    at += 2;
                    break;
                }
                begin_head();
                break;
            case State::reading_head: {
                exchange::Exchange& exchange = request_->exchange;
                const wire::ReadResult result = wire::read_request_head(
                    {data + at, size - at}, exchange.snapshot->shared->rules, exchange.head);
                if (result.status == wire::ReadStatus::incomplete) return at;
                if (result.status == wire::ReadStatus::refused) {
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
                if (!read_body(data, size, at)) return at;
                break;
            case State::tunnel:
            case State::tunnel_ending:
                if (at < size) hand_on({data + at, size - at}, false);
                return size;
            case State::closing:
            case State::proxy_header:
            case State::handshaking:
            case State::closed:
                return size;
        }
    }
}

void Http1Connection::on_end_of_input() {
    inflow_ = Inflow::ended;
    switch (state_) {
        case State::tunnel:
        case State::tunnel_ending:
            return hand_on({}, true);
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
bool Http1Connection::read_body(char* data, std::size_t size, std::size_t& at) {
    if (body_.done() || at == size) return false;
    const bool handling = state_ == State::handling;
    if (handling && inflow_ != Inflow::wanted) return false;
    const wire::BodyReader::Step step = body_.read(data + at, size - at);
    at += step.consumed;
    body_read_ += step.data.size();
    if (handling && (body_read_ != 0 || body_.done())) stop_waiting();
    if (!handling) {
        if (step.refusal != wire::Refusal::none ||
            (!body_.done() && body_read_ > worker_.snapshot->shared->config->client.drain_bytes))
            begin_close();
        else if (body_.done())
            become_idle();
        return true;
    }
    if (step.refusal != wire::Refusal::none) {
        // Where the answer has begun it is cut off: a second head in the middle would be read as part of it.
        refuse(step.refusal);
        return true;
    }
    // While the client has not taken all of the answer so far, its deadline is that of await_client().
    if (out_.empty()) {
        if (body_.done())
            worker_.wheel.clear(*this);
        else
            body_deadline();
    }
    hand_on(step.data, body_.done());
    return true;
}

// A piece of a body or of a tunnel to whoever answers.
void Http1Connection::hand_on(std::string_view data, bool last) {
    const bool more = request_->exchange.on_body(data, last);
    // It may have ended everything.
    if (!more && request_ && inflow_ == Inflow::wanted) hold_body();
}

void Http1Connection::hold_body() {
    inflow_ = Inflow::held;
    body_held_from_ = worker_.wheel.now();
}

void Http1Connection::want_body() {
    if (inflow_ != Inflow::held) return;
    inflow_ = Inflow::wanted;
    // Time in which nobody wanted it does not count against the client.
    body_began_ += worker_.wheel.now() - body_held_from_;
    if (state_ == State::handling && !body_.done() && out_.empty()) {
        body_deadline();
        // A head alone costs its sender nothing.
        if (body_read_ == 0) wait_as(Waiting::expendable);
    }
    // In the next turn: the caller is in the middle of an upstream's event.
    if (!in_process_ && (readable_ || !in_.empty())) worker_.poller.again(this);
}

// The next byte must come within body_timeout, and the average must stay above the minimum rate.
void Http1Connection::body_deadline() {
    const config::Client& rules = request_->exchange.snapshot->shared->config->client;
    milliseconds wait = rules.body_timeout;
    if (inflow_ == Inflow::held) {
        body_began_ += worker_.wheel.now() - body_held_from_;
        body_held_from_ = worker_.wheel.now();
    }
    if (rules.min_body_rate_bytes > 0) {
        const milliseconds spent = net::DeadlineWheel::kTick * (worker_.wheel.now() - body_began_);
        const milliseconds earned(body_read_ * 1000 / rules.min_body_rate_bytes);
        wait = std::min(wait, std::max(milliseconds(0), kBodyRateGrace + earned - spent));
    }
    worker_.wheel.set(*this, wait);
}

// Goes on waiting where it does: half a head is no request yet.
void Http1Connection::begin_head() {
    request_ = worker_.take_request();
    request_->exchange.snapshot = worker_.snapshot;
    request_->exchange.side = this;
    state_ = State::reading_head;
    worker_.wheel.set(*this, worker_.snapshot->shared->config->client.head_timeout);
}

void Http1Connection::begin_request() {
    stop_waiting();
    exchange::Exchange& exchange = request_->exchange;
    ++requests_;
    worker_.stats.requests_started.add();
    exchange.started = worker_.poller.now();
    exchange.started_wall = worker_.wall_time();
    exchange.peer = &peer_.address;
    exchange.peer_text = peer_text_;
    exchange.secure = stream_.tls();
    exchange.peer_unknown = peer_unknown_;
    if (!exchange.head.keep_alive()) after_ = After::close;
    body_.start(exchange.head.body(), exchange.head.content_length());
    body_read_ = 0;
    body_began_ = worker_.wheel.now();
    hold_body();
    state_ = State::handling;
    worker_.wheel.clear(*this);
    if (!body_.done()) body_deadline();
    request_->handle();
}

// A request whose head was not understood never sees the pipeline; its answer has what every answer has.
void Http1Connection::begin_unreadable() {
    stop_waiting();
    exchange::Exchange& exchange = request_->exchange;
    ++requests_;
    worker_.stats.requests_started.add();
    exchange.started = worker_.poller.now();
    exchange.started_wall = worker_.wall_time();
    exchange.client = peer_.address;
    exchange.client_text = peer_text_;
    observe::IdSource::RequestId id;
    worker_.ids.request_id(id);
    exchange.request_id = exchange.text.keep({id.data(), id.size()});
    worker_.ids.traceparent({}, exchange.traceparent);
    exchange.method = wire::Method::get;
    exchange.log_path = "/";  // nobody knows which
    body_.start(wire::BodyKind::none, 0);
    state_ = State::handling;
}

void Http1Connection::refuse(wire::Refusal refusal) {
    worker_.stats.refusals[static_cast<std::size_t>(refusal)].add();
    if (state_ == State::reading_head) begin_unreadable();
    exchange::Answer own = exchange::answer_for(refusal);
    static const std::string kAllow = wire::MethodSet::all().to_string();
    if (refusal == wire::Refusal::method_not_allowed) own.allow = kAllow;
    if (refusal == wire::Refusal::websocket_version)
        request_->exchange.response_additions.push_back(
            {"Sec-WebSocket-Version", "13", wire::Addition::Mode::set});
    request_->exchange.fail(own);
}

}  // namespace gateway::http
