// Certificates made on the spot, a TLS client, and a TLS server.
#pragma once

#include <openssl/ssl.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>

#include "test/support/http.hpp"

namespace test {

struct TestCertificate {
    std::string certificate;  // PEM, self-signed
    std::string key;          // PEM
};
TestCertificate make_certificate(const std::string& common_name);

// A connection that does not verify.
class TlsClient {
  public:
    TlsClient(std::uint16_t port, const std::string& server_name)
        : TlsClient(RawConnection(port), server_name) {}
    // `newest`: TLS1_1_VERSION and the like; 0: as new as possible.
    TlsClient(RawConnection&& connection, const std::string& server_name, int newest = 0);
    TlsClient(const TlsClient&) = delete;
    TlsClient& operator=(const TlsClient&) = delete;

    std::string common_name() const;             // of the server's certificate
    std::string get(const std::string& target);  // the answer's body, by its Content-Length
    std::string post(const std::string& target, const std::string& body);

  private:
    std::string answer();

    RawConnection connection_;
    std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
    std::unique_ptr<SSL, decltype(&SSL_free)> tls_;
};

// Answers every request with 200.
class TlsEchoServer {
  public:
    explicit TlsEchoServer(const TestCertificate& certificate);
    ~TlsEchoServer();
    std::uint16_t port() const { return port_; }

  private:
    void serve();

    SSL_CTX* context_;
    int listen_fd_ = -1;
    std::uint16_t port_ = 0;
    std::atomic<bool> stopping_{false};
    std::thread thread_;
};

}  // namespace test
