// One non-blocking connection, plain or TLS. Nothing above it knows which. Holds no buffer of its own.
#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <span>
#include <string_view>

namespace gateway::net {

enum class IoStatus : std::uint8_t {
    ok,       // some bytes; there may be more
    drained,  // nothing left for now (`bytes` may still be > 0): wait for an edge
    closed,   // end of stream (read), or the peer is gone (write)
    failed,   // error; the connection is of no use any more
};

struct IoResult {
    IoStatus status;
    std::size_t bytes = 0;
    int error = 0;  // errno for `failed`; 0 for a TLS failure
};

class Stream {
  public:
    Stream() = default;
    explicit Stream(int descriptor) : descriptor_(descriptor) {}
    // Takes over the descriptor and the SSL object (server or client side already chosen).
    Stream(int descriptor, SSL* tls);
    ~Stream() { close(); }
    Stream(Stream&& other) noexcept;
    Stream& operator=(Stream&& other) noexcept;

    bool open() const { return descriptor_ >= 0; }
    int descriptor() const { return descriptor_; }
    bool tls() const { return tls_ != nullptr; }
    SSL* ssl() const { return tls_; }

    // TLS: continues the handshake. drained: wait for an edge; ok: done.
    IoStatus handshake();
    bool handshake_done() const { return !tls_ || handshake_done_; }

    // One read. A plain socket that fills less than the buffer is drained, which saves the read that would
    // say so; after RDHUP or HUP call with `hangup`, because a FIN that came with the data gives no further
    // edge.
    IoResult read(std::span<char> into, bool hangup);

    // TLS: there is nothing to read, and no end. Takes in what belongs to the protocol (session tickets).
    bool peek_is_empty() const;

    // Sends the pieces in order, in one system call where the transport allows it. `bytes` may be less than
    // the total.
    IoResult write(std::string_view first, std::string_view second = {}, std::string_view third = {});

    // Bytes that wait in a SendBatch for the end of the turn.
    bool batched() const { return batch_entry_ != 0; }

    // Half-close after everything was written (TLS: close_notify).
    void shutdown_write();
    // RST instead of FIN: the peer must see that the body was cut off.
    void abort();
    void close();

  private:
    friend class SendBatch;
    int descriptor_ = -1;
    std::uint32_t batch_entry_ = 0;  // 1-based; 0: none
    SSL* tls_ = nullptr;
    bool handshake_done_ = false;
};

}  // namespace gateway::net
