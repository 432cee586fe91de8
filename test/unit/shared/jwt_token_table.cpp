#include "test/unit/shared/jwt_token_table.hpp"

#include <map>
#include <stdexcept>

#include "shared/base/encoding.hpp"
#include "shared/jwt/jwks.hpp"

namespace test {

using shared::base64url_decode;
using shared::base64url_encode;
using shared::jwt::Algorithm;
using shared::jwt::Errc;

namespace {

struct Parts {
    explicit Parts(const std::string& token)
        : header(token.substr(0, token.find('.'))),
          payload(token.substr(token.find('.') + 1, token.rfind('.') - token.find('.') - 1)),
          signature(token.substr(token.rfind('.') + 1)) {}
    std::string join() const { return header + "." + payload + "." + signature; }
    // Changes the bytes of the signature.
    void change(const std::function<void(std::string&)>& how) {
        auto bytes = *base64url_decode(signature);
        how(bytes);
        signature = base64url_encode(bytes);
    }
    std::string header, payload, signature;
};

std::string good(const Signer& s) {
    return s.token(payload());
}

// Signed, with these header members behind alg.
std::string with_header(const Signer& s, const std::string& more) {
    return s.token(R"({"alg":")" + std::string(to_string(s.algorithm())) + "\"" + more + "}", payload());
}

std::string with_alg(const Signer& s, const std::string& alg_json) {
    return s.token("{\"alg\":" + alg_json + "}", payload());
}

ForgedToken raw(const char* name, std::string token, Errc expected) {
    return {name, [token](const Signer&) { return token; }, expected};
}

ForgedToken parts(const char* name, std::function<void(Parts&)> change, Errc expected) {
    return {name,
            [change](const Signer& s) {
                Parts p(good(s));
                change(p);
                return p.join();
            },
            expected};
}

ForgedToken header(const char* name, std::string more, Errc expected) {
    return {name, [more](const Signer& s) { return with_header(s, more); }, expected};
}

ForgedToken header_text(const char* name, std::string text, Errc expected) {
    return {name, [text](const Signer& s) { return s.token(text, payload()); }, expected};
}

ForgedToken alg(const char* name, std::string json, Errc expected) {
    return {name, [json](const Signer& s) { return with_alg(s, json); }, expected};
}

ForgedToken claims(const char* name, std::string json, Errc expected) {
    return {name, [json](const Signer& s) { return s.token(json); }, expected};
}

// Claims as they should be, but for one.
ForgedToken claim(const char* name, const std::string& member, const std::string& value, Errc expected) {
    const std::vector<std::pair<std::string, std::string>> all = {{"iss", R"("kampus-auth")"},
                                                                  {"aud", R"("kampus-api")"},
                                                                  {"sub", R"("u-1")"},
                                                                  {"iat", "1699999990"},
                                                                  {"exp", "1700000600"}};
    std::string json = "{";
    bool replaced = false;
    for (const auto& [key, usual] : all) {
        const auto& text = key == member ? value : usual;
        replaced = replaced || key == member;
        if (text.empty()) continue;
        json += (json.size() > 1 ? ",\"" : "\"") + key + "\":" + text;
    }
    if (!replaced) json += ",\"" + member + "\":" + value;
    return claims(name, json + "}", expected);
}

ForgedToken whole(const char* name, std::function<std::string(std::string)> change, Errc expected) {
    return {name, [change](const Signer& s) { return change(good(s)); }, expected};
}

ForgedToken dots(const char* name, std::string instead, Errc expected) {
    return {name,
            [instead](const Signer& s) {
                const Parts p(good(s));
                return p.header + instead + p.payload + instead + p.signature;
            },
            expected};
}

// The same bytes in a second spelling: the lowest of the bits behind them is set.
std::string noncanonical(std::string text) {
    constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    if (text.size() % 4 == 0) throw std::logic_error("there are no bits behind the bytes");
    text.back() = alphabet[alphabet.find(text.back()) + 1];
    return text;
}

std::string repeated(std::string_view text, int times) {
    std::string all;
    for (int i = 0; i < times; ++i) all += text;
    return all;
}

// Made once: an RSA key takes its time.
const Signer& other_key(const Signer& s) {
    static const std::map<Algorithm, Signer> strangers = [] {
        std::map<Algorithm, Signer> all;
        all.emplace(Algorithm::hs256, Signer::with_secret("another-secret-that-is-long-enough-0123456789"));
        for (const auto algorithm : {Algorithm::rs256, Algorithm::ps256, Algorithm::es256, Algorithm::eddsa})
            all.emplace(algorithm, Signer(algorithm));
        return all;
    }();
    return strangers.at(s.algorithm());
}

std::string jwk_of(const Signer& s) {
    if (s.algorithm() == Algorithm::hs256)
        return R"({"kty":"oct","k":")" + base64url_encode("another-secret-that-is-long-enough-0123456789") +
               "\"}";
    const auto set = shared::jwt::to_jwks({s.key("stranger")});
    return set.substr(set.find('[') + 1, set.rfind(']') - set.find('[') - 1);
}

ForgedToken signed_over(const char* name, std::function<std::string(const Parts&)> text) {
    return {name,
            [text](const Signer& s) {
                Parts p(good(s));
                p.signature = base64url_encode(s.sign(text(p)));
                return p.join();
            },
            Errc::bad_signature};
}

std::string nested(int depth) {
    return payload(",\"x\":" + std::string(static_cast<std::size_t>(depth), '[') +
                   std::string(static_cast<std::size_t>(depth), ']'));
}

// The text with each character as two bytes, low byte first.
std::string utf16(std::string_view ascii) {
    std::string wide;
    for (const char c : ascii) wide.append(1, c).append(1, '\0');
    return wide;
}

// The usual payload has eight members.
std::string many_members(int count) {
    std::string more;
    for (int i = 0; i < count; ++i) more += ",\"m" + std::to_string(i) + "\":0";
    return payload(more);
}

// A good token of exactly that many bytes: the filler is in the payload, spaces in the header do the rest.
std::string token_of_size(const Signer& s, std::size_t size) {
    std::string header = R"({"alg":")" + std::string(to_string(s.algorithm())) + "\"}";
    for (int spaces = 0; spaces < 4; ++spaces, header += ' ') {
        auto filler = (size - s.token(header, payload(R"(,"x":"")")).size()) * 3 / 4 + 3;
        for (int tries = 0; tries < 8; ++tries, --filler) {
            const auto token = s.token(header, payload(R"(,"x":")" + std::string(filler, 'a') + "\""));
            if (token.size() == size) return token;
        }
    }
    throw std::logic_error("no token of that size");
}

GoodToken good_header(const char* name, std::string more) {
    return {name, [more](const Signer& s) { return with_header(s, more); }};
}

GoodToken good_claims(const char* name, std::string json) {
    return {name, [json](const Signer& s) { return s.token(json); }};
}

// The usual claims with these times in place of iat and exp.
GoodToken good_times(const char* name, const std::string& times) {
    return good_claims(name, R"({"iss":"kampus-auth","aud":"kampus-api","sub":"u-1",)" + times + "}");
}

}  // namespace

