#include "gateway/http/proxy_header.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "shared/base/text.hpp"

namespace gateway::http {

namespace {

constexpr std::string_view kSignature("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::size_t kMaxV1 = 107;

ProxyHeader refused() {
    return {ProxyHeader::Status::refused, 0, std::nullopt};
}

std::optional<std::uint16_t> port_of(std::string_view text) {
    return shared::parse_number<std::uint16_t>(text);
}

// "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n"
ProxyHeader parse_v1(std::string_view bytes) {
    const std::size_t end = bytes.substr(0, kMaxV1).find("\r\n");
    if (end == std::string_view::npos) {
        if (bytes.size() >= kMaxV1) return refused();
        return {};
    }
    ProxyHeader header{ProxyHeader::Status::complete, end + 2, std::nullopt};
    std::string_view line = bytes.substr(0, end);
    std::array<std::string_view, 6> words;
    std::size_t count = 0;
    while (count < words.size()) {
        const std::size_t space = line.find(' ');
        words[count++] = line.substr(0, space);
        if (space == std::string_view::npos) {
            line = {};
            break;
        }
        line = line.substr(space + 1);
    }
    if (count >= 2 && words[1] == "UNKNOWN") return header;
    if (count != 6 || !line.empty() || (words[1] != "TCP4" && words[1] != "TCP6")) return refused();
    const auto source = wire::IpAddress::parse(words[2]);
    const auto destination = wire::IpAddress::parse(words[3]);
    const auto port = port_of(words[4]);
    if (!source || !destination || !port || !port_of(words[5])) return refused();
    if (words[1] == "TCP4" && !source->is_v4()) return refused();
    header.client = net::Peer{*source, *port};
    return header;
}

ProxyHeader parse_v2(std::string_view bytes) {
    if (bytes.size() < 16) return {};
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
    const unsigned version_command = byte(12);
    const unsigned family = byte(13);
    const std::size_t length = std::size_t{byte(14)} * 256 + byte(15);
    if (version_command >> 4 != 2 || (version_command & 15) > 1) return refused();
    if (16 + length > kMaxProxyHeader) return refused();
    if (bytes.size() < 16 + length) return {};
    ProxyHeader header{ProxyHeader::Status::complete, 16 + length, std::nullopt};
    if ((version_command & 15) == 0) return header;  // LOCAL: the balancer's own check
    net::Peer client;
    if (family == 0x11) {
        if (length < 12) return refused();
        client.address = wire::IpAddress::v4(std::uint32_t{byte(16)} << 24 | std::uint32_t{byte(17)} << 16 |
                                             std::uint32_t{byte(18)} << 8 | byte(19));
        client.port = static_cast<std::uint16_t>(byte(24) * 256 + byte(25));
    } else if (family == 0x21) {
        if (length < 36) return refused();
        std::memcpy(client.address.bytes.data(), bytes.data() + 16, 16);
        client.port = static_cast<std::uint16_t>(byte(48) * 256 + byte(49));
    } else {
        return header;
    }
    header.client = client;
    return header;
}

}  // namespace

ProxyHeader parse_proxy_header(std::string_view bytes) {
    static constexpr std::string_view kV1 = "PROXY ";
    if (bytes.substr(0, kSignature.size()) == kSignature.substr(0, std::min(bytes.size(), kSignature.size())))
        return bytes.size() < kSignature.size() ? ProxyHeader{} : parse_v2(bytes);
    if (bytes.substr(0, kV1.size()) == kV1.substr(0, std::min(bytes.size(), kV1.size())))
        return bytes.size() < kV1.size() ? ProxyHeader{} : parse_v1(bytes);
    return refused();
}

}  // namespace gateway::http
