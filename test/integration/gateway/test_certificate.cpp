#include "test/integration/gateway/test_certificate.hpp"

#include <netinet/in.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <stdexcept>
#include <vector>

namespace test {

namespace {

std::string take_text(BIO* bio) {
    std::string text;
    std::array<char, 4096> buffer;
    int got = 0;
    while ((got = BIO_read(bio, buffer.data(), static_cast<int>(buffer.size()))) > 0)
        text.append(buffer.data(), static_cast<std::size_t>(got));
    BIO_free(bio);
    return text;
}

void set_name(SSL* tls, const std::string& name) {
    SSL_ctrl(tls, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, const_cast<char*>(name.c_str()));
}

void write_all(SSL* tls, const std::string& bytes) {
    if (SSL_write(tls, bytes.data(), static_cast<int>(bytes.size())) != static_cast<int>(bytes.size()))
        throw std::runtime_error("TLS write failed");
}

}  // namespace

TestCertificate make_certificate(const std::string& common_name) {
    EVP_PKEY* key = EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256");
    X509* certificate = X509_new();
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    X509_NAME* name = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1, 0);
    X509_set_issuer_name(certificate, name);
    X509_EXTENSION* names =
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, ("DNS:" + common_name).c_str());
    X509_add_ext(certificate, names, -1);
    X509_EXTENSION_free(names);
    X509_sign(certificate, key, EVP_sha256());
    TestCertificate made;
    BIO* bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(bio, certificate);
    made.certificate = take_text(bio);
    bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
    made.key = take_text(bio);
    X509_free(certificate);
    EVP_PKEY_free(key);
    return made;
}

TlsClient::TlsClient(RawConnection&& connection, const std::string& server_name, int newest)
    : connection_(std::move(connection)),
      context_(SSL_CTX_new(TLS_client_method()), SSL_CTX_free),
      tls_(SSL_new(context_.get()), SSL_free) {
    SSL_set_max_proto_version(tls_.get(), newest);
    SSL_set_security_level(tls_.get(), 0);  // it is the server that has to refuse old versions
    const timeval limit{10, 0};
    ::setsockopt(connection_.fd(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    SSL_set_fd(tls_.get(), connection_.fd());
    set_name(tls_.get(), server_name);
    if (SSL_connect(tls_.get()) != 1) throw std::runtime_error("TLS handshake failed");
}

std::string TlsClient::common_name() const {
    X509* certificate = SSL_get1_peer_certificate(tls_.get());
    std::array<char, 256> text{};
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, text.data(),
                              static_cast<int>(text.size()));
    X509_free(certificate);
    return text.data();
}

std::string TlsClient::answer() {
    std::string bytes;
    std::size_t wanted = std::string::npos;
    std::array<char, 16384> buffer;
    while (bytes.size() < wanted) {
        const int got = SSL_read(tls_.get(), buffer.data(), static_cast<int>(buffer.size()));
        if (got <= 0) throw std::runtime_error("TLS read failed");
        bytes.append(buffer.data(), static_cast<std::size_t>(got));
        const std::size_t head = bytes.find("\r\n\r\n");
        if (head == std::string::npos || wanted != std::string::npos) continue;
        const std::size_t length = bytes.find("Content-Length: ");
        wanted = head + 4 + std::stoul(bytes.substr(length + 16));
    }
    return bytes.substr(bytes.find("\r\n\r\n") + 4);
}

std::string TlsClient::get(const std::string& target) {
    write_all(tls_.get(), "GET " + target + " HTTP/1.1\r\nHost: a.test\r\n\r\n");
    return answer();
}

std::string TlsClient::post(const std::string& target, const std::string& body) {
    write_all(tls_.get(), "POST " + target + " HTTP/1.1\r\nHost: a.test\r\nContent-Length: " +
                              std::to_string(body.size()) + "\r\n\r\n" + body);
    return answer();
}

TlsEchoServer::TlsEchoServer(const TestCertificate& certificate)
    : context_(SSL_CTX_new(TLS_server_method())) {
    BIO* bio =
        BIO_new_mem_buf(certificate.certificate.data(), static_cast<int>(certificate.certificate.size()));
    X509* x509 = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
    BIO_free(bio);
    bio = BIO_new_mem_buf(certificate.key.data(), static_cast<int>(certificate.key.size()));
    EVP_PKEY* key = PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr);
    BIO_free(bio);
    SSL_CTX_use_certificate(context_, x509);
    SSL_CTX_use_PrivateKey(context_, key);
    X509_free(x509);
    EVP_PKEY_free(key);
    listen_fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    if (::bind(listen_fd_, reinterpret_cast<sockaddr*>(&address), length) != 0 ||
        ::listen(listen_fd_, 16) != 0 ||
        ::getsockname(listen_fd_, reinterpret_cast<sockaddr*>(&address), &length) != 0)
        throw std::runtime_error("TLS server: cannot listen");
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
}

TlsEchoServer::~TlsEchoServer() {
    stopping_ = true;
    ::shutdown(listen_fd_, SHUT_RDWR);
    thread_.join();
    ::close(listen_fd_);
    SSL_CTX_free(context_);
}

// One connection after the other is enough: the gateway has one request at a time here.
void TlsEchoServer::serve() {
    while (!stopping_) {
        const int fd = ::accept4(listen_fd_, nullptr, nullptr, SOCK_CLOEXEC);
        if (fd < 0) continue;
        const timeval limit{1, 0};
        ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        SSL* tls = SSL_new(context_);
        SSL_set_fd(tls, fd);
        if (SSL_accept(tls) == 1) {
            std::string bytes;
            std::array<char, 4096> buffer;
            int got = 0;
            while (!stopping_ && (got = SSL_read(tls, buffer.data(), static_cast<int>(buffer.size()))) > 0) {
                bytes.append(buffer.data(), static_cast<std::size_t>(got));
                if (!bytes.ends_with("\r\n\r\n")) continue;
                bytes.clear();
                write_all(tls, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
            }
        }
        SSL_free(tls);
        ::close(fd);
    }
}

}  // namespace test
