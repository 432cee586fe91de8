// Every token of the tables under every algorithm, and what a change of any one byte of a good token does.
#include <catch2/catch.hpp>
#include <set>

#include "test/unit/shared/jwt_token_table.hpp"

using shared::jwt::Algorithm;
using test::ForgedToken;
using test::kNow;
using test::outcome;
using test::payload;
using test::Signer;

namespace {

std::vector<ForgedToken> all_forged(Algorithm algorithm) {
    std::vector<ForgedToken> all;
    for (auto part : {test::forged_texts(), test::forged_json(), test::forged_headers(),
                      test::forged_signatures(algorithm), test::forged_claims()})
        all.insert(all.end(), part.begin(), part.end());
    return all;
}

void refuse_and_accept_all(Algorithm algorithm) {
    const Signer signer(algorithm);
    const auto verifier = test::verifier_of({signer.key("k-1")});
    const auto forged = all_forged(algorithm);
    for (const auto& c : forged) {
        const auto token = c.make(signer);
        INFO(to_string(algorithm) << ": " << c.name << "\n" << token);
        CHECK(outcome(verifier.verify(token, kNow)) == reason(c.expected));
    }
    for (const auto& c : test::good_tokens()) {
        const auto token = c.make(signer);
        INFO(to_string(algorithm) << ": " << c.name << "\n" << token);
        CHECK(outcome(verifier.verify(token, kNow)) == "accepted");
    }
    CHECK(forged.size() >= 350);
}

// Every prefix, and at every place another character of the alphabet, a dot, and no character at all.
void change_every_byte(Algorithm algorithm) {
    const Signer signer(algorithm);
    const auto verifier = test::verifier_of({signer.key("k-1")});
    const auto token = signer.token(payload());
    REQUIRE(outcome(verifier.verify(token, kNow)) == "accepted");
    const auto refused = [&](const std::string& text) {
        if (verifier.verify(text, kNow)) FAIL_CHECK("accepted: " << text);
    };
    for (std::size_t i = 0; i < token.size(); ++i) {
        refused(token.substr(0, i));
        auto changed = token;
        changed[i] = token[i] == 'A' ? 'B' : 'A';
        refused(changed);
        if (token[i] != '.') {
            changed[i] = '.';
            refused(changed);
        }
        changed.erase(i, 1);
        refused(changed);
    }
}

}  // namespace

TEST_CASE("HS256: forged tokens are refused for their reasons, good ones accepted") {
    refuse_and_accept_all(Algorithm::hs256);
}
TEST_CASE("RS256: forged tokens are refused for their reasons, good ones accepted") {
    refuse_and_accept_all(Algorithm::rs256);
}
TEST_CASE("PS256: forged tokens are refused for their reasons, good ones accepted") {
    refuse_and_accept_all(Algorithm::ps256);
}
TEST_CASE("ES256: forged tokens are refused for their reasons, good ones accepted") {
    refuse_and_accept_all(Algorithm::es256);
}
TEST_CASE("EdDSA: forged tokens are refused for their reasons, good ones accepted") {
    refuse_and_accept_all(Algorithm::eddsa);
}

TEST_CASE("a good token with any one byte changed, left out or everything behind it cut off is refused") {
    for (const auto algorithm :
         {Algorithm::hs256, Algorithm::rs256, Algorithm::ps256, Algorithm::es256, Algorithm::eddsa})
        change_every_byte(algorithm);
}

TEST_CASE("of all 256 bytes only the alphabet and the dot belong into a token") {
    const Signer signer(Algorithm::hs256);
    const auto verifier = test::verifier_of({signer.key()});
    const auto token = signer.token(payload());
    for (int byte = 0; byte < 256; ++byte) {
        const char c = static_cast<char>(byte);
        const bool in_alphabet = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                                 c == '-' || c == '_' || c == '.';
        // In front, in the middle of each part, and behind.
        for (const auto at :
             {std::size_t{0}, std::size_t{10}, std::size_t{100}, token.size() - 5, token.size()}) {
            INFO("byte " << byte << " at " << at);
            auto changed = token;
            const auto result = outcome(verifier.verify(changed.insert(at, 1, c), kNow));
            CHECK(result != "accepted");
            CHECK((result == "bad_character") == !in_alphabet);
        }
    }
}

TEST_CASE("the tables reach every reason that a verifier can give") {
    std::set<std::string_view> reasons;
    for (const auto& c : all_forged(Algorithm::es256)) reasons.insert(reason(c.expected));
    // no_keys is no fault of a token's; revoked and sessions_unknown are decided behind the verifier.
    const std::set<std::string_view> elsewhere = {"no_keys", "revoked", "sessions_unknown"};
    for (int value = 1; reason(static_cast<shared::jwt::Errc>(value)) != "unknown"; ++value) {
        const auto name = reason(static_cast<shared::jwt::Errc>(value));
        INFO(name);
        CHECK(reasons.contains(name) != elsewhere.contains(name));
    }
}
