#include "shared/jwt/cached_verifier.hpp"

#include <catch2/catch.hpp>
#include <memory>

#include "test/unit/shared/jwt_support.hpp"

using namespace std::chrono_literals;
using shared::jwt::CachedVerifier;
using shared::jwt::Errc;

namespace {

std::shared_ptr<const shared::jwt::Verifier> verifier(const test::Signer& signer,
                                                      std::chrono::seconds leeway = 0s) {
    auto rules = test::rules();
    rules.leeway = leeway;
    auto keys = std::make_shared<const shared::jwt::KeySet>(std::vector{signer.key()});
    return std::make_shared<const shared::jwt::Verifier>(rules, std::move(keys));
}

}  // namespace

TEST_CASE("a verified token is not verified again until it expires or a minute is over") {
    const test::Signer signer(shared::jwt::Algorithm::hs256);
    CachedVerifier cached;
    CHECK_FALSE(cached.ready());
    cached.use(verifier(signer));
    CHECK(cached.ready());
    const auto token = signer.token(test::payload());
    const auto now = test::kNow;
    CHECK(cached.verify(token, now)->sub == "u-1");
    CHECK(cached.hits() == 0);
    CHECK(cached.verify(token, now)->sid == "s-1");
    CHECK(cached.verify(token, now + 59s)->sid == "s-1");
    CHECK(cached.hits() == 2);
    CHECK(cached.verify(token, now + 60s).has_value());
    CHECK(cached.hits() == 2);
    CHECK(cached.verify(token, now + 61s).has_value());
    CHECK(cached.hits() == 3);

    // It expires at kNow + 600 s, 59 s after it was last verified.
    CHECK(cached.verify(token, now + 541s).has_value());
    CHECK(cached.verify(token, now + 599s).has_value());
    CHECK(cached.hits() == 4);
    CHECK(cached.verify(token, now + 600s).error() == Errc::expired);
    CHECK(cached.verify(token, now + 600s).error() == Errc::expired);
    CHECK(cached.hits() == 4);
    CHECK(cached.size() == 0);
}

TEST_CASE("a token within the leeway is accepted and not kept") {
    const test::Signer signer(shared::jwt::Algorithm::hs256);
    CachedVerifier cached;
    cached.use(verifier(signer, 30s));
    const auto token = signer.token(test::payload());
    CHECK(cached.verify(token, test::kNow + 600s).has_value());
    CHECK(cached.size() == 0);
    CHECK(cached.verify(token, test::kNow + 631s).error() == Errc::expired);
}

TEST_CASE("another key forgets what the one before accepted") {
    const test::Signer signer(shared::jwt::Algorithm::es256);
    const test::Signer other(shared::jwt::Algorithm::es256);
    CachedVerifier cached;
    cached.use(verifier(signer));
    const auto token = signer.token(test::payload());
    CHECK(cached.verify(token, test::kNow).has_value());
    cached.use(verifier(other));
    CHECK(cached.verify(token, test::kNow).error() == Errc::bad_signature);
    CHECK(cached.size() == 0);
    cached.use(verifier(signer));
    CHECK(cached.verify(token, test::kNow).has_value());
    CHECK(cached.hits() == 0);
}

TEST_CASE("forgeries are not kept") {
    const test::Signer signer(shared::jwt::Algorithm::hs256);
    const auto forger = test::Signer::with_secret("another-test-only-key-of-more-than-32-bytes");
    CachedVerifier cached;
    cached.use(verifier(signer));
    const auto token = forger.token(test::payload());
    for (int i = 0; i < 2; ++i) CHECK(cached.verify(token, test::kNow).error() == Errc::bad_signature);
    CHECK(cached.size() == 0);
}

TEST_CASE("a cache of no entries verifies each time") {
    const test::Signer signer(shared::jwt::Algorithm::hs256);
    CachedVerifier cached(0);
    cached.use(verifier(signer));
    const auto token = signer.token(test::payload());
    for (int i = 0; i < 2; ++i) CHECK(cached.verify(token, test::kNow).has_value());
    CHECK(cached.hits() == 0);
}
