// A request head means the same however it arrives, and what is forwarded means the same again.
#include <string>
#include <string_view>
#include <vector>

#include "gateway/wire/head_writer.hpp"
#include "gateway/wire/request_head.hpp"
#include "test/fuzz/require.hpp"

using namespace gateway::wire;

namespace {

ReaderRules rules_for(std::uint8_t choice) {
    ReaderRules rules;
    rules.merge_slashes = (choice & 1) != 0;
    if ((choice & 2) != 0) rules.max_target_bytes = 64;
    if ((choice & 4) != 0) rules.max_head_bytes = 256;
    if ((choice & 8) != 0) rules.max_headers = 8;
    rules.add_identity_header("X-Kampus");
    return rules;
}

void check_forwarded(const RequestHead& head, const ReaderRules& rules) {
    UpstreamRequest add;
    add.path = head.path();
    add.query = head.query();
    add.has_query = head.has_query();
    add.host = "upstream:1";
    add.request_id = "id";
    add.body = head.body();
    add.content_length = head.content_length();
    std::vector<char> bytes(128 * 1024);
    Output out(bytes.data(), bytes.size());
    REQUIRE_THAT_ALWAYS(write_request_head(out, head, add));
    RequestHead again;
    again.clear();
    auto wide = rules;
    wide.max_head_bytes = kMaxHeadBytes;
    wide.max_target_bytes = kMaxHeadBytes;
    wide.max_headers = kMaxHeaderLines;
    const auto result = read_request_head(out.view(), wide, again);
    // our own lines may push a head at the limit over it; nothing else may be wrong with what we wrote
    if (result.refusal == Refusal::too_many_headers || result.refusal == Refusal::head_too_large) return;
    REQUIRE_THAT_ALWAYS(result.status == ReadStatus::complete);
    REQUIRE_THAT_ALWAYS(result.consumed == out.size());
    REQUIRE_THAT_ALWAYS(again.method() == head.method());
    REQUIRE_THAT_ALWAYS(again.path() == head.path());
    REQUIRE_THAT_ALWAYS(again.query() == head.query());
    REQUIRE_THAT_ALWAYS(again.body() == head.body());
    REQUIRE_THAT_ALWAYS(again.content_length() == head.content_length());
    REQUIRE_THAT_ALWAYS(again.keep_alive());
    for (const auto& line : again.lines()) {
        const auto name = again.name(line);
        REQUIRE_THAT_ALWAYS(name.find('_') == std::string_view::npos);
        REQUIRE_THAT_ALWAYS(!rules.is_identity_header(name));
        REQUIRE_THAT_ALWAYS(line.id != Header::x_user && line.id != Header::x_session_id);
        REQUIRE_THAT_ALWAYS(line.id != Header::connection && line.id != Header::upgrade &&
                            line.id != Header::te);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    const auto rules = rules_for(data[0]);
    const std::size_t step = 1 + data[1] % 32;
    const std::string text(reinterpret_cast<const char*>(data) + 2, size - 2);

    RequestHead whole;
    whole.clear();
    const auto expected = read_request_head(text, rules, whole);
    RequestHead pieces;
    pieces.clear();
    ReadResult got;
    std::string elsewhere;
    for (std::size_t n = 0; got.status == ReadStatus::incomplete; n = std::min(n + step, text.size())) {
        elsewhere = text.substr(0, n);
        got = read_request_head(elsewhere, rules, pieces);
        if (n == text.size()) break;
    }
    // an unfinished line may show its fault only when it ends: then the pieces still wait
    if (got.status == ReadStatus::incomplete && expected.status == ReadStatus::refused) return 0;
    REQUIRE_THAT_ALWAYS(got.status == expected.status);
    REQUIRE_THAT_ALWAYS(got.refusal == expected.refusal);
    REQUIRE_THAT_ALWAYS(got.consumed == expected.consumed);
    if (expected.status != ReadStatus::complete) return 0;
    REQUIRE_THAT_ALWAYS(expected.consumed <= text.size() && expected.consumed <= rules.max_head_bytes);
    REQUIRE_THAT_ALWAYS(whole.path() == pieces.path());
    REQUIRE_THAT_ALWAYS(whole.host() == pieces.host());
    check_forwarded(whole, rules);
    return 0;
}
