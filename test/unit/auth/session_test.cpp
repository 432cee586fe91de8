#include <catch2/catch.hpp>

#include "services/auth/crypto/refresh_token.hpp"
#include "services/auth/domain/session.hpp"

using namespace std::chrono_literals;
using auth::crypto::RefreshTokens;
using auth::domain::access_expiry;
using auth::domain::classify_refresh;
using auth::domain::RefreshCase;
using auth::domain::revoked_until;
using auth::domain::Session;
using auth::domain::session_live;
using auth::domain::SessionRules;
using auth::domain::WallTime;

namespace {

const WallTime kNow{std::chrono::seconds(1'800'000'000)};
const SessionRules kRules;

Session session_at(std::int64_t gen, WallTime last_used) {
    Session session;
    session.sid = "s";
    session.gen = gen;
    session.created_at = last_used;
    session.last_used_at = last_used;
    session.expires_at = last_used + std::chrono::days(90);
    return session;
}

}  // namespace

TEST_CASE("the token of the current generation rotates") {
    CHECK(classify_refresh(session_at(3, kNow - 1h), 3, kNow, kRules) == RefreshCase::rotate);
}

TEST_CASE("a replaced token gets its successor again until that one has been used, however late") {
    auto session = session_at(4, kNow - 29 * 24h);
    session.grace_used = 10;
    CHECK(classify_refresh(session, 3, kNow, kRules) == RefreshCase::again);
}

TEST_CASE("after its successor has been used a token is answered for thirty seconds ten times") {
    auto session = session_at(4, kNow - 29s);
    CHECK(classify_refresh(session, 2, kNow, kRules) == RefreshCase::grace);
    session.grace_used = 9;
    CHECK(classify_refresh(session, 2, kNow, kRules) == RefreshCase::grace);
    session.grace_used = 10;
    CHECK(classify_refresh(session, 2, kNow, kRules) == RefreshCase::reuse);
}

TEST_CASE("a replaced token after the window or from further back is a reuse") {
    CHECK(classify_refresh(session_at(4, kNow - 30s), 2, kNow, kRules) == RefreshCase::reuse);
    CHECK(classify_refresh(session_at(4, kNow - 1s), 1, kNow, kRules) == RefreshCase::reuse);
    CHECK(classify_refresh(session_at(4, kNow - 1s), 0, kNow, kRules) == RefreshCase::reuse);
}

TEST_CASE("a session is the account's as long as its stamp is, or it is the one that was kept") {
    auth::domain::Account account;
    account.stamp = 3;
    auto session = session_at(0, kNow);
    session.stamp = 3;
    CHECK(session_current(session, account));
    account.stamp = 4;
    CHECK_FALSE(session_current(session, account));
    account.kept_session = session.sid;
    CHECK(session_current(session, account));
    account.kept_session = "another";
    CHECK_FALSE(session_current(session, account));
    session.stamp = 0;  // from before stamps
    CHECK(session_current(session, account));
    account.disabled = true;
    CHECK_FALSE(session_current(session, account));
}

TEST_CASE("a session that is gone or over accepts no token") {
    CHECK(classify_refresh(std::nullopt, 0, kNow, kRules) == RefreshCase::invalid);
    auto revoked = session_at(1, kNow);
    revoked.revoked = true;
    CHECK(classify_refresh(revoked, 1, kNow, kRules) == RefreshCase::invalid);
    CHECK(classify_refresh(revoked, 0, kNow, kRules) == RefreshCase::invalid);
    CHECK(classify_refresh(session_at(1, kNow - kRules.idle), 1, kNow, kRules) == RefreshCase::invalid);
    auto over = session_at(1, kNow);
    over.expires_at = kNow;
    CHECK(classify_refresh(over, 1, kNow, kRules) == RefreshCase::invalid);
    // A generation that never was: the database is older than the token.
    CHECK(classify_refresh(session_at(1, kNow), 2, kNow, kRules) == RefreshCase::invalid);
}

TEST_CASE("idle and absolute limits end a session") {
    auto session = session_at(0, kNow);
    CHECK(session_live(session, kNow + kRules.idle - 1s, kRules));
    CHECK_FALSE(session_live(session, kNow + kRules.idle, kRules));
    session.last_used_at = kNow + std::chrono::days(89);
    CHECK(session_live(session, kNow + std::chrono::days(90) - 1s, kRules));
    CHECK_FALSE(session_live(session, kNow + std::chrono::days(90), kRules));
}

TEST_CASE("an access token never outlives its session") {
    auto session = session_at(0, kNow);
    CHECK(access_expiry(session, kNow, kRules) == kNow + 10min);
    session.expires_at = kNow + 3min;
    CHECK(access_expiry(session, kNow, kRules) == kNow + 3min);
}

TEST_CASE("an ended session is refused until its last token has expired for the most lenient verifier") {
    // Minted at another replica, whose clock is a second ahead, by a refresh that read the session just
    // before.
    const auto minted = kNow + 1s + 10s;
    CHECK(revoked_until(kNow, kRules) > access_expiry(session_at(0, kNow), minted, kRules) + kRules.leeway);
}

TEST_CASE("a refresh token is read back and nothing else is") {
    const RefreshTokens tokens(std::string(32, 'k'));
    const auto token = tokens.mint("ZmmnLQMgSHPiAUUKpv62mg", 7);
    CHECK(token == tokens.mint("ZmmnLQMgSHPiAUUKpv62mg", 7));
    const auto parts = tokens.read(token);
    REQUIRE(parts);
    CHECK(parts->sid == "ZmmnLQMgSHPiAUUKpv62mg");
    CHECK(parts->gen == 7);

    const auto mac = token.substr(token.rfind('.'));
    CHECK_FALSE(tokens.read("ZmmnLQMgSHPiAUUKpv62mg.8" + mac));
    CHECK_FALSE(tokens.read("ZmmnLQMgSHPiAUUKpv62mg.07" + mac));
    CHECK_FALSE(tokens.read("ZmmnLQMgSHPiAUUKpv62mg.-7" + mac));
    CHECK_FALSE(tokens.read("ZmmnLQMgSHPiAUUKpv62mh.7" + mac));
    CHECK_FALSE(tokens.read(token + "A"));
    CHECK_FALSE(tokens.read(token.substr(0, token.size() - 1)));
    CHECK_FALSE(tokens.read(std::string(32, 'k')));
    CHECK_FALSE(tokens.read(""));
    CHECK_FALSE(tokens.read(".."));
    CHECK_FALSE(tokens.read(".7" + mac));
    CHECK_FALSE(tokens.read(std::string(100000, '.')));
    CHECK_FALSE(tokens.read("s.99999999999999999999" + mac));
    CHECK_FALSE(RefreshTokens(std::string(32, 'x')).read(token));
}

TEST_CASE("a refresh token is the same one in every release") {
    // HMAC-SHA256 of "kampus refresh v1|s.7", computed elsewhere. Another value here signs everybody out at a
    // rolling update.
    CHECK(RefreshTokens(std::string(32, 'k')).mint("s", 7) ==
          "s.7.h-2wIBQZIuc_WWXqEnbMuvnOFiLwJ_ErlDH116m9Vz4");
}
