// Forged and malformed tokens, one line each, for every algorithm: all are refused, each for its own reason.
#include <catch2/catch.hpp>
#include <functional>
#include <vector>

#include "shared/base/encoding.hpp"
#include "test/unit/shared/jwt_support.hpp"

using shared::base64url_encode;
using shared::jwt::Algorithm;
using shared::jwt::Errc;
using shared::jwt::Key;
using test::kNow;
using test::payload;
using test::Signer;

namespace {

struct Case {
    const char* name;
    std::function<std::string(const Signer&)> make;
    Errc expected;
};

struct Parts {
    explicit Parts(const std::string& token)
        : header(token.substr(0, token.find('.'))),
          payload(token.substr(token.find('.') + 1, token.rfind('.') - token.find('.') - 1)),
          signature(token.substr(token.rfind('.') + 1)) {}
    std::string join() const { return header + "." + payload + "." + signature; }
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

Case raw(const char* name, std::string token, Errc expected) {
    return {name, [token](const Signer&) { return token; }, expected};
}

Case parts(const char* name, std::function<void(Parts&)> change, Errc expected) {
    return {name,
            [change](const Signer& s) {
                Parts p(good(s));
                change(p);
                return p.join();
            },
            expected};
}

Case header(const char* name, std::string more, Errc expected) {
    return {name, [more](const Signer& s) { return with_header(s, more); }, expected};
}

Case header_text(const char* name, std::string text, Errc expected) {
    return {name, [text](const Signer& s) { return s.token(text, payload()); }, expected};
}

Case alg(const char* name, std::string json, Errc expected) {
    return {name, [json](const Signer& s) { return with_alg(s, json); }, expected};
}

Case claims(const char* name, std::string json, Errc expected) {
    return {name, [json](const Signer& s) { return s.token(json); }, expected};
}

// Claims as they should be, but for one.
Case claim(const char* name, const std::string& member, const std::string& value, Errc expected) {
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

std::string nested(int depth) {
    return payload(",\"x\":" + std::string(static_cast<std::size_t>(depth), '[') +
                   std::string(static_cast<std::size_t>(depth), ']'));
}

std::string many_members(int count) {
    std::string more;
    for (int i = 0; i < count; ++i) more += ",\"m" + std::to_string(i) + "\":0";
    return payload(more);
}

std::vector<Case> reader_cases() {
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
        parts(
            "signature left out with its dot",
            [](Parts& p) {
                p.payload = p.header;
                p.header = p.signature;
                p.header = "x";
                p.payload = "y";
                p.signature = "z.";
            },
            Errc::wrong_part_count),
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
        {"longer than 8 KiB",
         [](const Signer& s) { return s.token(payload(",\"x\":\"" + std::string(7000, 'a') + "\"")); },
         Errc::too_long},
        {"one byte above the limit", [](const Signer&) { return std::string(8193, 'a'); }, Errc::too_long},
    };
}

std::vector<Case> json_cases() {
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
        claims("payload with 200 members", many_members(200), Errc::payload_not_json_object),
        claims("payload with text behind", payload() + "]", Errc::payload_not_json_object),
        claims("payload cut short", payload().substr(0, 60), Errc::payload_not_json_object),
    };
}

std::vector<Case> header_cases() {
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
        alg("alg null", "null", Errc::alg_not_allowed),
        alg("alg a number", "256", Errc::alg_not_allowed),
        alg("alg an array", R"(["HS256"])", Errc::alg_not_allowed),
        alg("alg an object", R"({"alg":"HS256"})", Errc::alg_not_allowed),
        header("typ of an id token", R"(,"typ":"id+jwt")", Errc::typ_not_allowed),
        header("typ of a logout token", R"(,"typ":"logout+jwt")", Errc::typ_not_allowed),
        header("typ dpop+jwt", R"(,"typ":"dpop+jwt")", Errc::typ_not_allowed),
        header("typ JWE", R"(,"typ":"JWE")", Errc::typ_not_allowed),
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
        header("kid empty", R"(,"kid":"")", Errc::bad_kid),
        header("kid of 257 bytes", ",\"kid\":\"" + std::string(257, 'k') + "\"", Errc::bad_kid),
        header("kid with a control byte", R"(,"kid":"a\u0000b")", Errc::bad_kid),
        header("kid with a line end", R"(,"kid":"a\r\nb")", Errc::bad_kid),
        header("kid beyond ASCII", ",\"kid\":\"caf\xC3\xA9\"", Errc::bad_kid),
        header("kid a number", R"(,"kid":1)", Errc::bad_kid),
        header("kid null", R"(,"kid":null)", Errc::bad_kid),
        header("kid an object", R"(,"kid":{})", Errc::bad_kid),
        header("kid unknown", R"(,"kid":"k-2")", Errc::unknown_kid),
        header("kid in another case", R"(,"kid":"K-1")", Errc::unknown_kid),
        header("kid a path", R"(,"kid":"../../../../dev/null")", Errc::unknown_kid),
        header("kid an SQL text", R"(,"kid":"x' UNION SELECT 'secret")", Errc::unknown_kid),
        header("kid a URL", R"(,"kid":"http://127.0.0.1/k")", Errc::unknown_kid),
        header("kid a prefix of ours", R"(,"kid":"k-")", Errc::unknown_kid),
    };
}

std::vector<Case> signature_cases(Algorithm own) {
    std::vector<Case> cases = {
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
                std::string h = *shared::base64url_decode(p.header);
                h.insert(1, " ");
                p.header = base64url_encode(h);
            },
            Errc::bad_signature),
        parts(
            "signature of zeros",
            [](Parts& p) {
                p.signature =
                    base64url_encode(std::string(shared::base64url_decode(p.signature)->size(), '\0'));
            },
            Errc::bad_signature),
        parts(
            "signature of ones",
            [](Parts& p) {
                p.signature =
                    base64url_encode(std::string(shared::base64url_decode(p.signature)->size(), '\xFF'));
            },
            Errc::bad_signature),
        parts(
            "first bit of the signature",
            [](Parts& p) {
                auto s = *shared::base64url_decode(p.signature);
                s.front() = static_cast<char>(s.front() ^ 1);
                p.signature = base64url_encode(s);
            },
            Errc::bad_signature),
        parts(
            "last bit of the signature",
            [](Parts& p) {
                auto s = *shared::base64url_decode(p.signature);
                s.back() = static_cast<char>(s.back() ^ 1);
                p.signature = base64url_encode(s);
            },
            Errc::bad_signature),
        parts(
            "signature one byte short",
            [](Parts& p) {
                auto s = *shared::base64url_decode(p.signature);
                s.pop_back();
                p.signature = base64url_encode(s);
            },
            Errc::bad_signature_length),
        parts(
            "signature one byte long",
            [](Parts& p) {
                auto s = *shared::base64url_decode(p.signature);
                s.push_back('\0');
                p.signature = base64url_encode(s);
            },
            Errc::bad_signature_length),
        parts(
            "signature of one byte", [](Parts& p) { p.signature = "AA"; }, Errc::bad_signature_length),
        parts(
            "signature as hex text",
            [](Parts& p) {
                p.signature = base64url_encode(shared::to_hex(*shared::base64url_decode(p.signature)));
            },
            Errc::bad_signature_length),
        {"another key of the same kind",
         [](const Signer& s) {
             return s.algorithm() == Algorithm::hs256
                        ? Signer::with_secret("another-secret-that-is-long-enough-0123456789")
                              .token(payload())
                        : Signer(s.algorithm()).token(payload());
         },
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
             p.signature = base64url_encode(std::string(shared::base64url_decode(p.signature)->size(), 'a'));
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

std::vector<Case> claim_cases() {
    return {
        claim("exp missing", "exp", "", Errc::exp_missing),
        claim("exp past the leeway", "exp", "1699999969", Errc::expired),
        claim("exp exactly at the leeway", "exp", "1699999970", Errc::expired),
        claim("exp exactly at the leeway, as a fraction", "exp", "1699999970.0", Errc::expired),
        claim("exp a moment before the leeway's end", "exp", "1699999969.999", Errc::expired),
        claim("exp zero", "exp", "0", Errc::expired),
        claim("exp minus zero", "exp", "-0", Errc::expired),
        claim("exp negative", "exp", "-1", Errc::bad_numeric_date),
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
        claim("iat in the future", "iat", "1700000031", Errc::issued_in_future),
        claim("iat a string", "iat", R"("1699999990")", Errc::bad_numeric_date),
        claim("iat negative", "iat", "-1", Errc::bad_numeric_date),
        claim("iat infinite", "iat", "1e400", Errc::bad_numeric_date),
        claim("iss missing", "iss", "", Errc::issuer_mismatch),
        claim("iss of another", "iss", R"("kampus-lain")", Errc::issuer_mismatch),
        claim("iss in another case", "iss", R"("Kampus-Auth")", Errc::issuer_mismatch),
        claim("iss with a zero byte behind", "iss", R"("kampus-auth\u0000")", Errc::issuer_mismatch),
        claim("iss a prefix of ours", "iss", R"("kampus")", Errc::issuer_mismatch),
        claim("iss empty", "iss", R"("")", Errc::issuer_mismatch),
        claim("iss an array", "iss", R"(["kampus-auth"])", Errc::bad_claim_type),
        claim("iss null", "iss", "null", Errc::bad_claim_type),
        claim("aud missing", "aud", "", Errc::audience_mismatch),
        claim("aud of another", "aud", R"("other-api")", Errc::audience_mismatch),
        claim("aud an empty array", "aud", "[]", Errc::audience_mismatch),
        claim("aud an array without ours", "aud", R"(["a","b"])", Errc::audience_mismatch),
        claim("aud a list in one string", "aud", R"("kampus-api other")", Errc::audience_mismatch),
        claim("aud in another case", "aud", R"("KAMPUS-API")", Errc::audience_mismatch),
        claim("aud a number", "aud", "1", Errc::bad_claim_type),
        claim("aud an array with a number", "aud", R"(["kampus-api",1])", Errc::bad_claim_type),
        claim("aud an array in an array", "aud", R"([["kampus-api"]])", Errc::bad_claim_type),
        claim("aud an object", "aud", R"({"kampus-api":true})", Errc::bad_claim_type),
        claim("aud null", "aud", "null", Errc::bad_claim_type),
        claim("sub missing", "sub", "", Errc::sub_missing),
        claim("sub empty", "sub", R"("")", Errc::sub_missing),
        claim("sub a number", "sub", "42", Errc::bad_claim_type),
        claim("sub null", "sub", "null", Errc::bad_claim_type),
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

std::string outcome(const shared::Result<shared::jwt::Claims>& result) {
    return result ? "accepted" : result.error().message();
}

void refuse_all(Algorithm algorithm) {
    const Signer signer(algorithm);
    const auto verifier = test::verifier_of({signer.key("k-1")});
    REQUIRE(outcome(verifier.verify(good(signer), kNow)) == "accepted");
    int count = 0;
    for (const auto& cases :
         {reader_cases(), json_cases(), header_cases(), signature_cases(algorithm), claim_cases()}) {
        for (const auto& c : cases) {
            const auto token = c.make(signer);
            INFO(to_string(algorithm) << ": " << c.name << "\n" << token);
            CHECK(outcome(verifier.verify(token, kNow)) == reason(c.expected));
            ++count;
        }
    }
    CHECK(count >= 200);
}

}  // namespace

TEST_CASE("every forged or malformed HS256 token is refused for its reason") {
    refuse_all(Algorithm::hs256);
}
TEST_CASE("every forged or malformed RS256 token is refused for its reason") {
    refuse_all(Algorithm::rs256);
}
TEST_CASE("every forged or malformed PS256 token is refused for its reason") {
    refuse_all(Algorithm::ps256);
}
TEST_CASE("every forged or malformed ES256 token is refused for its reason") {
    refuse_all(Algorithm::es256);
}
TEST_CASE("every forged or malformed EdDSA token is refused for its reason") {
    refuse_all(Algorithm::eddsa);
}

TEST_CASE("a public key's text is no HMAC secret: the RS256 to HS256 confusion fails") {
    const Signer rsa(Algorithm::rs256);
    const auto verifier = test::verifier_of({rsa.key("k-1")});
    for (const auto& secret : {rsa.public_pem(), rsa.public_pem().substr(0, rsa.public_pem().size() - 1)}) {
        const auto confused = Signer::with_secret(secret);
        CHECK(outcome(verifier.verify(confused.token(payload()), kNow)) == "alg_key_mismatch");
        CHECK(outcome(verifier.verify(confused.token(R"({"alg":"HS256","kid":"k-1"})", payload()), kNow)) ==
              "alg_key_mismatch");
    }
}

TEST_CASE("an RS256 signature is not taken for PS256, nor the other way round") {
    const Signer rs(Algorithm::rs256);
    const auto ps_key = Key::from_public_pem(Algorithm::ps256, rs.public_pem()).value();
    const auto verifier = test::verifier_of({ps_key});
    CHECK(outcome(verifier.verify(rs.token(payload()), kNow)) == "alg_key_mismatch");
    CHECK(outcome(verifier.verify(rs.token(R"({"alg":"PS256"})", payload()), kNow)) == "bad_signature");
}

TEST_CASE("an ES256 signature is raw and of its curve's range") {
    const Signer es(Algorithm::es256);
    const auto verifier = test::verifier_of({es.key()});
    const auto input = base64url_encode(R"({"alg":"ES256"})") + "." + base64url_encode(payload());
    const auto raw = es.sign(input);
    const auto with = [&](const std::string& signature) {
        return outcome(verifier.verify(input + "." + base64url_encode(signature), kNow));
    };
    REQUIRE(with(raw) == "accepted");
    CHECK(with(Signer::to_der(raw)) == "bad_signature_length");
    CHECK(with(std::string(32, '\0') + raw.substr(32)) == "bad_signature");  // r = 0 (CVE-2022-21449)
    CHECK(with(raw.substr(0, 32) + std::string(32, '\0')) == "bad_signature");
    CHECK(with(std::string(32, '\xFF') + raw.substr(32)) == "bad_signature");  // r >= n
    CHECK(with(raw.substr(32) + raw.substr(0, 32)) == "bad_signature");
    CHECK(with(raw.substr(0, 63)) == "bad_signature_length");
}

TEST_CASE("a verifier without keys says so instead of calling the token bad") {
    const Signer signer(Algorithm::hs256);
    const auto verifier = test::verifier_of({});
    CHECK(outcome(verifier.verify(good(signer), kNow)) == "no_keys");
}
