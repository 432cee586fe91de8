// A chunked body decodes the same however it is split, and what is encoded from it decodes to the same bytes.
#include <algorithm>
#include <string>

#include "gateway/wire/chunked.hpp"
#include "test/fuzz/require.hpp"

using namespace gateway::wire;
using Status = ChunkedDecoder::Status;

namespace {

struct Decoded {
    Status status = Status::need_more;
    std::string body;
    std::size_t consumed = 0;
};

Decoded decode(std::string_view text, std::size_t step) {
    ChunkedDecoder decoder;
    Decoded out;
    while (!text.empty() && out.status == Status::need_more) {
        auto piece = text.substr(0, step);
        text.remove_prefix(piece.size());
        while (true) {
            const auto next = decoder.next(piece);
            REQUIRE_THAT_ALWAYS(next.consumed <= piece.size());
            piece.remove_prefix(next.consumed);
            out.consumed += next.consumed;
            out.status = next.status;
            out.body += next.data;
            if (next.status != Status::data) break;
            REQUIRE_THAT_ALWAYS(!next.data.empty());
        }
    }
    return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 1) return 0;
    const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
    const auto whole = decode(text, text.size() + 1);
    const auto pieces = decode(text, 1 + data[0] % 16);
    REQUIRE_THAT_ALWAYS(whole.status == pieces.status);
    REQUIRE_THAT_ALWAYS(whole.body == pieces.body);
    REQUIRE_THAT_ALWAYS(whole.consumed == pieces.consumed);
    if (whole.status != Status::done) return 0;

    std::string encoded;
    if (!whole.body.empty()) {
        encoded += ChunkHeader(whole.body.size()).view();
        encoded += whole.body;
        encoded += kChunkEnd;
    }
    encoded += kLastChunk;
    const auto again = decode(encoded, 7);
    REQUIRE_THAT_ALWAYS(again.status == Status::done);
    REQUIRE_THAT_ALWAYS(again.body == whole.body);
    REQUIRE_THAT_ALWAYS(again.consumed == encoded.size());
    return 0;
}
