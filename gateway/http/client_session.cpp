#include "gateway/http/client_session.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "gateway/http/proxy_header.hpp"
#include "gateway/pipeline/pipeline.hpp"
#include "gateway/routing/rewrite.hpp"

namespace gateway::http {

using std::chrono::milliseconds;

namespace {

constexpr int kReadsPerTurn = 4;
// How long a closing connection waits for the client's FIN, so that its unread bytes do not turn into a RST
// that destroys the answer on its way.
constexpr milliseconds kLinger{2'000};
constexpr milliseconds kDrainTimeout{5'000};
constexpr milliseconds kBodyRateGrace{5'000};

}  // namespace

// ---- life

ClientSession::ClientSession(WorkerContext& worker, const net::Peer& peer, std::size_t listener)
    : worker_(worker),
      peer_text_(peer.address.to_string()),
      peer_(peer),
      listener_(static_cast<std::uint16_t>(listener)) {
    link(worker_.sessions, &ClientSession::previous_, &ClientSession::next_);
    worker_.shared.connections.fetch_add(1, std::memory_order_relaxed);
    worker_.stats.connections_accepted.add();
}

ClientSession::~ClientSession() {
    leave_idle();
    unlink(worker_.sessions, &ClientSession::previous_, &ClientSession::next_);
    worker_.shared.connections.fetch_sub(1, std::memory_order_relaxed);
    if (counted_) worker_.shared.addresses.release(peer_.address);
    worker_.stats.connections_closed.add();
}

bool ClientSession::open(WorkerContext& worker, int descriptor, const net::Peer& peer, std::size_t listener,
                         bool proxy_protocol, const net::TlsContext* tls) {
    const config::Config& settings = *worker.snapshot->shared->config;
    const config::Client& rules = settings.client;
    // A trusted proxy speaks for many clients: the cap is not for it.
    const bool trusted = wire::contains(settings.forwarding.trusted_proxies, peer.address);
    const bool counted = !trusted && worker.shared.addresses.acquire(peer.address);
    const bool full = worker.shared.connections.load(std::memory_order_relaxed) >= rules.max_connections;
    // A listener that expects PROXY headers is for the balancer in front only: anybody else could write one
    // too.
    if ((!trusted && (!counted || proxy_protocol)) || (full && !worker.idle.first)) {
        if (counted) worker.shared.addresses.release(peer.address);
        worker.stats.connections_refused.add();
        ::close(descriptor);
        return false;
    }
    // A connection that does nothing makes room for one that wants something.
    if (full) worker.idle.first->shed();
    std::unique_ptr<ClientSession> session(new ClientSession(worker, peer, listener));
    session->counted_ = counted;
    SSL* ssl = tls ? tls->new_connection() : nullptr;
    session->stream_ = net::Stream(descriptor, ssl);
    if ((tls && !ssl) || !worker.poller.add(descriptor, session.get())) {
        worker.stats.connections_refused.add();
        return false;
    }
    session->state_ = proxy_protocol ? State::proxy_header : (tls ? State::handshaking : State::idle);
    worker.wheel.set(*session, rules.head_timeout);
    session.release();  // from here on it ends itself through Poller::retire
    return true;
}

void ClientSession::link(WorkerContext::List& list, ClientSession* ClientSession::*previous,
                         ClientSession* ClientSession::*next) {
    this->*previous = list.last;
    this->*next = nullptr;
    if (list.last)
        list.last->*next = this;
    else
        list.first = this;
    list.last = this;
    ++list.size;
}

void ClientSession::unlink(WorkerContext::List& list, ClientSession* ClientSession::*previous,
                           ClientSession* ClientSession::*next) {
    (this->*previous ? this->*previous->*next : list.first) = this->*next;
    (this->*next ? this->*next->*previous : list.last) = this->*previous;
    --list.size;
}

void ClientSession::leave_idle() {
    if (!in_idle_list_) return;
    in_idle_list_ = false;
    unlink(worker_.idle, &ClientSession::idle_previous_, &ClientSession::idle_next_);
}

void ClientSession::close() {
    if (state_ == State::closed) return;
    if (request_) end_exchange();
    state_ = State::closed;
    leave_idle();
    worker_.wheel.clear(*this);
    stream_.close();
    worker_.poller.retire(std::unique_ptr<net::PollHandler>(this));
}

// ---- events

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

void ClientSession::on_exception() noexcept {
    in_process_ = false;
    client_gone("internal_error");
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
        const net::IoResult result = stream_.read(worker_.scratch, hung_up_);
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

// ---- a request

void ClientSession::begin_head() {
    leave_idle();
    request_ = worker_.take_request();
    request_->exchange.snapshot = worker_.snapshot;
    state_ = State::reading_head;
    worker_.wheel.set(*this, worker_.snapshot->shared->config->client.head_timeout);
}

void ClientSession::begin_request() {
    Exchange& exchange = request_->exchange;
    ++requests_;
    worker_.stats.requests_started.add();
    exchange.started = std::chrono::steady_clock::now();
    exchange.started_wall = worker_.shared.wall_clock();
    exchange.peer = &peer_.address;
    exchange.peer_text = peer_text_;
    exchange.secure = stream_.tls();
    keep_alive_ = exchange.head.keep_alive();
    body_.start(exchange.head.body(), exchange.head.content_length());
    body_read_ = 0;
    body_began_ = worker_.wheel.now();
    body_paused_ = 0;
    state_ = State::handling;
    worker_.wheel.clear(*this);
    if (!body_.done()) body_deadline();
    Answer own;
    pipeline::Context context{exchange, worker_, own};
    if (pipeline::run(context) == pipeline::Verdict::answered) return answer(own);
    dispatch();
}

void ClientSession::dispatch() {
    Exchange& exchange = request_->exchange;
    const config::Target& target = exchange.route->target;
    if (const auto* cluster = std::get_if<config::ClusterTarget>(&target))
        return request_->forwarder.start(*this, *cluster);
    if (const auto* directory = std::get_if<config::StaticTarget>(&target)) return serve_file(*directory);
    if (const auto* builtin = std::get_if<config::BuiltinTarget>(&target)) return serve_builtin(*builtin);
    const auto& redirect = std::get<config::RedirectTarget>(target);
    Answer own;
    own.status = redirect.status;
    own.body = Answer::Body::none;
    own.location =
        exchange.text.keep(routing::redirect_location(redirect, exchange.head.host(), exchange.head.path(),
                                                      exchange.head.query(), exchange.head.has_query()));
    own.cacheable = true;
    answer(own);
}

void ClientSession::serve_builtin(const config::BuiltinTarget& target) {
    Exchange& exchange = request_->exchange;
    Answer own;
    own.status = 200;
    own.body = Answer::Body::text;
    own.content_type = "application/json";
    if (target.what == config::BuiltinTarget::What::health) {
        own.text = "{\"status\":\"ok\"}";
        return answer(own);
    }
    // Names and up or down only: the page is public.
    const upstream::SteadyMs now = upstream::steady_ms();
    bool ready = !worker_.shared.draining.load(std::memory_order_relaxed);
    const bool draining = !ready;
    std::string text;
    for (const auto& cluster : exchange.snapshot->shared->clusters) {
        const bool up = cluster->ready(now);
        if (!up && cluster->settings().needed_for_ready) ready = false;
        text += text.empty() ? "" : ",";
        observe::append_json_string(text, cluster->name());
        text += up ? ":\"up\"" : ":\"down\"";
    }
    if (!exchange.snapshot->shared->issuers->ready()) ready = false;
    own.status = ready ? 200 : 503;
    own.text = exchange.text.keep("{\"status\":\"" +
                                  std::string(draining ? "draining" : (ready ? "ready" : "not_ready")) +
                                  "\",\"upstreams\":{" + text + "}}");
    if (!ready) own.retry_after_s = 1;
    answer(own);
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
        request_->forwarder.abandon();
        refuse(step.refusal);
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

// A request whose head was not understood never sees the pipeline; its answer has what every answer has.
void ClientSession::begin_unreadable() {
    Exchange& exchange = request_->exchange;
    ++requests_;
    worker_.stats.requests_started.add();
    exchange.started = std::chrono::steady_clock::now();
    exchange.started_wall = worker_.shared.wall_clock();
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

void ClientSession::refuse(wire::Refusal refusal) {
    worker_.stats.refusals[static_cast<std::size_t>(refusal)].add();
    if (state_ == State::reading_head) begin_unreadable();
    want_close_ = true;
    Answer own = answer_for(refusal);
    if (refusal == wire::Refusal::websocket_version)
        request_->exchange.response_additions.push_back(
            {"Sec-WebSocket-Version", "13", wire::Addition::Mode::set});
    answer(own);
}

void ClientSession::resume_body() {
    if (in_process_ || state_ == State::closed) return;
    // In the next turn: the caller is in the middle of an upstream's event.
    if (readable_ || !in_.empty()) worker_.poller.again(this);
}

// ---- answers

bool ClientSession::decide_keep_alive(bool possible) {
    const config::Client& rules = worker_.snapshot->shared->config->client;
    if (!possible || want_close_ || worker_.draining ||
        (rules.max_requests_per_connection != 0 && requests_ >= rules.max_requests_per_connection))
        keep_alive_ = false;
    // An unread body that is too long to be read away, or that may never come.
    if (!body_.done() && (request_->exchange.head.expect_continue() || body_.remaining() > rules.drain_bytes))
        keep_alive_ = false;
    return keep_alive_;
}

void ClientSession::answer(const Answer& own) {
    Exchange& exchange = request_->exchange;
    exchange.status = own.status;
    if (!own.reason.empty()) exchange.reason = own.reason;
    if (own.close) want_close_ = true;

    std::string& body = worker_.body;
    body.clear();
    std::string_view content_type = own.content_type;
    if (own.body == Answer::Body::problem) {
        append_problem(body, own.status, own.code, own.detail, exchange.log_path, exchange.request_id);
        content_type = "application/problem+json";
    } else if (own.body == Answer::Body::text) {
        body.assign(own.text);
    }
    std::array<char, 16> seconds;
    std::vector<wire::Addition> additions = exchange.response_additions;
    using Mode = wire::Addition::Mode;
    additions.push_back({"Date", worker_.date, Mode::set});
    if (!body.empty()) additions.push_back({"Content-Type", content_type, Mode::set});
    if (!own.cacheable) additions.push_back({"Cache-Control", "no-store", Mode::set});
    if (!own.www_authenticate.empty())
        additions.push_back({"WWW-Authenticate", own.www_authenticate, Mode::set});
    if (!own.allow.empty()) additions.push_back({"Allow", own.allow, Mode::set});
    if (!own.location.empty()) additions.push_back({"Location", own.location, Mode::set});
    if (own.retry_after_s != 0) {
        const int length = std::snprintf(seconds.data(), seconds.size(), "%u", own.retry_after_s);
        additions.push_back({"Retry-After", {seconds.data(), static_cast<std::size_t>(length)}, Mode::set});
    }
    wire::ClientResponse head;
    head.client_version_minor = exchange.version_minor;
    head.keep_alive = decide_keep_alive(true);
    head.request_id = exchange.request_id;
    head.additions = additions;
    const bool bodiless = own.status == 204 || own.status == 304;
    head.body = wire::BodyKind::none;
    head.write_content_length = !bodiless;
    head.content_length = body.size();
    wire::Output out(worker_.output.data(), worker_.output.size());
    if (!wire::write_own_response_head(out, own.status, head)) return client_gone("own_answer_too_large");
    const bool with_body = !bodiless && exchange.method != wire::Method::head;
    if (with_body) exchange.bytes_out += body.size();
    if (send(out.view(), with_body ? std::string_view(body) : std::string_view()) == Sent::failed) return;
    answer_finished();
}

void ClientSession::serve_file(const config::StaticTarget& target) {
    Exchange& exchange = request_->exchange;
    const FileAnswer file = open_file(target, exchange.head, exchange.head.path(), request_->file);
    if (file.status == 404) return answer(answer_for(Failed::file_not_found));
    if (file.status == 500) return answer(answer_for(Failed::file_unreadable));
    // After the 404: a path that names no file is unknown whatever the method.
    if (exchange.method != wire::Method::get && exchange.method != wire::Method::head) {
        request_->file.close();
        Answer own = answer_for(Failed::method_not_allowed);
        if (exchange.method == wire::Method::options) {
            own = Answer();
            own.status = 204;
            own.body = Answer::Body::none;
        }
        own.allow = "GET, HEAD, OPTIONS";
        return answer(own);
    }
    using Mode = wire::Addition::Mode;
    auto& additions = exchange.response_additions;
    if (file.status == 308 || file.status == 416) {
        Answer own;
        own.status = file.status;
        own.body = Answer::Body::none;
        own.location = exchange.text.keep(file.location);
        if (!file.content_range.empty())
            additions.push_back({"Content-Range", exchange.text.keep(file.content_range), Mode::set});
        return answer(own);
    }
    additions.push_back({"Date", worker_.date, Mode::set});
    additions.push_back({"ETag", exchange.text.keep(file.etag), Mode::set});
    additions.push_back({"Last-Modified", exchange.text.keep(file.last_modified), Mode::set});
    additions.push_back({"Cache-Control", target.cache_control, Mode::if_absent});
    if (file.status != 304) {
        additions.push_back({"Content-Type", file.content_type, Mode::set});
        additions.push_back({"Accept-Ranges", "bytes", Mode::set});
    }
    if (!file.content_range.empty())
        additions.push_back({"Content-Range", exchange.text.keep(file.content_range), Mode::set});
    wire::ClientResponse head;
    head.client_version_minor = exchange.version_minor;
    head.keep_alive = decide_keep_alive(true);
    head.request_id = exchange.request_id;
    head.additions = additions;
    head.body = wire::BodyKind::none;
    head.write_content_length = file.status != 304;
    head.content_length = file.length;
    exchange.status = file.status;
    wire::Output out(worker_.output.data(), worker_.output.size());
    if (!wire::write_own_response_head(out, file.status, head)) return client_gone("own_answer_too_large");
    // Head and the file's first bytes in one send.
    std::string_view first;
    FileBody& body = request_->file;
    if (body.descriptor >= 0 && body.remaining > 0) {
        const std::size_t room = std::min<std::uint64_t>(out.room(), body.remaining);
        const ssize_t got = ::pread(body.descriptor, out.end(), room, static_cast<off_t>(body.at));
        if (got > 0) {
            first = {out.end(), static_cast<std::size_t>(got)};
            body.at += first.size();
            body.remaining -= first.size();
            exchange.bytes_out += first.size();
        }
    }
    if (send(out.view(), first) == Sent::failed) return;
    pump_file();
}

void ClientSession::pump_file() {
    FileBody& body = request_->file;
    int reads = kReadsPerTurn;
    while (body.descriptor >= 0 && body.remaining > 0) {
        if (!out_.empty()) return;
        if (reads-- == 0) return worker_.poller.again(this);
        const std::size_t want = std::min<std::uint64_t>(worker_.output.size(), body.remaining);
        const ssize_t got =
            ::pread(body.descriptor, worker_.output.data(), want, static_cast<off_t>(body.at));
        if (got <= 0) return answer_aborted("file_truncated");
        const auto bytes = static_cast<std::size_t>(got);
        body.at += bytes;
        body.remaining -= bytes;
        request_->exchange.bytes_out += bytes;
        if (send({worker_.output.data(), bytes}) == Sent::failed) return;
    }
    body.close();
    answer_finished();
}

ClientSession::Sent ClientSession::send(std::string_view first, std::string_view second,
                                        std::string_view third) {
    std::size_t skip = 0;
    if (out_.empty()) {
        const net::IoResult result = stream_.write(first, second, third);
        if (result.status == net::IoStatus::failed || result.status == net::IoStatus::closed) {
            client_gone("client_gone");
            return Sent::failed;
        }
        skip = result.bytes;
        if (skip == first.size() + second.size() + third.size()) return Sent::all;
        worker_.wheel.set(*this, worker_.snapshot->shared->config->client.write_timeout);
    }
    for (std::string_view piece : {first, second, third}) {
        if (skip >= piece.size()) {
            skip -= piece.size();
            continue;
        }
        out_.append(piece.substr(skip));
        skip = 0;
    }
    return Sent::kept;
}

void ClientSession::flush() {
    const net::IoResult result = stream_.write(std::string_view(out_).substr(out_at_));
    if (result.status == net::IoStatus::failed || result.status == net::IoStatus::closed)
        return client_gone("client_gone");
    out_at_ += result.bytes;
    if (out_at_ < out_.size()) {
        if (result.bytes > 0)
            worker_.wheel.set(*this, worker_.snapshot->shared->config->client.write_timeout);
        return;
    }
    std::string().swap(out_);
    out_at_ = 0;
    on_drained();
}

void ClientSession::on_drained() {
    worker_.wheel.clear(*this);
    switch (state_) {
        case State::handling:
            if (!body_.done()) body_deadline();
            if (request_->forwarder.active()) return request_->forwarder.on_client_drained();
            if (request_->file.descriptor >= 0) return pump_file();
            return;
        case State::tunnel:
            if (request_->forwarder.upstream_ended()) stream_.shutdown_write();
            return request_->forwarder.on_client_drained();
        case State::closing:
            return begin_close();
        case State::draining_body:
            worker_.wheel.set(*this, kDrainTimeout);
            process_kept();
            return;
        case State::idle:
            worker_.wheel.set(*this, worker_.snapshot->shared->config->client.idle_timeout);
            process_kept();
            return;
        default:
            return;
    }
}

void ClientSession::answer_finished() {
    end_exchange();
    if (!keep_alive_ || want_close_) return begin_close();
    if (!body_.done()) {
        state_ = State::draining_body;
        body_read_ = 0;
        if (out_.empty()) worker_.wheel.set(*this, kDrainTimeout);
    } else {
        become_idle();
    }
    if (!in_process_ && (!in_.empty() || readable_)) worker_.poller.again(this);
}

void ClientSession::become_idle() {
    state_ = State::idle;
    if (worker_.draining) return begin_close();
    if (out_.empty()) worker_.wheel.set(*this, worker_.snapshot->shared->config->client.idle_timeout);
    if (!in_idle_list_) {
        in_idle_list_ = true;
        link(worker_.idle, &ClientSession::idle_previous_, &ClientSession::idle_next_);
    }
}

void ClientSession::answer_aborted(std::string_view reason) {
    request_->exchange.reason = reason;
    end_exchange();
    // HTTP/1.0 and tunnels know the end of a body by the FIN alone: only a RST says "cut off". For the others
    // the missing end of the framing says it, and a RST says it sooner.
    stream_.abort();
    close();
}

// Metrics and access log: the one place that every request passes at its end.
void ClientSession::end_exchange() {
    if (!request_) return;
    std::unique_ptr<ActiveRequest> request = std::move(request_);
    Exchange& exchange = request->exchange;
    request->forwarder.abandon();
    if (exchange.status != 0 || state_ == State::handling) {
        const auto duration =
            static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(
                                           std::chrono::steady_clock::now() - exchange.started)
                                           .count());
        observe::RouteStats& stats = exchange.route ? *exchange.snapshot->route_stats[exchange.route_index]
                                                    : *exchange.snapshot->unmatched;
        const unsigned status = exchange.status != 0 ? exchange.status : 499;
        stats.by_class[std::min<std::size_t>(status / 100, stats.by_class.size() - 1)].add();
        stats.bytes_in.add(exchange.bytes_in);
        stats.bytes_out.add(exchange.bytes_out);
        stats.duration.record(duration);
        worker_.stats.requests_finished.add();
        const config::AccessLog& rules = exchange.snapshot->shared->config->access_log;
        const bool sampled =
            status >= 400 || rules.sample <= 1 || worker_.stats.requests_finished.value() % rules.sample == 0;
        if (worker_.log.enabled() && sampled && (!exchange.route || exchange.route->access_log)) {
            observe::AccessEntry entry;
            entry.time = exchange.started_wall;
            entry.route = exchange.route ? std::string_view(exchange.route->name) : std::string_view();
            entry.method = exchange.head.base() ? wire::to_string(exchange.method) : std::string_view();
            entry.path = exchange.log_path;
            entry.status = status;
            entry.bytes_in = exchange.bytes_in;
            entry.bytes_out = exchange.bytes_out;
            entry.duration_us = duration;
            entry.upstream_us = exchange.upstream_us;
            entry.upstream = exchange.upstream;
            entry.client = exchange.client_text;
            entry.request_id = exchange.request_id;
            entry.trace_id = {exchange.traceparent.data() + 3, 32};
            if (exchange.identity) {
                entry.subject = exchange.identity->user_id();
                entry.session = exchange.identity->session_id();
                entry.token_id = exchange.identity->token_id();
            }
            entry.user_agent = exchange.log_user_agent;
            entry.reason = exchange.reason;
            entry.retries = exchange.retries;
            worker_.log.write(entry);
        }
    }
    worker_.give_back(std::move(request));
}

// ---- tunnels

void ClientSession::enter_tunnel() {
    state_ = State::tunnel;
    worker_.wheel.clear(*this);
    if (!in_.empty() || readable_) worker_.poller.again(this);
}

void ClientSession::tunnel_finished() {
    worker_.stats.tunnels_closed.add();
    end_exchange();
    want_close_ = true;
    begin_close();
}

void ClientSession::shutdown_write() {
    if (out_.empty()) stream_.shutdown_write();  // else on_drained() does it
}

// ---- ends

void ClientSession::begin_close() {
    leave_idle();
    state_ = State::closing;
    if (!out_.empty()) return;  // on_drained() comes back here
    stream_.shutdown_write();
    if (end_of_input_ || (hung_up_ && !readable_)) return close();
    std::string().swap(in_);
    worker_.wheel.set(*this, kLinger);
    if (!in_process_ && readable_) worker_.poller.again(this);
}

// The client is gone, or must be treated so.
void ClientSession::client_gone(std::string_view reason) {
    if (request_) {
        Exchange& exchange = request_->exchange;
        if (exchange.reason.empty()) exchange.reason = reason;
        if (state_ == State::tunnel) worker_.stats.tunnels_closed.add();
        end_exchange();
    }
    if (!out_.empty()) stream_.abort();
    close();
}

void ClientSession::on_deadline() {
    if (state_ == State::closed) return;
    if (!out_.empty()) return client_gone("client_write_timeout");
    switch (state_) {
        case State::reading_head:
            want_close_ = true;
            begin_unreadable();
            return answer(answer_for(Failed::head_timeout));
        case State::handling: {
            if (body_.done()) return;
            Forwarder& forwarder = request_->forwarder;
            if (forwarder.active() && !forwarder.wants_body()) return body_deadline();
            const bool started = forwarder.answer_started();
            forwarder.abandon();
            if (started) return answer_aborted("client_body_timeout");
            return answer(answer_for(Failed::body_timeout));
        }
        case State::draining_body:
            return begin_close();
        case State::handshaking:
            worker_.stats.tls_handshakes_failed.add();
            [[fallthrough]];
        default:
            close();
    }
}

void ClientSession::close_if_idle() {
    if (state_ == State::idle && out_.empty()) begin_close();
}

void ClientSession::shed() {
    worker_.stats.connections_shed.add();
    close();
}

void ClientSession::kill(std::string_view reason) {
    client_gone(reason);
}

}  // namespace gateway::http