std::vector<ForgedToken> forged_texts() {
    return {
        raw("empty text", "", Errc::wrong_part_count),
        raw("one dot", ".", Errc::wrong_part_count),
        raw("two dots", "..", Errc::empty_part),
        raw("three dots", "...", Errc::wrong_part_count),
        raw("no dots", "abc", Errc::wrong_part_count),
        raw("five parts, an encrypted token", "eyJh.YWJj.YWJj.YWJj.YWJj", Errc::wrong_part_count),
        parts(
            "no header", [](Parts& p) { p.header = ""; }, Errc::empty_part),
        parts(
            "no payload", [](Parts& p) { p.payload = ""; }, Errc::empty_part),
        parts(
            "no signature", [](Parts& p) { p.signature = ""; }, Errc::empty_part),
        parts(
            "a fourth part", [](Parts& p) { p.signature += ".YWJj"; }, Errc::wrong_part_count),
        parts(
            "a final dot", [](Parts& p) { p.signature += "."; }, Errc::wrong_part_count),
        {"signature left out with its dot",
         [](const Signer& s) {
             const auto token = good(s);
             return token.substr(0, token.rfind('.'));
         },
         Errc::wrong_part_count},
        parts(
            "padding behind the header", [](Parts& p) { p.header += "="; }, Errc::bad_character),
        parts(
            "padding behind the payload", [](Parts& p) { p.payload += "=="; }, Errc::bad_character),
        parts(
            "padding behind the signature", [](Parts& p) { p.signature += "="; }, Errc::bad_character),
        parts(
            "plus of plain base64", [](Parts& p) { p.signature[0] = '+'; }, Errc::bad_character),
        parts(
            "slash of plain base64", [](Parts& p) { p.signature[0] = '/'; }, Errc::bad_character),
        parts(
            "leading space", [](Parts& p) { p.header.insert(0, " "); }, Errc::bad_character),
        parts(
            "trailing space", [](Parts& p) { p.signature += " "; }, Errc::bad_character),
        parts(
            "a tab inside", [](Parts& p) { p.payload.insert(4, "\t"); }, Errc::bad_character),
        parts(
            "a line end inside", [](Parts& p) { p.payload.insert(4, "\r\n"); }, Errc::bad_character),
        parts(
            "a zero byte inside", [](Parts& p) { p.payload.insert(4, 1, '\0'); }, Errc::bad_character),
        parts(
            "a byte above 127", [](Parts& p) { p.payload[4] = static_cast<char>(0xE9); },
            Errc::bad_character),
        parts(
            "byte 255 in the signature", [](Parts& p) { p.signature[4] = static_cast<char>(0xFF); },
            Errc::bad_character),
        parts(
            "percent encoding", [](Parts& p) { p.payload += "%41"; }, Errc::bad_character),
        parts(
            "a comma: two credentials in one", [](Parts& p) { p.signature += ",x"; }, Errc::bad_character),
        parts(
            "header of length 1 mod 4",
            [](Parts& p) {
                while (p.header.size() % 4 != 1) p.header += "A";
            },
            Errc::bad_base64url),
        parts(
            "payload of length 1 mod 4",
            [](Parts& p) {
                while (p.payload.size() % 4 != 1) p.payload += "A";
            },
            Errc::bad_base64url),
        parts(
            "signature of length 1 mod 4",
            [](Parts& p) {
                while (p.signature.size() % 4 != 1) p.signature += "A";
            },
            Errc::bad_base64url),
        parts(
            "non-zero tail bits, two characters", [](Parts& p) { p.signature = "AB"; }, Errc::bad_base64url),
        parts(
            "non-zero tail bits, three characters", [](Parts& p) { p.signature = "AAB"; },
            Errc::bad_base64url),
        parts(
            "non-zero tail bits in the header",
            [](Parts& p) {
                p.header = "e30B";
                p.header.resize(3);
                p.header[2] = '1';
            },
            Errc::bad_base64url),
        {"alg none with an empty signature, as RFC 7519 section 6.1 has it",
         [](const Signer&) {
             return base64url_encode(R"({"alg":"none"})") + "." + base64url_encode(payload()) + ".";
         },
         Errc::empty_part},
        {"alg none without the last dot",
         [](const Signer&) {
             return base64url_encode(R"({"alg":"none"})") + "." + base64url_encode(payload());
         },
         Errc::wrong_part_count},
        whole(
            "a leading dot", [](std::string t) { return "." + t; }, Errc::wrong_part_count),
        whole(
            "two final dots", [](std::string t) { return t + ".."; }, Errc::wrong_part_count),
        whole(
            "two tokens in one", [](std::string t) { return t + t; }, Errc::wrong_part_count),
        whole(
            "two tokens with a dot between them", [](std::string t) { return t + "." + t; },
            Errc::wrong_part_count),
        whole(
            "two tokens with a comma between them", [](std::string t) { return t + "," + t; },
            Errc::bad_character),
        whole(
            "the scheme once more", [](std::string t) { return "Bearer " + t; }, Errc::bad_character),
        whole(
            "in quotation marks", [](std::string t) { return '"' + t + '"'; }, Errc::bad_character),
        whole(
            "behind a byte order mark", [](std::string t) { return "\xEF\xBB\xBF" + t; },
            Errc::bad_character),
        whole(
            "a zero byte behind it", [](std::string t) { return t + '\0'; }, Errc::bad_character),
        whole(
            "a line end behind it", [](std::string t) { return t + "\n"; }, Errc::bad_character),
        whole(
            "a delete character behind it", [](std::string t) { return t + "\x7F"; }, Errc::bad_character),
        whole(
            "a zero-width space inside", [](std::string t) { return t.insert(9, "\u200B"); },
            Errc::bad_character),
        whole(
            "a soft hyphen inside", [](std::string t) { return t.insert(9, "\u00AD"); }, Errc::bad_character),
        whole(
            "a full-width letter", [](std::string t) { return t.replace(0, 1, "\uFF45"); },
            Errc::bad_character),
        whole(
            "a Cyrillic letter", [](std::string t) { return t.replace(0, 1, "\u0435"); },
            Errc::bad_character),
        dots("dots as %2E", "%2E", Errc::bad_character),
        dots("dots as U+2024, one dot leader", "\u2024", Errc::bad_character),
        dots("dots as U+FF0E, full-width full stop", "\uFF0E", Errc::bad_character),
        dots("dots as U+3002, ideographic full stop", "\u3002", Errc::bad_character),
        dots("dots as U+00B7, middle dot", "\u00B7", Errc::bad_character),
        dots("dots in an overlong form", "\xC0\xAE", Errc::bad_character),
        dots("dots twice each", "..", Errc::wrong_part_count),
        dots("dots as colons", ":", Errc::bad_character),
        dots("dots as tildes, of another token format", "~", Errc::bad_character),
        {"the flattened JSON serialization of the same signature",
         [](const Signer& s) {
             const Parts p(good(s));
             return R"({"payload":")" + p.payload + R"(","protected":")" + p.header + R"(","signature":")" +
                    p.signature + "\"}";
         },
         Errc::bad_character},
        parts(
            "signature with a tail bit set: the same bytes once more",
            [](Parts& p) { p.signature = noncanonical(p.signature); }, Errc::bad_base64url),
        {"payload with a tail bit set: the same bytes once more",
         [](const Signer& s) {
             Parts p(s.token(payload(" ")));
             if (p.payload.size() % 4 == 0) p = Parts(s.token(payload("  ")));
             p.payload = noncanonical(p.payload);
             return p.join();
         },
         Errc::bad_base64url},
        {"8193 bytes, the first size too many", [](const Signer& s) { return token_of_size(s, 8193); },
         Errc::too_long},
        {"longer than 8 KiB",
         [](const Signer& s) { return s.token(payload(",\"x\":\"" + std::string(7000, 'a') + "\"")); },
         Errc::too_long},
        {"one byte above the limit", [](const Signer&) { return std::string(8193, 'a'); }, Errc::too_long},
    };
}

