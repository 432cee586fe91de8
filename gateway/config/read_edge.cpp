// How clients and operators come in.
#include <algorithm>

#include "gateway/config/parts.hpp"
#include "gateway/wire/chars.hpp"
#include "gateway/wire/output.hpp"
#include "gateway/wire/rules.hpp"

namespace gateway::config {
namespace {

constexpr std::int64_t kDay = 86'400'000;  // ms

void read_tls(Section& in, ServerTls& tls) {
    in.objects("certificates", [&](Section& item) {
        Certificate certificate;
        item.texts("server_names", certificate.server_names);
        for (auto& name : certificate.server_names) name = lower_case(std::move(name));
        item.required_text("certificate_file", certificate.certificate_file);
        item.required_text("key_file", certificate.key_file);
        tls.certificates.push_back(std::move(certificate));
    });
    if (tls.certificates.empty()) in.problem("certificates", "at least one certificate is needed");
    in.choice<std::string>("min_version", tls.min_version, {{"1.2", "1.2"}, {"1.3", "1.3"}});
    in.text("ciphers", tls.ciphers);
}

void check_address(Section& in, const std::string& address) {
    if (!wire::IpAddress::parse(address)) in.problem("address", "\"" + address + "\" is not an IP address");
}

void read_listener(Section& in, Listener& listener) {
    in.text("address", listener.address);
    check_address(in, listener.address);
    in.number("port", listener.port, 0, 65'535);
    listener.name = listener.address + ':' + std::to_string(listener.port);
    in.text("name", listener.name);
    in.number("backlog", listener.backlog, 1, 65'535);
    in.boolean("proxy_protocol", listener.proxy_protocol);
    ServerTls tls;
    if (in.object("tls", [&](Section& section) { read_tls(section, tls); })) listener.tls = std::move(tls);
}

void read_client(Section& in, Client& client) {
    in.duration("head_timeout", client.head_timeout, 100, kDay);
    in.duration("idle_timeout", client.idle_timeout, 100, kDay);
    in.duration("body_timeout", client.body_timeout, 100, kDay);
    in.number("min_body_rate_bytes", client.min_body_rate_bytes, 0, 1 << 30);
    in.duration("write_timeout", client.write_timeout, 100, kDay);
    in.duration("tunnel_idle_timeout", client.tunnel_idle_timeout, 100, kDay);
    in.number("max_head_bytes", client.max_head_bytes, 1024, wire::kMaxHeadBytes);
    in.number("max_target_bytes", client.max_target_bytes, 256, wire::kMaxHeadBytes / 2);
    in.number("max_headers", client.max_headers, 8, wire::kMaxHeaderLines);
    in.boolean("merge_slashes", client.merge_slashes);
    in.number("max_connections", client.max_connections, 1, 10'000'000);
    in.number("max_connections_per_address", client.max_connections_per_address, 0, 10'000'000);
    in.number("max_requests_per_connection", client.max_requests_per_connection, 0, 1'000'000'000);
    in.number("drain_bytes", client.drain_bytes, 0, 64 << 20);
    if (client.max_target_bytes > client.max_head_bytes)
        in.problem("max_target_bytes", "must not be larger than max_head_bytes");
}

void read_forwarding(Section& in, Forwarding& forwarding) {
    std::vector<std::string> networks;
    in.texts("trusted_proxies", networks);
    for (const auto& list : networks) {
        // one string may hold several, so that one environment variable can
        for (std::size_t begin = 0; begin <= list.size();) {
            const auto end = std::min(list.find(',', begin), list.size());
            auto text = list.substr(begin, end - begin);
            begin = end + 1;
            std::erase(text, ' ');
            if (text.empty()) continue;
            if (const auto network = wire::Network::parse(text))
                forwarding.trusted_proxies.push_back(*network);
            else
                in.problem("trusted_proxies",
                           "\"" + text + "\" is not an address or network such as 10.0.0.0/8");
        }
    }
    in.boolean("forwarded_header", forwarding.forwarded_header);
}

}  // namespace

std::string lower_case(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), wire::chars::lower);
    return text;
}

void check_name(Section& section, const std::string& name) {
    const bool fit = name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
                         return wire::chars::is(c, wire::chars::kHost);
                     });
    if (!fit) section.problem("name", "may hold letters, digits, '-', '_' and '.', at most 64 of them");
}

void check_header_name(Section& section, std::string_view key, const std::string& name) {
    if (!wire::valid_header_name(name)) section.problem(key, "\"" + name + "\" is not a header name");
}

void read_edge(Section& root, Config& config) {
    root.objects("listeners", [&](Section& item) {
        Listener listener;
        read_listener(item, listener);
        config.listeners.push_back(std::move(listener));
    });
    if (config.listeners.empty()) root.problem("listeners", "at least one listener is needed");
    root.object("admin", [&](Section& in) {
        in.boolean("enabled", config.admin.enabled);
        in.text("address", config.admin.address);
        check_address(in, config.admin.address);
        in.number("port", config.admin.port, 0, 65'535);
    });
    root.number("workers", config.workers, 0, 1024);
    root.object("client", [&](Section& in) { read_client(in, config.client); });
    root.object("request_id",
                [&](Section& in) { in.boolean("accept_from_client", config.request_id.accept_from_client); });
    root.object("forwarding", [&](Section& in) { read_forwarding(in, config.forwarding); });
    root.object("access_log", [&](Section& in) {
        in.boolean("enabled", config.access_log.enabled);
        in.text("path", config.access_log.path);
        in.number("sample", config.access_log.sample, 1, 1'000'000);
    });
    root.object("shutdown", [&](Section& in) {
        in.duration("drain_delay", config.shutdown.drain_delay, 0, 600'000);
        in.duration("grace", config.shutdown.grace, 0, 3'600'000);
    });
}

}  // namespace gateway::config
