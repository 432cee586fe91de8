#include <optional>
#include <string>

#include "gateway/config/config.hpp"
#include "gateway/exchange/snapshot.hpp"
#include "gateway/pipeline/filters.hpp"
#include "gateway/pipeline/forwarded.hpp"
#include "gateway/wire/path.hpp"
#include "shared/base/text.hpp"

namespace gateway::pipeline {

namespace {

// An element of X-Forwarded-For: an address, some proxies add a port.
std::optional<wire::IpAddress> address_in(std::string_view element) {
    if (element.starts_with('[')) {
        const std::size_t end = element.find(']');
        if (end == std::string_view::npos) return std::nullopt;
        return wire::IpAddress::parse(element.substr(1, end - 1));
    }
    if (const auto whole = wire::IpAddress::parse(element)) return whole;
    const std::size_t colon = element.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    return wire::IpAddress::parse(element.substr(0, colon));
}

// Walks the chain from our side: the client is the first address that no trusted proxy vouches for. What
// stands left of it was written by the client and is worth nothing.
void read_chain(exchange::Exchange& exchange, const std::vector<wire::Network>& trusted) {
    const auto lines = exchange.head.lines();
    for (std::size_t i = lines.size(); i > 0; --i) {
        const wire::HeaderLine& line = lines[i - 1];
        if (line.id != wire::Header::x_forwarded_for) continue;
        std::string_view rest = exchange.head.value(line);
        while (!rest.empty()) {
            const std::size_t comma = rest.rfind(',');
            const std::string_view element =
                shared::trim(comma == std::string_view::npos ? rest : rest.substr(comma + 1));
            rest = comma == std::string_view::npos ? std::string_view() : rest.substr(0, comma);
            if (element.empty()) continue;  // RFC 9110 section 5.6.1
            const auto address = address_in(element);
            if (!address) return;
            exchange.client = *address;
            if (!wire::contains(trusted, *address)) return;
        }
    }
}

// The values of all lines of that name, each followed by ", " (RFC 9110 section 5.2: several lines are one
// list).
std::string joined_lines(const wire::RequestHead& head, wire::Header id) {
    std::string all;
    for (const wire::HeaderLine& line : head.lines())
        if (line.id == id) all.append(head.value(line)).append(", ");
    return all;
}

// The last element that says something: the one of the proxy next to us.
std::string last_element(const wire::RequestHead& head, wire::Header id) {
    const std::string all = joined_lines(head, id);
    std::string_view rest = all;
    while (!rest.empty()) {
        const std::size_t comma = rest.rfind(',');
        const std::string_view element = shared::trim(rest.substr(comma + 1));
        if (!element.empty()) return std::string(element);
        rest = rest.substr(0, comma);
    }
    return {};
}

void take_scheme(exchange::Exchange& exchange, std::string scheme) {
    scheme = shared::lower_case(std::move(scheme));
    if (scheme == "http" || scheme == "https") exchange.forwarded_proto = exchange.text.keep(scheme);
}

void take_host(exchange::Exchange& exchange, std::string_view host) {
    if (wire::check_authority(host) != 0) exchange.forwarded_host = exchange.text.keep(host);
}

// RFC 7239 node: IPv6 in brackets and quotes.
void append_node(std::string& out, const wire::IpAddress& address, std::string_view text) {
    if (address.is_v4())
        out.append(text);
    else
        out.append("\"[").append(text).append("]\"");
}

// The same walk as read_chain. Scheme and host are those that the client's element tells.
void read_forwarded(exchange::Exchange& exchange, const std::vector<ForwardedElement>& elements,
                    const std::vector<wire::Network>& trusted) {
    for (std::size_t i = elements.size(); i > 0; --i) {
        const ForwardedElement& element = elements[i - 1];
        const auto address = address_in(element.node);
        if (!address) return;  // "unknown", or hidden
        exchange.client = *address;
        take_scheme(exchange, element.proto);
        take_host(exchange, element.host);
        if (!wire::contains(trusted, *address)) return;
    }
}

}  // namespace

Verdict client_address(Context& context) {
    exchange::Exchange& exchange = context.exchange;
    const config::Forwarding& rules = exchange.snapshot->shared->config->forwarding;
    exchange.client = *exchange.peer;
    exchange.client_text = exchange.peer_text;
    exchange.forwarded_for = exchange.peer_text;
    exchange.forwarded_proto = exchange.secure ? "https" : "http";
    exchange.forwarded_host = exchange.head.authority();
    exchange.peer_trusted = !exchange.peer_unknown && !rules.trusted_proxies.empty() &&
                            wire::contains(rules.trusted_proxies, *exchange.peer);
    std::string forwarded;  // what stands in front of our element
    if (exchange.peer_trusted) {
        const bool chained = exchange.head.has(wire::Header::x_forwarded_for);
        if (chained) read_chain(exchange, rules.trusted_proxies);
        std::string chain = joined_lines(exchange.head, wire::Header::x_forwarded_for);
        if (!chain.empty()) exchange.forwarded_for = exchange.text.keep(chain.append(exchange.peer_text));
        if (exchange.head.has(wire::Header::forwarded)) {
            forwarded = joined_lines(exchange.head, wire::Header::forwarded);
            const auto elements = parse_forwarded(forwarded);
            if (!elements)
                forwarded.clear();
            else if (!chained)  // who writes both means the same; a client's own may have come through
                read_forwarded(exchange, *elements, rules.trusted_proxies);
        }
        if (exchange.client != *exchange.peer)
            exchange.client_text = exchange.text.keep(exchange.client.to_string());
        take_scheme(exchange, last_element(exchange.head, wire::Header::x_forwarded_proto));
        take_host(exchange, last_element(exchange.head, wire::Header::x_forwarded_host));
    }
    if (rules.forwarded_header) {
        std::string element = std::move(forwarded);
        element.append("for=");
        append_node(element, *exchange.peer, exchange.peer_text);
        element.append(";proto=").append(exchange.forwarded_proto);
        if (!exchange.forwarded_host.empty())
            element.append(";host=\"").append(exchange.forwarded_host).append("\"");
        exchange.forwarded = exchange.text.keep(element);
    }
    return Verdict::next;
}

}  // namespace gateway::pipeline