std::vector<ForgedToken> forged_json() {
    return {
        header_text("header is no JSON", "hello", Errc::header_not_json_object),
        header_text("header is empty JSON text", " ", Errc::header_not_json_object),
        header_text("header is an array", R"(["alg"])", Errc::header_not_json_object),
        header_text("header is a string", R"("HS256")", Errc::header_not_json_object),
        header_text("header is null", "null", Errc::header_not_json_object),
        header_text("header with a member twice", R"({"alg":"none","alg":"HS256"})",
                    Errc::header_not_json_object),
        header_text("header with a member twice by an escape", R"({"alg":"HS256","\u0061lg":"none"})",
                    Errc::header_not_json_object),
        header_text("header cut short", R"({"alg":"HS256")", Errc::header_not_json_object),
        header_text("header with text behind", R"({"alg":"HS256"}x)", Errc::header_not_json_object),
        header_text("header with two objects", R"({"alg":"HS256"}{})", Errc::header_not_json_object),
        header_text("header with a final comma", R"({"alg":"HS256",})", Errc::header_not_json_object),
        header_text("header with single quotes", R"({'alg':'HS256'})", Errc::header_not_json_object),
        header_text("header with a comment", R"({"alg":"HS256"/**/})", Errc::header_not_json_object),
        header_text("header with a byte order mark", "\xEF\xBB\xBF{\"alg\":\"HS256\"}",
                    Errc::header_not_json_object),
        header_text("header with bad UTF-8", "{\"alg\":\"HS256\",\"x\":\"\xC0\xAF\"}",
                    Errc::header_not_json_object),
        header_text("header with a zero byte", std::string("{\"alg\":\"HS256\"}\0", 16),
                    Errc::header_not_json_object),
        header_text("header in UTF-16", utf16(R"({"alg":"HS256"})"), Errc::header_not_json_object),
        header_text("header nested 17 deep",
                    R"({"alg":"HS256","x":)" + std::string(16, '[') + std::string(16, ']') + "}",
                    Errc::header_not_json_object),
        header_text("header with an escaped name that makes alg twice",
                    R"({"\u0061\u006c\u0067":"none","alg":"HS256"})", Errc::header_not_json_object),
        header_text("header with a lone surrogate", R"({"alg":"HS256","x":"\ud800"})",
                    Errc::header_not_json_object),
        header_text("header with crit twice", R"({"alg":"HS256","crit":[],"crit":[]})",
                    Errc::header_not_json_object),
        header_text("header with kid twice", R"({"alg":"HS256","kid":"k-1","kid":"k-2"})",
                    Errc::header_not_json_object),
        header_text("header of 64 bytes of spaces", std::string(64, ' '), Errc::header_not_json_object),
        header_text("header as base64url of base64url", base64url_encode(R"({"alg":"HS256"})"),
                    Errc::header_not_json_object),
        claims("payload is no JSON", "hello", Errc::payload_not_json_object),
        claims("payload is an array", R"([{"sub":"u-1"}])", Errc::payload_not_json_object),
        claims("payload is a number", "1", Errc::payload_not_json_object),
        claims("payload with sub twice", payload(R"(,"sub":"admin")"), Errc::payload_not_json_object),
        claims("payload with role twice by an escape", payload(R"(,"rol\u0065":"admin")"),
               Errc::payload_not_json_object),
        claims("payload with a member twice below", payload(R"(,"x":{"a":1,"a":2})"),
               Errc::payload_not_json_object),
        claims("payload with a member twice in an array", payload(R"(,"x":[{"a":1,"a":2}])"),
               Errc::payload_not_json_object),
        claims("payload with an overlong slash", payload(",\"x\":\"\xC0\xAF\""),
               Errc::payload_not_json_object),
        claims("payload with an overlong three-byte form", payload(",\"x\":\"\xE0\x80\xAF\""),
               Errc::payload_not_json_object),
        claims("payload with a UTF-8 surrogate", payload(",\"x\":\"\xED\xA0\x80\""),
               Errc::payload_not_json_object),
        claims("payload with a code point above U+10FFFF", payload(",\"x\":\"\xF4\x90\x80\x80\""),
               Errc::payload_not_json_object),
        claims("payload with a lone continuation byte", payload(",\"x\":\"\x80\""),
               Errc::payload_not_json_object),
        claims("payload with a cut UTF-8 sequence", payload(",\"x\":\"\xE2\x82\""),
               Errc::payload_not_json_object),
        claims("payload in Latin-1", payload(",\"x\":\"caf\xE9\""), Errc::payload_not_json_object),
        claims("payload with a lone high surrogate", payload(R"(,"x":"\ud800")"),
               Errc::payload_not_json_object),
        claims("payload with a lone low surrogate", payload(R"(,"x":"\udc00")"),
               Errc::payload_not_json_object),
        claims("payload with a bad escape", payload(R"(,"x":"\q")"), Errc::payload_not_json_object),
        claims("payload with a short escape", payload(R"(,"x":"\u12")"), Errc::payload_not_json_object),
        claims("payload with a raw line end in a string", payload(",\"x\":\"a\nb\""),
               Errc::payload_not_json_object),
        claims("payload nested 17 deep", nested(16), Errc::payload_not_json_object),
        claims("payload nested 5000 deep", payload(",\"x\":" + std::string(5000, '[')),
               Errc::payload_not_json_object),
        claims("payload with NaN", payload(R"(,"x":NaN)"), Errc::payload_not_json_object),
        claims("payload with Infinity", payload(R"(,"x":-Infinity)"), Errc::payload_not_json_object),
        claims("payload with a leading zero", payload(R"(,"x":01)"), Errc::payload_not_json_object),
        claims("payload with a leading plus", payload(R"(,"x":+1)"), Errc::payload_not_json_object),
        claims("payload with a bare point", payload(R"(,"x":1.)"), Errc::payload_not_json_object),
        claims("payload with a bare exponent", payload(R"(,"x":1e)"), Errc::payload_not_json_object),
        claims("payload with a hex number", payload(R"(,"x":0x10)"), Errc::payload_not_json_object),
        claims("payload with True", payload(R"(,"x":True)"), Errc::payload_not_json_object),
        claims("payload with a missing colon", payload(R"(,"x" 1)"), Errc::payload_not_json_object),
        claims("payload with a name that is no string", payload(R"(,1:1)"), Errc::payload_not_json_object),
        claims("payload is a string", R"("sub")", Errc::payload_not_json_object),
        claims("payload is null", "null", Errc::payload_not_json_object),
        claims("payload is true", "true", Errc::payload_not_json_object),
        claims("payload is a token", good(Signer(Algorithm::hs256)), Errc::payload_not_json_object),
        claims("payload in UTF-16", utf16(payload()), Errc::payload_not_json_object),
        claims("payload behind a byte order mark", "\xEF\xBB\xBF" + payload(), Errc::payload_not_json_object),
        claims("payload compressed", "\x78\x9C\xAB\x56", Errc::payload_not_json_object),
        claims("payload with exp twice", payload(R"(,"exp":1700000600)"), Errc::payload_not_json_object),
        claims("payload with aud twice", payload(R"(,"aud":"other-api")"), Errc::payload_not_json_object),
        claims("payload with an empty name twice", payload(R"(,"":1,"":2)"), Errc::payload_not_json_object),
        claims("payload with a name twice, once by a surrogate pair",
               payload(",\"\\ud83d\\ude00\":1,\"\U0001F600\":2"), Errc::payload_not_json_object),
        claims("payload with a zero byte in a string", payload(",\"x\":\"a" + std::string(1, '\0') + "b\""),
               Errc::payload_not_json_object),
        claims("payload with a zero byte between members", payload(std::string(1, '\0') + ",\"x\":1"),
               Errc::payload_not_json_object),
        claims("payload with a zero byte behind", payload() + '\0', Errc::payload_not_json_object),
        claims("payload with a zero byte and more behind", payload() + '\0' + R"({"sub":"admin"})",
               Errc::payload_not_json_object),
        claims("payload with a tab in a string", payload(",\"x\":\"a\tb\""), Errc::payload_not_json_object),
        claims("payload with a form feed for a space", payload("\f"), Errc::payload_not_json_object),
        claims("payload with a no-break space", payload("\u00A0"), Errc::payload_not_json_object),
        claims("payload with the surrogates in the wrong order", payload(R"(,"x":"\udc00\ud800")"),
               Errc::payload_not_json_object),
        claims("payload with half a surrogate pair and a letter", payload(R"(,"x":"\ud800\u0041")"),
               Errc::payload_not_json_object),
        claims("payload with half a surrogate pair at the end", payload(R"(,"x":"\ud83d\)"),
               Errc::payload_not_json_object),
        claims("payload with an overlong zero", payload(",\"x\":\"\xC0\x80\""),
               Errc::payload_not_json_object),
        claims("payload with an overlong four-byte form", payload(",\"x\":\"\xF0\x80\x80\xAF\""),
               Errc::payload_not_json_object),
        claims("payload with a five-byte form", payload(",\"x\":\"\xF8\x88\x80\x80\x80\""),
               Errc::payload_not_json_object),
        claims("payload with byte 254", payload(",\"x\":\"\xFE\""), Errc::payload_not_json_object),
        claims("payload with an escape in capitals", payload(R"(,"x":"\U0041")"),
               Errc::payload_not_json_object),
        claims("payload with a signed escape", payload(R"(,"x":"\u+041")"), Errc::payload_not_json_object),
        claims("payload with a hex escape of C", payload(R"(,"x":"\x41")"), Errc::payload_not_json_object),
        claims("payload with a lone minus", payload(R"(,"x":-)"), Errc::payload_not_json_object),
        claims("payload with two minuses", payload(R"(,"x":--1)"), Errc::payload_not_json_object),
        claims("payload with a number that begins with a point", payload(R"(,"x":.5)"),
               Errc::payload_not_json_object),
        claims("payload with an exponent of a sign", payload(R"(,"x":1e+)"), Errc::payload_not_json_object),
        claims("payload with digit groups", payload(R"(,"x":1_000)"), Errc::payload_not_json_object),
        claims("payload with other digits", payload(",\"x\":\u0661"), Errc::payload_not_json_object),
        claims("payload with undefined", payload(R"(,"x":undefined)"), Errc::payload_not_json_object),
        claims("payload with half a word", payload(R"(,"x":tru)"), Errc::payload_not_json_object),
        claims("payload with a final comma", payload(","), Errc::payload_not_json_object),
        claims("payload with a final comma in an array", payload(R"(,"x":[1,])"),
               Errc::payload_not_json_object),
        claims("payload with a first comma in an array", payload(R"(,"x":[,1])"),
               Errc::payload_not_json_object),
        claims("payload with no comma", payload(R"(,"x":1 "y":2)"), Errc::payload_not_json_object),
        claims("payload with two colons", payload(R"(,"x"::1)"), Errc::payload_not_json_object),
        claims("payload with brackets that do not match", payload(R"(,"x":[1})"),
               Errc::payload_not_json_object),
        claims("payload with a comment", payload("/* */"), Errc::payload_not_json_object),
        claims("payload with a name without quotes", payload(R"(,x:1)"), Errc::payload_not_json_object),
        claims("payload of two objects", payload() + "{}", Errc::payload_not_json_object),
        claims("payload with an open string", R"({"sub":"u-1)", Errc::payload_not_json_object),
        claims("payload with an open escape", R"({"sub":"u-1\)", Errc::payload_not_json_object),
        claims("payload of one bracket", "{", Errc::payload_not_json_object),
        claims("payload with 65 members", many_members(57), Errc::payload_not_json_object),
        claims("payload with 600 values", payload(R"(,"x":[0)" + repeated(",0", 600) + "]"),
               Errc::payload_not_json_object),
        claims("payload with 200 members", many_members(200), Errc::payload_not_json_object),
        claims("payload with text behind", payload() + "]", Errc::payload_not_json_object),
        claims("payload cut short", payload().substr(0, 60), Errc::payload_not_json_object),
    };
}

