#include "gateway/net/tls_context.hpp"

#include <openssl/err.h>

#include <algorithm>
#include <stdexcept>

#include "gateway/wire/header_name.hpp"
#include "shared/base/text.hpp"

namespace gateway::net {

namespace {

[[noreturn]] void fail(const std::string& what) {
    ERR_clear_error();
    throw std::runtime_error(what);
}

using Keeper = std::shared_ptr<const TlsContext>;

void let_go(void*, void* keeper, CRYPTO_EX_DATA*, int, long, void*) {
    delete static_cast<Keeper*>(keeper);
}

// Where an SSL object holds its Keeper: an SSL_CTX that is in use keeps itself alive, but not the list of the
// others.
int keeper_index() {
    static const int kIndex =
        CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL, 0, nullptr, nullptr, nullptr, let_go);
    return kIndex;
}

// ALPN: HTTP/1.1 is all we speak. A client that offers only others is refused (RFC 7301 section 3.2).
int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_length, const unsigned char* offered,
                    unsigned int offered_length, void*) {
    static constexpr unsigned char kOurs[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
    unsigned char* chosen = nullptr;
    if (SSL_select_next_proto(&chosen, out_length, kOurs, sizeof kOurs, offered, offered_length) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

}  // namespace

std::shared_ptr<const TlsContext> TlsContext::make(const config::ServerTls& settings) {
    std::shared_ptr<TlsContext> all(new TlsContext);
    for (const config::Certificate& certificate : settings.certificates) {
        SSL_CTX* context = SSL_CTX_new(TLS_server_method());
        if (!context) fail("tls: out of memory");
        all->contexts_.push_back({{}, context});
        for (const std::string& name : certificate.server_names)
            all->contexts_.back().names.push_back(shared::lower_case(name));
        if (certificate.server_names.empty() && !all->fallback_) all->fallback_ = context;
        SSL_CTX_set_min_proto_version(context,
                                      settings.min_version == "1.3" ? TLS1_3_VERSION : TLS1_2_VERSION);
        SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
        SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
        if (!settings.ciphers.empty() && SSL_CTX_set_cipher_list(context, settings.ciphers.c_str()) != 1)
            fail("tls.ciphers: OpenSSL knows none of \"" + settings.ciphers + "\"");
        if (SSL_CTX_use_certificate_chain_file(context, certificate.certificate_file.c_str()) != 1)
            fail("tls.certificate_file " + certificate.certificate_file + " is no readable PEM certificate");
        if (SSL_CTX_use_PrivateKey_file(context, certificate.key_file.c_str(), SSL_FILETYPE_PEM) != 1)
            fail("tls.key_file " + certificate.key_file +
                 " is no readable PEM key, or does not belong to the certificate");
        static constexpr unsigned char kSession[] = "gateway";
        SSL_CTX_set_session_id_context(context, kSession, sizeof kSession - 1);
        SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
        // SSL_CTX_set_tlsext_servername_callback is a macro with a C cast.
        SSL_CTX_callback_ctrl(context, SSL_CTRL_SET_TLSEXT_SERVERNAME_CB,
                              reinterpret_cast<void (*)()>(&TlsContext::choose));
    }
    if (all->contexts_.empty()) fail("tls.certificates is empty");
    if (!all->fallback_) all->fallback_ = all->contexts_.front().context;
    return all;
}

TlsContext::~TlsContext() {
    for (const Named& named : contexts_) SSL_CTX_free(named.context);
}

SSL* TlsContext::new_connection() const {
    SSL* tls = SSL_new(fallback_);
    if (!tls) return nullptr;
    auto keeper = std::make_unique<Keeper>(shared_from_this());
    if (SSL_set_ex_data(tls, keeper_index(), keeper.get()) != 1) {
        SSL_free(tls);
        return nullptr;
    }
    keeper.release();
    SSL_set_accept_state(tls);
    return tls;
}

SSL_CTX* TlsContext::find(std::string_view name) const {
    for (const Named& named : contexts_)
        for (const std::string& candidate : named.names)
            if (wire::equals_lower(name, candidate)) return named.context;
    // "*.example.org" stands for one label (RFC 6125 section 6.4.3).
    const std::size_t dot = name.find('.');
    if (dot == std::string_view::npos) return nullptr;
    for (const Named& named : contexts_)
        for (const std::string& candidate : named.names)
            if (candidate.starts_with("*.") && wire::equals_lower(name.substr(dot), candidate.substr(1)))
                return named.context;
    return nullptr;
}

int TlsContext::choose(SSL* tls, int*, void*) {
    const char* name = SSL_get_servername(tls, TLSEXT_NAMETYPE_host_name);
    const auto* self = static_cast<const Keeper*>(SSL_get_ex_data(tls, keeper_index()));
    if (name && self) {
        SSL_CTX* context = (*self)->find(name);
        if (context) SSL_set_SSL_CTX(tls, context);
    }
    return SSL_TLSEXT_ERR_OK;
}

}  // namespace gateway::net
