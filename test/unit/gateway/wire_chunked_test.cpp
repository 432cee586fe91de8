// Chunked bodies, in one piece and split at every byte.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "gateway/wire/chunked.hpp"

using namespace gateway::wire;
using namespace std::string_literals;
using Status = ChunkedDecoder::Status;

namespace {

struct Decoded {
    Status status = Status::need_more;
    std::string body;
    std::size_t consumed = 0;
    Refusal refusal = Refusal::none;
};

// Feeds `text` in pieces that end at the given positions and at its end.
Decoded decode(const std::string& text, const std::vector<std::size_t>& cuts = {}) {
    ChunkedDecoder decoder;
    Decoded out;
    std::size_t begin = 0;
    auto ends = cuts;
    ends.push_back(text.size());
    for (const auto end : ends) {
        const std::string elsewhere(text, begin, end - begin);
        begin = end;
        std::string_view rest = elsewhere;
        while (true) {
            const auto step = decoder.next(rest);
            rest.remove_prefix(step.consumed);
            out.consumed += step.consumed;
            out.status = step.status;
            out.refusal = step.refusal;
            if (step.status == Status::data) {
                REQUIRE_FALSE(step.data.empty());
                out.body += step.data;
                continue;
            }
            break;
        }
        if (out.status != Status::need_more) break;
    }
    return out;
}

}  // namespace

TEST_CASE("chunked bodies decode the same however they arrive") {
    struct Case {
        std::string text;
        std::string body;
    };
    const std::vector<Case> cases{
        {"0\r\n\r\n", ""},
        {"5\r\nhello\r\n0\r\n\r\n", "hello"},
        {"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", "hello world"},
        {"A\r\n0123456789\r\n0\r\n\r\n", "0123456789"},
        {"a;x=y;z=\"q\"\r\n0123456789\r\n00;last\r\n\r\n", "0123456789"},
        {"0000000000000003\r\nabc\r\n0\r\n\r\n", "abc"},
        {"2\r\n\r\n\r\n0\r\n\r\n", "\r\n"},
        {"3\r\nabc\r\n0\r\nX-Trailer: 1\r\nY:\t2\r\n\r\n", "abc"},
        {"1;a=\tb\r\nx\r\n0\r\n\r\n", "x"},
        // 256 bytes of extension for each chunk
        {"1;" + std::string(256, 'e') + "\r\nx\r\n1;" + std::string(256, 'e') + "\r\ny\r\n0\r\n\r\n", "xy"},
    };
    for (const auto& c : cases) {
        INFO(c.text);
        for (std::size_t at = 0; at <= c.text.size(); ++at) {
            const auto got = decode(c.text + "GET /", {at});
            CHECK(got.status == Status::done);
            CHECK(got.body == c.body);
            CHECK(got.consumed == c.text.size());
        }
        std::vector<std::size_t> every;
        for (std::size_t n = 1; n < c.text.size(); ++n) every.push_back(n);
        CHECK(decode(c.text, every).body == c.body);
        CHECK(decode(c.text, every).status == Status::done);
    }
}

TEST_CASE("malformed chunked bodies are refused") {
    const std::vector<std::string> cases{
        "\r\n",
        "g\r\n",
        " 5\r\nhello",
        "5 \r\nhello",
        "5 ;x\r\nhello",
        "+5\r\nhello",
        "0x5\r\nhello",
        "-1\r\n",
        "5\nhello",
        "5\r\rhello",
        "5\r\nhelloX",
        "5\r\nhello\n0\r\n\r\n",
        "5\r\nhello\rX",
        "12345678901234567\r\n",
        "00000000000000005\r\nhello\r\n",
        "5;\r\nhello",
        "5; \r\nhello",
        "5;=b\r\nhello",
        "5;a;\r\nhello",
        "5;a=\"b\r\nhello",
        "5;a\x01\r\nhello",
        "5;a\nb\r\nhello",
        "5;a\x7f\r\nhello",
        "5;" + std::string(257, 'x') + "\r\nhello",
        "0\r\n X: folded\r\n\r\n",
        "0\r\nX: a\nY: b\r\n\r\n",
        "0\r\nX: \0\r\n\r\n"s,
        "0\r\nX: \x7f\r\n\r\n",
        "0\r\n\rX",
        "0\r\n: x\r\n\r\n",
        "0\r\n\n",
    };
    for (const auto& text : cases) {
        INFO(text);
        for (std::size_t at = 0; at <= text.size(); ++at) {
            const auto got = decode(text, {at});
            CHECK(got.status == Status::refused);
            CHECK(got.refusal == Refusal::bad_chunk);
        }
    }
    // The CRs of trailer lines count, too.
    const std::string trailers(8 * 1024 - 1, 'a');
    CHECK(decode("0\r\n" + trailers + "\r\n\r\n").status == Status::done);
    CHECK(decode("0\r\n" + trailers + "a\r\n\r\n").refusal == Refusal::trailers_too_large);
    // Extensions add up: 64 of 256 bytes, and not one byte more.
    std::string many;
    for (int i = 0; i < 64; ++i) many += "1;" + std::string(256, 'e') + "\r\nx\r\n";
    CHECK(decode(many + "0\r\n\r\n").status == Status::done);
    CHECK(decode(many + "1;e\r\nx\r\n0\r\n\r\n").refusal == Refusal::bad_chunk);
}

TEST_CASE("the largest chunk size does not overflow") {
    ChunkedDecoder decoder;
    const std::string text = "ffffffffffffffff\r\nabc";
    const auto step = decoder.next(text);
    CHECK(step.status == Status::data);
    CHECK(step.data == "abc");
    CHECK(decoder.next("def").data == "def");
}

TEST_CASE("data comes out without copies") {
    ChunkedDecoder decoder;
    const std::string text = "5\r\nhello\r\n";
    const auto step = decoder.next(text);
    CHECK(step.data.data() == text.data() + 3);
    CHECK(step.consumed == 8);
}

TEST_CASE("a chunk header is the size in hexadecimal") {
    CHECK(ChunkHeader(1).view() == "1\r\n");
    CHECK(ChunkHeader(500).view() == "1f4\r\n");
    CHECK(ChunkHeader(~std::uint64_t{0}).view() == "ffffffffffffffff\r\n");
}