std::vector<ForgedToken> forged_headers() {
    return {
        header_text("no alg", R"({"typ":"JWT"})", Errc::alg_missing),
        header_text("empty header", "{}", Errc::alg_missing),
        alg("alg none", R"("none")", Errc::alg_not_allowed),
        alg("alg None", R"("None")", Errc::alg_not_allowed),
        alg("alg NONE", R"("NONE")", Errc::alg_not_allowed),
        alg("alg nOnE", R"("nOnE")", Errc::alg_not_allowed),
        alg("alg empty", R"("")", Errc::alg_not_allowed),
        alg("alg in lower case", R"("hs256")", Errc::alg_not_allowed),
        alg("alg in mixed case", R"("Rs256")", Errc::alg_not_allowed),
        alg("alg with a space", R"("HS256 ")", Errc::alg_not_allowed),
        alg("alg with a zero byte", R"("HS256\u0000")", Errc::alg_not_allowed),
        alg("alg HS384", R"("HS384")", Errc::alg_not_allowed),
        alg("alg HS512", R"("HS512")", Errc::alg_not_allowed),
        alg("alg RS512", R"("RS512")", Errc::alg_not_allowed),
        alg("alg ES256K", R"("ES256K")", Errc::alg_not_allowed),
        alg("alg ES512", R"("ES512")", Errc::alg_not_allowed),
        alg("alg RSA-OAEP", R"("RSA-OAEP")", Errc::alg_not_allowed),
        alg("alg eddsa", R"("eddsa")", Errc::alg_not_allowed),
        alg("alg RS384", R"("RS384")", Errc::alg_not_allowed),
        alg("alg ES384", R"("ES384")", Errc::alg_not_allowed),
        alg("alg PS512", R"("PS512")", Errc::alg_not_allowed),
        alg("alg RS1", R"("RS1")", Errc::alg_not_allowed),
        alg("alg Ed25519", R"("Ed25519")", Errc::alg_not_allowed),
        alg("alg A256KW", R"("A256KW")", Errc::alg_not_allowed),
        alg("alg HS-256", R"("HS-256")", Errc::alg_not_allowed),
        alg("alg HmacSHA256", R"("HmacSHA256")", Errc::alg_not_allowed),
        alg("alg in full-width letters", "\"\uFF28\uFF33\uFF12\uFF15\uFF16\"", Errc::alg_not_allowed),
        alg("alg with a line end", R"("HS256\n")", Errc::alg_not_allowed),
        alg("alg none with a zero byte", R"("none\u0000HS256")", Errc::alg_not_allowed),
        alg("alg true", "true", Errc::alg_not_allowed),
        alg("alg zero", "0", Errc::alg_not_allowed),
        header_text("alg of an encrypted token", R"({"alg":"dir","enc":"A256GCM"})", Errc::alg_not_allowed),
        header_text("alg in capitals only", R"({"ALG":"HS256"})", Errc::alg_missing),
        header_text("alg with a space behind its name", R"({"alg ":"HS256"})", Errc::alg_missing),
        header_text("alg one level below", R"({"header":{"alg":"HS256"}})", Errc::alg_missing),
        header_text("enc but no alg", R"({"enc":"A256GCM"})", Errc::alg_missing),
        alg("alg null", "null", Errc::alg_not_allowed),
        alg("alg a number", "256", Errc::alg_not_allowed),
        alg("alg an array", R"(["HS256"])", Errc::alg_not_allowed),
        alg("alg an object", R"({"alg":"HS256"})", Errc::alg_not_allowed),
        header("typ of an id token", R"(,"typ":"id+jwt")", Errc::typ_not_allowed),
        header("typ of a logout token", R"(,"typ":"logout+jwt")", Errc::typ_not_allowed),
        header("typ dpop+jwt", R"(,"typ":"dpop+jwt")", Errc::typ_not_allowed),
        header("typ JWE", R"(,"typ":"JWE")", Errc::typ_not_allowed),
        header("typ of a security event", R"(,"typ":"secevent+jwt")", Errc::typ_not_allowed),
        header("typ JOSE", R"(,"typ":"JOSE")", Errc::typ_not_allowed),
        header("typ as a whole media type", R"(,"typ":"application/at+jwt")", Errc::typ_not_allowed),
        header("typ with a zero byte", R"(,"typ":"JWT\u0000")", Errc::typ_not_allowed),
        header("typ in full-width letters", ",\"typ\":\"\uFF2A\uFF37\uFF34\"", Errc::typ_not_allowed),
        header("typ true", R"(,"typ":true)", Errc::typ_not_allowed),
        header("typ empty", R"(,"typ":"")", Errc::typ_not_allowed),
        header("typ with a space", R"(,"typ":"JWT ")", Errc::typ_not_allowed),
        header("typ null", R"(,"typ":null)", Errc::typ_not_allowed),
        header("typ a number", R"(,"typ":1)", Errc::typ_not_allowed),
        header("typ an array", R"(,"typ":["JWT"])", Errc::typ_not_allowed),
        header("crit of b64", R"(,"b64":false,"crit":["b64"])", Errc::crit_present),
        header("crit of an unknown extension", R"(,"crit":["http://example.org/x"])", Errc::crit_present),
        header("crit empty", R"(,"crit":[])", Errc::crit_present),
        header("crit null", R"(,"crit":null)", Errc::crit_present),
        header("crit of exp", R"(,"crit":["exp"],"exp":1)", Errc::crit_present),
        header("crit a string", R"(,"crit":"exp")", Errc::crit_present),
        header("crit an object", R"(,"crit":{})", Errc::crit_present),
        header("crit false", R"(,"crit":false)", Errc::crit_present),
        header("crit with an escaped name", R"(,"\u0063rit":["x"])", Errc::crit_present),
        header("crit of a header that we do read", R"(,"crit":["kid"],"kid":"k-1")", Errc::crit_present),
        header("kid empty", R"(,"kid":"")", Errc::bad_kid),
        header("kid of 257 bytes", ",\"kid\":\"" + std::string(257, 'k') + "\"", Errc::bad_kid),
        header("kid with a control byte", R"(,"kid":"a\u0000b")", Errc::bad_kid),
        header("kid with a line end", R"(,"kid":"a\r\nb")", Errc::bad_kid),
        header("kid beyond ASCII", ",\"kid\":\"caf\xC3\xA9\"", Errc::bad_kid),
        header("kid a number", R"(,"kid":1)", Errc::bad_kid),
        header("kid null", R"(,"kid":null)", Errc::bad_kid),
        header("kid an object", R"(,"kid":{})", Errc::bad_kid),
        header("kid true", R"(,"kid":true)", Errc::bad_kid),
        header("kid an array", R"(,"kid":["k-1"])", Errc::bad_kid),
        header("kid with a delete character", R"(,"kid":"k-1\u007f")", Errc::bad_kid),
        header("kid with a zero byte behind", R"(,"kid":"k-1\u0000")", Errc::bad_kid),
        header("kid with a line separator", R"(,"kid":"k-1\u2028")", Errc::bad_kid),
        header("kid of 5000 bytes", ",\"kid\":\"" + std::string(5000, 'k') + "\"", Errc::bad_kid),
        header("kid of 256 bytes, unknown", ",\"kid\":\"" + std::string(256, 'k') + "\"", Errc::unknown_kid),
        header("kid with a space behind", R"(,"kid":"k-1 ")", Errc::unknown_kid),
        header("kid with a space before", R"(,"kid":" k-1")", Errc::unknown_kid),
        header("kid ours and more", R"(,"kid":"k-1k-1")", Errc::unknown_kid),
        header("kid a shell command", R"(,"kid":"| sleep 9")", Errc::unknown_kid),
        header("kid unknown", R"(,"kid":"k-2")", Errc::unknown_kid),
        header("kid in another case", R"(,"kid":"K-1")", Errc::unknown_kid),
        header("kid a path", R"(,"kid":"../../../../dev/null")", Errc::unknown_kid),
        header("kid an SQL text", R"(,"kid":"x' UNION SELECT 'secret")", Errc::unknown_kid),
        header("kid a URL", R"(,"kid":"http://127.0.0.1/k")", Errc::unknown_kid),
        header("kid a prefix of ours", R"(,"kid":"k-")", Errc::unknown_kid),
    };
}

std::vector<ForgedToken> forged_signatures(Algorithm own) {
    std::vector<ForgedToken> cases = {
        parts(
            "one payload bit changed", [](Parts& p) { p.payload[20] = p.payload[20] == 'A' ? 'B' : 'A'; },
            Errc::payload_not_json_object),
        parts(
            "another payload under the signature",
            [](Parts& p) { p.payload = base64url_encode(payload(R"(,"role2":"admin")")); },
            Errc::bad_signature),
        parts(
            "another header under the signature",
            [](Parts& p) {
                std::string h = *base64url_decode(p.header);
                h.insert(1, " ");
                p.header = base64url_encode(h);
            },
            Errc::bad_signature),
        parts(
            "signature of zeros",
            [](Parts& p) {
                p.signature = base64url_encode(std::string(base64url_decode(p.signature)->size(), '\0'));
            },
            Errc::bad_signature),
        parts(
            "signature of ones",
            [](Parts& p) {
                p.signature = base64url_encode(std::string(base64url_decode(p.signature)->size(), '\xFF'));
            },
            Errc::bad_signature),
        parts(
            "first bit of the signature",
            [](Parts& p) {
                auto s = *base64url_decode(p.signature);
                s.front() = static_cast<char>(s.front() ^ 1);
                p.signature = base64url_encode(s);
            },
            Errc::bad_signature),
        parts(
            "last bit of the signature",
            [](Parts& p) {
                auto s = *base64url_decode(p.signature);
                s.back() = static_cast<char>(s.back() ^ 1);
                p.signature = base64url_encode(s);
            },
            Errc::bad_signature),
        parts(
            "signature one byte short",
            [](Parts& p) {
                auto s = *base64url_decode(p.signature);
                s.pop_back();
                p.signature = base64url_encode(s);
            },
            Errc::bad_signature_length),
        parts(
            "signature one byte long",
            [](Parts& p) {
                auto s = *base64url_decode(p.signature);
                s.push_back('\0');
                p.signature = base64url_encode(s);
            },
            Errc::bad_signature_length),
        parts(
            "signature of one byte", [](Parts& p) { p.signature = "AA"; }, Errc::bad_signature_length),
        parts(
            "signature as hex text",
            [](Parts& p) { p.signature = base64url_encode(shared::to_hex(*base64url_decode(p.signature))); },
            Errc::bad_signature_length),
        parts(
            "half of the signature",
            [](Parts& p) { p.change([](std::string& s) { s.resize(s.size() / 2); }); },
            Errc::bad_signature_length),
        parts(
            "the signature twice", [](Parts& p) { p.change([](std::string& s) { s += s; }); },
            Errc::bad_signature_length),
        parts(
            "a zero byte before the signature",
            [](Parts& p) { p.change([](std::string& s) { s.insert(0, 1, '\0'); }); },
            Errc::bad_signature_length),
        parts(
            "signature of 4000 bytes",
            [](Parts& p) { p.change([](std::string& s) { s.assign(4000, 'x'); }); },
            Errc::bad_signature_length),
        parts(
            "the signature from behind",
            [](Parts& p) { p.change([](std::string& s) {
                               s = {s.rbegin(), s.rend()};
                           }); },
            Errc::bad_signature),
        parts(
            "the halves of the signature exchanged",
            [](Parts& p) {
                p.change([](std::string& s) { s = s.substr(s.size() / 2) + s.substr(0, s.size() / 2); });
            },
            Errc::bad_signature),
        parts(
            "header and payload exchanged", [](Parts& p) { std::swap(p.header, p.payload); },
            Errc::alg_missing),
        signed_over("signature over the payload alone", [](const Parts& p) { return p.payload; }),
        signed_over("signature over the header alone", [](const Parts& p) { return p.header; }),
        signed_over("signature over both without the dot",
                    [](const Parts& p) { return p.header + p.payload; }),
        signed_over("signature over both and a final dot",
                    [](const Parts& p) { return p.header + "." + p.payload + "."; }),
        signed_over(
            "signature over the decoded texts",
            [](const Parts& p) { return *base64url_decode(p.header) + "." + *base64url_decode(p.payload); }),
        signed_over("signature over the padded texts",
                    [](const Parts& p) { return p.header + "=." + p.payload + "="; }),
        signed_over("signature over nothing", [](const Parts&) { return std::string(); }),
        {"the signer's own key embedded as jwk",
         [](const Signer& s) {
             const auto stranger = other_key(s);
             return with_header(stranger, ",\"jwk\":" + jwk_of(stranger));
         },
         Errc::bad_signature},
        {"the signer's own key embedded as jwk, under our kid",
         [](const Signer& s) {
             const auto stranger = other_key(s);
             return with_header(stranger, ",\"kid\":\"k-1\",\"jwk\":" + jwk_of(stranger));
         },
         Errc::bad_signature},
        {"the signer's own key embedded as jwk, under its own kid",
         [](const Signer& s) {
             const auto stranger = other_key(s);
             return with_header(stranger, ",\"kid\":\"stranger\",\"jwk\":" + jwk_of(stranger));
         },
         Errc::unknown_kid},
        {"a jku of the signer's",
         [](const Signer& s) {
             return with_header(other_key(s), R"(,"jku":"http://127.0.0.1:1/jwks.json","kid":"k-1")");
         },
         Errc::bad_signature},
        {"an x5u and an x5c of the signer's",
         [](const Signer& s) {
             return with_header(other_key(s),
                                R"(,"x5u":"http://127.0.0.1:1/c.pem","x5c":["MIIB"],"x5t":"AA")");
         },
         Errc::bad_signature},
        {"another key of the same kind", [](const Signer& s) { return other_key(s).token(payload()); },
         Errc::bad_signature},
        {"the signature of another token",
         [](const Signer& s) {
             Parts a(good(s));
             a.signature = Parts(s.token(payload(R"(,"x":1)"))).signature;
             return a.join();
         },
         Errc::bad_signature},
        {"the embedded jwk is the signer's",
         [](const Signer& s) {
             Parts p(with_header(
                 s,
                 R"(,"jwk":{"kty":"oct","k":"YQ"},"jku":"http://127.0.0.1/k","x5u":"http://127.0.0.1/k")"));
             p.signature = base64url_encode(std::string(base64url_decode(p.signature)->size(), 'a'));
             return p.join();
         },
         Errc::bad_signature},
    };
    for (const auto other :
         {Algorithm::hs256, Algorithm::rs256, Algorithm::ps256, Algorithm::es256, Algorithm::eddsa})
        if (other != own)
            cases.push_back(alg("the alg of another key type", "\"" + std::string(to_string(other)) + "\"",
                                Errc::alg_key_mismatch));
    return cases;
}

std::vector<ForgedToken> forged_claims() {
    return {
        claim("exp missing", "exp", "", Errc::exp_missing),
        claim("exp past the leeway", "exp", "1699999969", Errc::expired),
        claim("exp exactly at the leeway", "exp", "1699999970", Errc::expired),
        claim("exp exactly at the leeway, as a fraction", "exp", "1699999970.0", Errc::expired),
        claim("exp a moment past the leeway's end", "exp", "1699999969.999", Errc::expired),
        claim("exp zero", "exp", "0", Errc::expired),
        claim("exp minus zero", "exp", "-0", Errc::expired),
        claim("exp negative", "exp", "-1", Errc::bad_numeric_date),
        claim("exp one", "exp", "1", Errc::expired),
        claim("exp a fraction of a second", "exp", "0.5", Errc::expired),
        claim("exp a small negative fraction", "exp", "-0.0001", Errc::bad_numeric_date),
        claim("exp minus 2^53", "exp", "-9007199254740992", Errc::bad_numeric_date),
        claim("exp below what a double holds", "exp", "1e-400", Errc::bad_numeric_date),
        claim("exp of 2^63", "exp", "9223372036854775808", Errc::bad_numeric_date),
        claim("exp of 2^64 and a little", "exp", "18446744075409552216", Errc::bad_numeric_date),
        claim("exp an empty string", "exp", R"("")", Errc::bad_numeric_date),
        claim("exp a date of ISO 8601", "exp", R"("2033-05-18T03:33:20Z")", Errc::bad_numeric_date),
        claim("exp false", "exp", "false", Errc::bad_numeric_date),
        claim("exp a string", "exp", R"("1700000600")", Errc::bad_numeric_date),
        claim("exp null", "exp", "null", Errc::bad_numeric_date),
        claim("exp true", "exp", "true", Errc::bad_numeric_date),
        claim("exp an array", "exp", "[1700000600]", Errc::bad_numeric_date),
        claim("exp an object", "exp", R"({"$date":1700000600})", Errc::bad_numeric_date),
        claim("exp infinite", "exp", "1e999", Errc::bad_numeric_date),
        claim("exp above 2^53", "exp", "9007199254740994", Errc::bad_numeric_date),
        claim("exp of 400 digits", "exp", std::string(400, '9'), Errc::bad_numeric_date),
        claim("exp in milliseconds beyond 2^53", "exp", "1e16", Errc::bad_numeric_date),
        claim("nbf in the future", "nbf", "1700000031", Errc::not_yet_valid),
        claim("nbf a moment in the future", "nbf", "1700000030.5", Errc::not_yet_valid),
        claim("nbf in milliseconds", "nbf", "1700000000000", Errc::not_yet_valid),
        claim("nbf a string", "nbf", R"("0")", Errc::bad_numeric_date),
        claim("nbf negative", "nbf", "-5", Errc::bad_numeric_date),
        claim("nbf null", "nbf", "null", Errc::bad_numeric_date),
        claim("nbf 2^53", "nbf", "9007199254740992", Errc::not_yet_valid),
        claim("nbf above 2^53", "nbf", "9007199254740994", Errc::bad_numeric_date),
        claim("nbf a negative fraction", "nbf", "-0.5", Errc::bad_numeric_date),
        claim("nbf infinite", "nbf", "1e999", Errc::bad_numeric_date),
        claim("nbf true", "nbf", "true", Errc::bad_numeric_date),
        claim("nbf an array", "nbf", "[0]", Errc::bad_numeric_date),
        claim("iat in the future", "iat", "1700000031", Errc::issued_in_future),
        claim("iat a string", "iat", R"("1699999990")", Errc::bad_numeric_date),
        claim("iat negative", "iat", "-1", Errc::bad_numeric_date),
        claim("iat infinite", "iat", "1e400", Errc::bad_numeric_date),
        claim("iat a moment in the future", "iat", "1700000030.25", Errc::issued_in_future),
        claim("iat 2^53", "iat", "9007199254740992", Errc::issued_in_future),
        claim("iat above 2^53", "iat", "9007199254740994", Errc::bad_numeric_date),
        claim("iat null", "iat", "null", Errc::bad_numeric_date),
        claim("iat an object", "iat", "{}", Errc::bad_numeric_date),
        claim("iss missing", "iss", "", Errc::issuer_mismatch),
        claim("iss of another", "iss", R"("kampus-lain")", Errc::issuer_mismatch),
        claim("iss in another case", "iss", R"("Kampus-Auth")", Errc::issuer_mismatch),
        claim("iss with a zero byte behind", "iss", R"("kampus-auth\u0000")", Errc::issuer_mismatch),
        claim("iss a prefix of ours", "iss", R"("kampus")", Errc::issuer_mismatch),
        claim("iss empty", "iss", R"("")", Errc::issuer_mismatch),
        claim("iss an array", "iss", R"(["kampus-auth"])", Errc::bad_claim_type),
        claim("iss null", "iss", "null", Errc::bad_claim_type),
        claim("iss with a space behind", "iss", R"("kampus-auth ")", Errc::issuer_mismatch),
        claim("iss with a slash behind", "iss", R"("kampus-auth/")", Errc::issuer_mismatch),
        claim("iss with another hyphen", "iss", R"("kampus\u2010auth")", Errc::issuer_mismatch),
        claim("iss with a Cyrillic letter", "iss", R"("k\u0430mpus-auth")", Errc::issuer_mismatch),
        claim("iss a number", "iss", "1", Errc::bad_claim_type),
        claim("iss an object", "iss", "{}", Errc::bad_claim_type),
        claim("iss true", "iss", "true", Errc::bad_claim_type),
        claim("aud missing", "aud", "", Errc::audience_mismatch),
        claim("aud of another", "aud", R"("other-api")", Errc::audience_mismatch),
        claim("aud an empty array", "aud", "[]", Errc::audience_mismatch),
        claim("aud an array without ours", "aud", R"(["a","b"])", Errc::audience_mismatch),
        claim("aud a list in one string", "aud", R"("kampus-api other")", Errc::audience_mismatch),
        claim("aud in another case", "aud", R"("KAMPUS-API")", Errc::audience_mismatch),
        claim("aud empty", "aud", R"("")", Errc::audience_mismatch),
        claim("aud an array of an empty string", "aud", R"([""])", Errc::audience_mismatch),
        claim("aud with a zero byte behind", "aud", R"(["kampus-api\u0000"])", Errc::audience_mismatch),
        claim("aud a prefix of ours", "aud", R"("kampus")", Errc::audience_mismatch),
        claim("aud ours and more", "aud", R"("kampus-api-test")", Errc::audience_mismatch),
        claim("aud a list with commas", "aud", R"("kampus-api,other")", Errc::audience_mismatch),
        claim("aud true", "aud", "true", Errc::bad_claim_type),
        claim("aud an array with null", "aud", R"(["kampus-api",null])", Errc::bad_claim_type),
        claim("aud an array with an object", "aud", R"(["kampus-api",{}])", Errc::bad_claim_type),
        claim("aud a number", "aud", "1", Errc::bad_claim_type),
        claim("aud an array with a number", "aud", R"(["kampus-api",1])", Errc::bad_claim_type),
        claim("aud an array in an array", "aud", R"([["kampus-api"]])", Errc::bad_claim_type),
        claim("aud an object", "aud", R"({"kampus-api":true})", Errc::bad_claim_type),
        claim("aud null", "aud", "null", Errc::bad_claim_type),
        claim("sub missing", "sub", "", Errc::sub_missing),
        claim("sub empty", "sub", R"("")", Errc::sub_missing),
        claim("sub a number", "sub", "42", Errc::bad_claim_type),
        claim("sub null", "sub", "null", Errc::bad_claim_type),
        claim("sub zero", "sub", "0", Errc::bad_claim_type),
        claim("sub false", "sub", "false", Errc::bad_claim_type),
        claim("sub an array", "sub", R"(["u-1"])", Errc::bad_claim_type),
        claim("sub an object", "sub", R"({"id":"u-1"})", Errc::bad_claim_type),
        claim("role null", "role", "null", Errc::bad_claim_type),
        claim("role a number", "role", "1", Errc::bad_claim_type),
        claim("nim null", "nim", "null", Errc::bad_claim_type),
        claim("nim an array", "nim", R"(["22001"])", Errc::bad_claim_type),
        claim("sid null", "sid", "null", Errc::bad_claim_type),
        claim("sid an array", "sid", "[]", Errc::bad_claim_type),
        claim("jti null", "jti", "null", Errc::bad_claim_type),
        claim("scope a number", "scope", "1", Errc::bad_claim_type),
        claim("scope an object", "scope", "{}", Errc::bad_claim_type),
        claim("scp a number", "scp", "1", Errc::bad_claim_type),
        claim("scp an object", "scp", "{}", Errc::bad_claim_type),
        claims("expired and of another issuer: the time is told first",
               R"({"iss":"x","aud":"kampus-api","sub":"u-1","exp":1})", Errc::expired),
        claim("role an array", "role", R"(["admin"])", Errc::bad_claim_type),
        claim("role true", "role", "true", Errc::bad_claim_type),
        claim("nim a number", "nim", "22001", Errc::bad_claim_type),
        claim("sid a number", "sid", "1", Errc::bad_claim_type),
        claim("sid an object", "sid", "{}", Errc::bad_claim_type),
        claim("jti a number", "jti", "1", Errc::bad_claim_type),
        claim("scope an array", "scope", R"(["read"])", Errc::bad_claim_type),
        claim("scp with a number", "scp", R"(["read",1])", Errc::bad_claim_type),
        claims("no claims at all", "{}", Errc::exp_missing),
    };
}

std::vector<GoodToken> good_tokens() {
    return {
        {"the usual token", good},
        good_header("no typ", ""),
        good_header("typ JWT", R"(,"typ":"JWT")"),
        good_header("typ jwt", R"(,"typ":"jwt")"),
        good_header("typ at+jwt", R"(,"typ":"at+jwt")"),
        good_header("typ AT+JWT", R"(,"typ":"AT+JWT")"),
        good_header("kid ours", R"(,"kid":"k-1")"),
        good_header("kid ours by an escape", R"(,"kid":"k\u002d1")"),
        good_header("cty", R"(,"cty":"JWT")"),
        good_header("a jwk that is not ours", R"(,"jwk":{"kty":"oct","k":"YQ"})"),
        good_header("jku, x5u, x5c and x5t",
                    R"(,"jku":"http://127.0.0.1:1/","x5u":"http://127.0.0.1:1/","x5c":["AAAA"],"x5t":"AA")"),
        good_header("b64 and zip, which mean nothing without crit", R"(,"b64":false,"zip":"DEF")"),
        good_header("crit in another case, one level below, or half of it",
                    R"(,"Crit":1,"x":{"crit":["b64"]},"criz":2)"),
        {"spaces in the header",
         [](const Signer& s) {
             return s.token("\t{ \"alg\" :\r\n \"" + std::string(to_string(s.algorithm())) + "\" } ",
                            payload());
         }},
        {"alg by an escape",
         [](const Signer& s) {
             return s.token(R"({"\u0061lg":")" + std::string(to_string(s.algorithm())) + "\"}", payload());
         }},
        {"8192 bytes, the last size allowed", [](const Signer& s) { return token_of_size(s, 8192); }},
        {"8191 bytes", [](const Signer& s) { return token_of_size(s, 8191); }},
        good_claims(
            "spaces in the payload",
            " {\n\"iss\" : \"kampus-auth\" , \"aud\":\"kampus-api\",\t\"sub\":\"u\",\"exp\":1700000600\r}\n"),
        good_claims("nested 16 deep", nested(15)),
        good_claims("64 members", many_members(56)),
        good_claims("480 values", payload(R"(,"x":[0)" + repeated(",0", 480) + "]")),
        good_claims("claims that nobody knows",
                    payload(R"(,"a":null,"b":[{"c":1},[]],"d":-1.5E+3,"e":{},"f":"\u0000")")),
        good_claims("a number beyond a double, in a claim that nobody knows", payload(R"(,"x":1e999)")),
        good_claims("every length of UTF-8", payload(",\"x\":\"a\u00E9\u20AC\U0001F600\"")),
        good_claims("a surrogate pair", payload(R"(,"x":"\ud83d\ude00")")),
        good_claims("names that differ in case only", payload(R"(,"SUB":"x","Exp":"x","x":1,"X":2)")),
        good_claims("the same name at two levels", payload(R"(,"x":{"sub":"admin","x":[{"x":1},{"x":2}]})")),
        good_claims("aud an array of ours",
                    R"({"iss":"kampus-auth","aud":["kampus-api"],"sub":"u","exp":1700000600})"),
        good_claims("aud an array with ours last",
                    R"({"iss":"kampus-auth","aud":["","a","kampus-api"],"sub":"u","exp":1700000600})"),
        good_claims("aud an array with ours twice",
                    R"({"iss":"kampus-auth","aud":["kampus-api","kampus-api"],"sub":"u","exp":1700000600})"),
        good_claims("iss by an escape",
                    R"({"iss":"kampus\u002Dauth","aud":"kampus-api","sub":"u","exp":1700000600})"),
        good_claims("scope and scp", payload(R"(,"scope":"a  b ","scp":["c"])")),
        good_claims("scp a string", payload(R"(,"scp":"a b")")),
        good_times("exp a moment inside the leeway", R"("exp":1699999970.25)"),
        good_times("exp a second inside the leeway", R"("exp":1699999971)"),
        good_times("exp a fraction", R"("exp":1700000600.999)"),
        good_times("exp with an exponent", R"("exp":17000006E2)"),
        good_times("exp 2^53", R"("exp":9007199254740992)"),
        good_times("exp 2^53 with an exponent", R"("exp":9.007199254740992e15)"),
        good_times("nbf at the leeway's end", R"("exp":1700000600,"nbf":1700000030)"),
        good_times("iat at the leeway's end", R"("exp":1700000600,"iat":1700000030)"),
        good_times("nbf and iat zero", R"("exp":1700000600,"nbf":0,"iat":-0)"),
        good_times("nbf and iat fractions", R"("exp":1700000600,"nbf":1699999990.5,"iat":1.69999999025e9)"),
    };
}

}  // namespace test
