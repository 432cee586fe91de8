// Tables of tokens that every verifier must refuse or accept, made for the signer that they are given. A line
// a token, in the one order of the checks: therefore one long file.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "test/unit/shared/jwt_support.hpp"

namespace test {

struct ForgedToken {
    const char* name;
    std::function<std::string(const Signer&)> make;
    shared::jwt::Errc expected;
};

struct GoodToken {
    const char* name;
    std::function<std::string(const Signer&)> make;
};

// The key under test is `signer.key("k-1")`, the clock kNow, the rules rules(). Grouped as the checks follow
// one another: text, JSON, header, key and signature, claims.
std::vector<ForgedToken> forged_texts();
std::vector<ForgedToken> forged_json();
std::vector<ForgedToken> forged_headers();
std::vector<ForgedToken> forged_signatures(shared::jwt::Algorithm own);
std::vector<ForgedToken> forged_claims();
// Odd but within every rule.
std::vector<GoodToken> good_tokens();

}  // namespace test
