// Unpredictable values, from OpenSSL's generator.
#pragma once

#include <cstddef>
#include <string>

namespace shared {

// `count` random bytes. Throws std::runtime_error if the system has no randomness (nothing can go on then).
std::string random_bytes(std::size_t count);

// A random identifier of `bytes` * 8 bits as unpadded base64url: session ids, token ids, request ids.
std::string random_id(std::size_t bytes = 16);

}  // namespace shared
