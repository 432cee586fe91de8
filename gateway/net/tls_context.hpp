// The certificates of one listener, chosen by SNI. Immutable; a reload makes a new one, connections keep
// theirs.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/config/config.hpp"

namespace gateway::net {

class TlsContext : public std::enable_shared_from_this<TlsContext> {
  public:
    // Throws std::runtime_error naming the file that cannot be used.
    static std::shared_ptr<const TlsContext> make(const config::ServerTls& settings);
    ~TlsContext();
    TlsContext(const TlsContext&) = delete;
    TlsContext& operator=(const TlsContext&) = delete;

    // For one connection, in accept state; nullptr when out of memory. It keeps this object: a client may say
    // its name after a reload.
    SSL* new_connection() const;

  private:
    struct Named {
        std::vector<std::string> names;  // lower-case
        SSL_CTX* context;
    };
    TlsContext() = default;
    static int choose(SSL* tls, int* alert, void* unused);
    SSL_CTX* find(std::string_view name) const;

    std::vector<Named> contexts_;
    SSL_CTX* fallback_ = nullptr;  // one of contexts_
};

}  // namespace gateway::net
