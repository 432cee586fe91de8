// Forwarder: what surrounds the attempts: the head, places in the limits, deadlines, the end.
#include "gateway/respond/forwarder.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "gateway/exchange/exchange.hpp"
#include "gateway/exchange/upstream_header.hpp"
#include "gateway/routing/rewrite.hpp"
#include "gateway/wire/websocket.hpp"
#include "shared/base/text.hpp"

namespace gateway::respond {

using exchange::Failed;
using std::chrono::milliseconds;

namespace {

// How often a request may have passed a gateway of ours: once is usual, twice a gateway behind another one.
// What comes more often goes round.
constexpr std::size_t kMostPasses = 5;

std::size_t passes(const wire::RequestHead& head) {
    std::size_t count = 0;
    for (const wire::HeaderLine& line : head.lines()) {
        if (line.id != wire::Header::via) continue;
        const std::string_view value = head.value(line);
        for (std::size_t at = value.find(wire::kViaName); at != std::string_view::npos;
             at = value.find(wire::kViaName, at + wire::kViaName.size()))
            ++count;
    }
    return count;
}

}  // namespace

void Forwarder::start(exchange::Exchange& exchange) {
    exchange_ = &exchange;
    const auto& target = std::get<config::ClusterTarget>(exchange.route->target);
    const wire::RequestHead& head = exchange.head;
    cluster_ = exchange.snapshot->clusters[target.cluster_index].get();
    const config::RouteTimeouts& route = exchange.route->timeouts;
    first_byte_ = route.first_byte.value_or(settings().timeouts.first_byte);
    idle_ = route.idle.value_or(settings().timeouts.idle);
    const milliseconds total = route.total.value_or(settings().timeouts.total);
    total_due_ = total.count() > 0
                     ? worker_.wheel.now() + static_cast<std::uint32_t>(total / net::DeadlineWheel::kTick) + 1
                     : 0;
    avoid_ = nullptr;
    if (head.body() == wire::BodyKind::none ||
        (head.body() == wire::BodyKind::length && head.content_length() == 0))
        request_body_ = Body::complete;
    else
        request_body_ = head.expect_continue() ? Body::held_back : Body::coming;
    exchange.ends_with_client = exchange.route->end_with_client.value_or(false);
    replay_ = Replay::possible;
    take_ = Take::kept_connection;
    silent_retries_ = 0;
    state_ = State::queued;
    if (settings().balancer == config::Balancer::hash) {
        if (settings().hash_on.source == config::HashOn::Source::header) {
            std::string joined;
            const auto value = exchange::upstream_header(exchange, settings().hash_on.header, joined);
            hash_key_ = shared::fnv1a(value.empty() ? exchange.client.counted_bytes() : value);
        } else {
            hash_key_ = shared::fnv1a(exchange.client.counted_bytes());
        }
    }
    if (head.has(wire::Header::via) && passes(head) >= kMostPasses)
        return exchange.fail(Failed::loop_detected);
    if (!write_head(target)) return exchange.fail(Failed::internal);
    cluster_->budget().on_request(worker_.poller.now_ms());
    if (request_body_ != Body::complete && exchange.route->limits.gathered_bytes() != 0) return gather();
    if (wants_body()) exchange.side->want_body();
    admit();
}

// Of clients that send slowly or never nothing but this is held. What the pipeline refuses has been refused
// by now, so this is where the body is wanted.
void Forwarder::gather() {
    state_ = State::gathering;
    if (request_body_ == Body::held_back) {
        request_body_ = Body::coming;
        if (exchange_->side->informational(nullptr) == exchange::Given::gone) return;
    }
    if (total_due_ != 0) worker_.wheel.set(*this, within_total(milliseconds::max()));
    exchange_->side->want_body();
}

bool Forwarder::gather_more(std::string_view data, bool last) {
    if (!append({}, data, {})) return false;
    if (!large_ && pending_.size() > exchange::KeptBody::kSmall)
        large_ = worker_.large_bodies.insert(worker_.large_bodies.end(), this);
    if (!last && pending_.size() < exchange_->route->limits.gathered_bytes()) return true;
    if (last) request_body_ = Body::complete;
    if (exchange_->head.body() == wire::BodyKind::chunked) pending_.make_chunk(last);
    stop_gathering();
    admit();
    return wants_body();
}

void Forwarder::stop_gathering() {
    worker_.wheel.clear(*this);
    if (large_) worker_.large_bodies.erase(*std::exchange(large_, std::nullopt));
}

void Forwarder::make_room() {
    stop_gathering();
    pending_.clear();
    state_ = State::crowded_out;
    worker_.wheel.set(*this, milliseconds(0));
}

bool Forwarder::write_head(const config::ClusterTarget& target) {
    const exchange::Exchange& exchange = *exchange_;
    const wire::RequestHead& head = exchange.head;
    const bool bodiless = request_body_ == Body::complete;
    std::string rewritten;
    wire::UpstreamRequest out;
    out.path = routing::upstream_path(target, head.path(), rewritten);
    out.has_query = head.has_query();
    out.query = head.query();
    switch (target.host) {
        case config::ClusterTarget::Host::preserve:
            out.host = head.authority();
            break;
        case config::ClusterTarget::Host::fixed:
            out.host = target.fixed_host;
            break;
        case config::ClusterTarget::Host::endpoint:
            break;
    }
    // The head is written once for all attempts: each writes its endpoint over this (name_endpoint).
    const bool of_endpoint = out.host.empty();
    if (of_endpoint) out.host = "endpoint";
    out.forwarded_for = exchange.forwarded_for;
    out.forwarded_proto = exchange.forwarded_proto;
    out.forwarded_host = exchange.forwarded_host;
    out.client_address = exchange.client_text;
    out.request_id = exchange.request_id;
    out.traceparent = {exchange.traceparent.data(), exchange.traceparent.size()};
    if (exchange.identity) out.identity_lines = exchange.identity->header_block();
    out.forwarded = exchange.forwarded;
    out.additions = exchange.runtime->request_headers;
    out.body = bodiless ? wire::BodyKind::none : head.body();
    out.content_length = head.content_length();
    out.send_zero_length =
        bodiless && (head.method() == wire::Method::post || head.method() == wire::Method::put ||
                     head.method() == wire::Method::patch);
    out.upgrade_websocket = exchange.websocket;
    wire::Output buffer(worker_.output.data(), worker_.output.size());
    if (!wire::write_request_head(buffer, head, out)) return false;
    head_.assign(buffer.view());
    static constexpr std::string_view kHost = "\r\nHost: ";
    host_at_ = of_endpoint ? static_cast<std::uint16_t>(head_.find(kHost) + kHost.size()) : 0;
    host_length_ = static_cast<std::uint16_t>(out.host.size());
    if (exchange.websocket) accept_ = wire::websocket_accept(head.value(wire::Header::sec_websocket_key));
    return true;
}

void Forwarder::name_endpoint(const upstream::Endpoint& endpoint) {
    if (host_at_ == 0) return;
    head_.replace(host_at_, host_length_, endpoint.authority());
    host_length_ = static_cast<std::uint16_t>(endpoint.authority().size());
}

void Forwarder::admit() {
    state_ = State::queued;
    if (take_place(*exchange_->runtime->in_flight, route_place_) &&
        take_place(cluster_->cluster().in_flight, cluster_place_))
        attempt();
}

// False: it waits for one, or is over.
bool Forwarder::take_place(upstream::InFlightLimit& limit, upstream::InFlightLimit::Place& place) {
    if (place) return true;
    const std::uint64_t who = limit.limited() ? client() : 0;
    place = limit.try_acquire(who);
    if (place) return true;
    ticket_ = limit.wait(who, *this, worker_.poller);
    if (!ticket_) {
        exchange_->fail(Failed::overloaded);
        return false;
    }
    worker_.stats.queued.add();
    worker_.wheel.set(*this, within_total(limit.queue_timeout()));
    return false;
}

// Whose turn and share it is: the user's; where there is none the address's, of IPv6 the network's that one
// customer gets.
std::uint64_t Forwarder::client() const {
    if (exchange_->identity) return exchange_->identity->user_hash();
    std::array<std::uint64_t, 2> halves;
    static_assert(sizeof halves == sizeof exchange_->client.bytes);
    std::memcpy(halves.data(), exchange_->client.bytes.data(), sizeof halves);
    return exchange_->client.is_v4() ? halves[1] : halves[0];
}

void Forwarder::on_place_free() {
    auto& place = ticket_.of(*exchange_->runtime->in_flight) ? route_place_ : cluster_place_;
    place = ticket_.take();
    leave_queue();
    admit();
}

void Forwarder::on_crowded_out() {
    exchange_->fail(Failed::overloaded);
}

// Every pool that would do is full. The places are kept: whoever else got them would wait here, too.
void Forwarder::wait_for_connection() {
    if (!cluster_->wait(*this)) return give_up(Failed::overloaded);
    waits_for_connection_ = true;
    state_ = State::queued;
    if (worker_.wheel.armed(*this)) return;  // it goes on waiting, with the deadline it has
    worker_.stats.queued.add();
    worker_.wheel.set(*this, within_total(cluster_->cluster().in_flight.queue_timeout()));
}

bool Forwarder::on_connection_free() {
    attempt();
    return !waits_for_connection_;
}

void Forwarder::leave_queue() {
    ticket_.reset();
    if (std::exchange(waits_for_connection_, false)) cluster_->stop_waiting(*this);
    worker_.wheel.clear(*this);
}

void Forwarder::release_places() {
    cluster_place_.reset();
    route_place_.reset();
}

void Forwarder::on_deadline() {
    if (state_ == State::backing_off) {
        if (total_over()) return give_up(Failed::total_timeout);
        return attempt();
    }
    if (state_ == State::gathering) return exchange_->fail(Failed::total_timeout);
    if (state_ == State::crowded_out) {
        worker_.stats.bodies_refused.add();
        return exchange_->fail(Failed::overloaded);
    }
    if (state_ != State::queued) return;
    if (total_over()) return give_up(Failed::total_timeout);
    worker_.stats.queue_timeouts.add();
    give_up(Failed::queue_timeout);
}

void Forwarder::abandon() {
    if (state_ == State::idle) return;
    leave_queue();
    stop_gathering();
    attempt_.reset();
    state_ = State::idle;
    exchange::forget(head_);
    pending_.clear();
    exchange::forget(answer_bytes_);
    exchange::forget(kept_head_);
    exchange::forget(kept_body_);
    exchange_ = nullptr;
    release_places();
}

milliseconds Forwarder::within_total(milliseconds phase) const {
    if (total_due_ == 0) return phase;
    const std::uint32_t now = worker_.wheel.now();
    return std::min<milliseconds>(phase,
                                  net::DeadlineWheel::kTick * (total_due_ > now ? total_due_ - now : 0));
}

void Forwarder::arm(milliseconds phase) {
    attempt_->connection().set_deadline(within_total(phase));
}

bool Forwarder::total_over() const {
    return total_due_ != 0 && worker_.wheel.now() >= total_due_;
}

void Forwarder::on_upstream_deadline() {
    if (in_tunnel()) {
        exchange_->reason = "tunnel_idle_timeout";
        return end_tunnel();
    }
    const bool over = total_over();
    if (!client_is_slow())
        attempt_->failed(worker_.poller.now_ms());
    else if (!over)
        return arm(idle_);
    if (over) return give_up(Failed::total_timeout);
    if (exchange_->begun()) return exchange_->fail(Failed::upstream_timeout);
    attempt_failed(upstream::Failure::timeout, Failed::upstream_timeout);
}

// A client that takes nothing, or sends nothing, has its own deadline; the upstream is not to blame.
bool Forwarder::client_is_slow() const {
    return exchange_->side->full() ||
           (request_body_ != Body::complete && !attempt_->connection().backlog() && !answer_begun());
}

void Forwarder::on_upstream_exception() noexcept {
    if (exchange_) exchange_->side->cut("internal_error");
}

}  // namespace gateway::respond
