#include "gateway/wire/websocket.hpp"

#include <openssl/evp.h>

#include <array>

namespace gateway::wire {

std::string websocket_accept(std::string_view key) {
    static constexpr std::string_view kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";  // RFC 6455 section 1.3
    std::string joined(key);
    joined += kGuid;
    std::array<unsigned char, 20> digest{};
    unsigned length = 0;
    if (EVP_Digest(joined.data(), joined.size(), digest.data(), &length, EVP_sha1(), nullptr) != 1) return {};
    std::array<unsigned char, 29> text{};  // 28 characters and the terminator that EVP_EncodeBlock adds
    const int written = EVP_EncodeBlock(text.data(), digest.data(), static_cast<int>(length));
    return {text.begin(), text.begin() + written};
}

}  // namespace gateway::wire
