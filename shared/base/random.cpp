#include "shared/base/random.hpp"

#include <openssl/rand.h>

#include <stdexcept>

#include "shared/base/encoding.hpp"

namespace shared {

std::string random_bytes(std::size_t count) {
    std::string bytes(count, '\0');
    if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(count)) != 1)
        throw std::runtime_error("the system's random generator failed");
    return bytes;
}

std::string random_id(std::size_t bytes) {
    return base64url_encode(random_bytes(bytes));
}

}  // namespace shared
