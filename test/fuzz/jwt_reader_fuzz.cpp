// Any bytes as a token: what the reader takes apart has exactly one spelling, and no verifier accepts it
// without the key's signature.
#include <memory>
#include <string>
#include <vector>

#include "shared/base/encoding.hpp"
#include "shared/jwt/reader.hpp"
#include "shared/jwt/verifier.hpp"
#include "test/fuzz/require.hpp"
#include "test/unit/shared/jwt_support.hpp"

using shared::jwt::Algorithm;

namespace {

// Keys that were made now: no input can hold a good signature of theirs.
const shared::jwt::Verifier& verifier() {
    static const auto instance = [] {
        std::vector<shared::jwt::Key> keys;
        for (const auto algorithm : {Algorithm::rs256, Algorithm::ps256, Algorithm::es256, Algorithm::eddsa})
            keys.push_back(test::Signer(algorithm).key("k-1"));
        keys.push_back(
            shared::jwt::Key::from_secret(test::Signer(Algorithm::eddsa).private_pem(), "k-1").value());
        return std::make_unique<shared::jwt::Verifier>(
            test::rules(), std::make_shared<const shared::jwt::KeySet>(std::move(keys)));
    }();
    return *instance;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    // A copy of the exact size: a look behind the token is found.
    const std::vector<char> exact(data, data + size);
    const std::string_view token(exact.data(), size);
    const auto result = verifier().verify(token, test::kNow);
    REQUIRE_THAT_ALWAYS(!result.has_value());
    REQUIRE_THAT_ALWAYS(result.error().category() == shared::jwt::category());

    shared::jwt::ReadBuffer buffer;
    const auto read = shared::jwt::read_token(token, 8 * 1024, buffer);
    if (!read) return 0;
    REQUIRE_THAT_ALWAYS(token.size() <= 8 * 1024);
    const auto dot = token.rfind('.');
    REQUIRE_THAT_ALWAYS(read->signing_input == token.substr(0, dot));
    REQUIRE_THAT_ALWAYS(shared::base64url_encode(read->signature) == token.substr(dot + 1));
    const auto first = token.find('.');
    for (const auto part : {token.substr(0, first), token.substr(first + 1, dot - first - 1)}) {
        const auto plain = shared::base64url_decode(part);
        REQUIRE_THAT_ALWAYS(plain && shared::base64url_encode(*plain) == part);
    }
    if (read->kid) REQUIRE_THAT_ALWAYS(!read->kid->empty() && read->kid->size() <= 256);
    return 0;
}
