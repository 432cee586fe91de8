// An answer head means the same however it arrives, and what goes to the client is well-formed.
#include <algorithm>
#include <string>
#include <vector>

#include "gateway/wire/head_writer.hpp"
#include "gateway/wire/response_head.hpp"
#include "test/fuzz/require.hpp"

using namespace gateway::wire;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    const auto asked = static_cast<Method>(data[0] % kMethodCount);
    const std::size_t step = 1 + data[1] % 32;
    const std::string text(reinterpret_cast<const char*>(data) + 2, size - 2);
    const ReaderRules rules;

    ResponseHead whole;
    whole.clear();
    const auto expected = read_response_head(text, asked, rules, whole);
    ResponseHead pieces;
    pieces.clear();
    ReadResult got;
    std::string elsewhere;
    for (std::size_t n = 0; got.status == ReadStatus::incomplete; n = std::min(n + step, text.size())) {
        elsewhere = text.substr(0, n);
        got = read_response_head(elsewhere, asked, rules, pieces);
        if (n == text.size()) break;
    }
    if (got.status == ReadStatus::incomplete && expected.status == ReadStatus::refused) return 0;
    REQUIRE_THAT_ALWAYS(got.status == expected.status);
    REQUIRE_THAT_ALWAYS(got.refusal == expected.refusal);
    REQUIRE_THAT_ALWAYS(got.consumed == expected.consumed);
    if (expected.status != ReadStatus::complete) return 0;
    REQUIRE_THAT_ALWAYS(whole.body() == pieces.body());
    REQUIRE_THAT_ALWAYS(whole.body() != BodyKind::until_close || !whole.keep_alive());

    ClientResponse add;
    add.body = whole.body();
    add.content_length = whole.content_length();
    std::vector<char> bytes(128 * 1024);
    Output out(bytes.data(), bytes.size());
    REQUIRE_THAT_ALWAYS(write_response_head(out, whole, add));
    ResponseHead again;
    again.clear();
    const auto result = read_response_head(out.view(), asked, rules, again);
    if (result.status == ReadStatus::refused &&
        (whole.lines().size() + 2 > kMaxHeaderLines || out.size() >= rules.max_head_bytes))
        return 0;
    REQUIRE_THAT_ALWAYS(result.status == ReadStatus::complete);
    REQUIRE_THAT_ALWAYS(result.consumed == out.size());
    REQUIRE_THAT_ALWAYS(again.status() == whole.status());
    REQUIRE_THAT_ALWAYS(whole.body() == BodyKind::none || again.body() == whole.body());
    return 0;
}
