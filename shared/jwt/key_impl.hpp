// What is inside a key; for shared/jwt only.
#pragma once

#include <openssl/evp.h>

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <string_view>

#include "shared/jwt/key.hpp"
#include "shared/jwt/verifier.hpp"

namespace shared::jwt {

template <auto Free>
struct OpensslDeleter {
    template <class T>
    void operator()(T* pointer) const {
        Free(pointer);
    }
};
using EvpPkey = std::unique_ptr<EVP_PKEY, OpensslDeleter<EVP_PKEY_free>>;
using EvpPkeyCtx = std::unique_ptr<EVP_PKEY_CTX, OpensslDeleter<EVP_PKEY_CTX_free>>;
using EvpMacCtx = std::unique_ptr<EVP_MAC_CTX, OpensslDeleter<EVP_MAC_CTX_free>>;
using EvpMdCtx = std::unique_ptr<EVP_MD_CTX, OpensslDeleter<EVP_MD_CTX_free>>;

// Prepared OpenSSL contexts of one key. A context serves one thread at a time and is dear to make (an
// algorithm look-up, a key schedule), so a thread takes one out, uses it and puts it back; each thread
// prefers a slot of its own. An empty slot means that the caller makes a context. At most kSlots are kept.
template <class Context>
class ContextPool {
  public:
    ContextPool() = default;
    ContextPool(const ContextPool&) = delete;
    ContextPool& operator=(const ContextPool&) = delete;
    ~ContextPool() {
        for (auto& slot : slots_) Context(slot.context.load(std::memory_order_acquire)).reset();
    }

    Context take() { return Context(slot().exchange(nullptr, std::memory_order_acquire)); }
    void give(Context context) {
        Context(slot().exchange(context.release(), std::memory_order_acq_rel)).reset();
    }

  private:
    static constexpr std::size_t kSlots = 8;
    struct alignas(64) Slot {
        std::atomic<typename Context::pointer> context{nullptr};
    };
    std::atomic<typename Context::pointer>& slot() {
        static std::atomic<std::size_t> next{0};
        thread_local const std::size_t mine = next.fetch_add(1, std::memory_order_relaxed) % kSlots;
        return slots_[mine].context;
    }
    std::array<Slot, kSlots> slots_;
};

struct Key::Impl {
    Impl() = default;
    ~Impl();

    // Errors: bad_signature_length, bad_signature. Safe from several threads.
    Result<void> verify(std::string_view signing_input, std::string_view signature) const;

    Algorithm algorithm = Algorithm::hs256;
    std::string kid;
    std::string secret;  // HS256 only; wiped when the key goes
    EvpPkey pkey;        // all others
    std::size_t signature_bytes = 0;

  private:
    bool verify_mac(std::string_view signing_input, std::string_view signature) const;
    bool verify_digest(std::string_view signing_input, std::string_view signature) const;
    bool verify_eddsa(std::string_view signing_input, std::string_view signature) const;

    mutable ContextPool<EvpMacCtx> macs_;
    mutable ContextPool<EvpPkeyCtx> verifiers_;
};

// Checks type, curve and strength, then makes the key.
Result<Key> make_public_key(Algorithm algorithm, EvpPkey pkey, std::string kid);

}  // namespace shared::jwt
