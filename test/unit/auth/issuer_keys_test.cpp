#include <sys/stat.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <fstream>
#include <set>
#include <thread>

#include "services/auth/crypto/issuer_keys.hpp"
#include "shared/base/random.hpp"
#include "shared/jwt/verifier.hpp"

using namespace std::chrono_literals;
using namespace auth::crypto;
using shared::jwt::Algorithm;

namespace {

const shared::WallTime kNow{std::chrono::seconds(1'800'000'000)};
const std::string kSecret(40, 's');

class Folder {
  public:
    Folder() : path(std::filesystem::temp_directory_path() / ("keys-" + shared::random_id())) {}
    ~Folder() { std::filesystem::remove_all(path); }
    std::size_t key_files() const {
        std::size_t count = 0;
        for (const auto& entry : std::filesystem::directory_iterator(path))
            count += entry.path().extension() == ".pem" ? 1 : 0;
        return count;
    }
    const std::filesystem::path path;
};

AccessClaims claims() {
    AccessClaims claims;
    claims.iss = "kampus-auth";
    claims.aud = "kampus-api";
    claims.sub = "u-1";
    claims.role = "mahasiswa";
    claims.nim = "22001";
    claims.sid = "s-1";
    claims.jti = "j-1";
    claims.iat = kNow;
    claims.exp = kNow + 600s;
    return claims;
}

shared::Result<shared::jwt::Claims> verify(const std::string& token,
                                           std::shared_ptr<const shared::jwt::KeySet> keys) {
    shared::jwt::Rules rules;
    rules.issuer = "kampus-auth";
    rules.audience = "kampus-api";
    return shared::jwt::Verifier(rules, std::move(keys)).verify(token, kNow);
}

// What a gateway makes of the published keys.
std::shared_ptr<const shared::jwt::KeySet> fetched(const IssuerKeys& keys) {
    return std::make_shared<const shared::jwt::KeySet>(shared::jwt::KeySet::from_jwks(keys.jwks).value());
}

}  // namespace

TEST_CASE("tokens of every algorithm pass the strict verifier with the published keys alone") {
    const auto algorithm = GENERATE(Algorithm::es256, Algorithm::rs256, Algorithm::ps256, Algorithm::eddsa);
    CAPTURE(std::string(shared::jwt::to_string(algorithm)));
    const Folder folder;
    Rotation rotation;
    rotation.algorithm = algorithm;
    rotate_key_files(folder.path, rotation, kNow);
    const auto keys = load_key_files(folder.path, kSecret);
    for (int i = 0; i < 20; ++i) {  // r and s of ECDSA are sometimes shorter than their field
        auto varied = claims();
        varied.jti = std::to_string(i);
        const auto read = verify(keys->signer->sign(varied), fetched(*keys));
        REQUIRE(read.has_value());
        CHECK(read->nim == "22001");
        CHECK(read->jti == varied.jti);
    }
    CHECK(keys->jwks.find("\"d\"") == std::string::npos);  // nothing private
    CHECK(fetched(*keys)->keys().size() == 2);             // the next one is there already
}

TEST_CASE("key files can be read by their owner only") {
    const Folder folder;
    rotate_key_files(folder.path, {}, kNow);
    CHECK(folder.key_files() == 2);
    for (const auto& entry : std::filesystem::directory_iterator(folder.path)) {
        struct stat info {};
        REQUIRE(::stat(entry.path().c_str(), &info) == 0);
        CHECK((info.st_mode & 0777) == 0600);
    }
}

TEST_CASE("of replicas that start at once on an empty folder one makes the first keys") {
    const Folder folder;
    std::atomic<int> made{0};
    std::vector<std::thread> replicas;
    for (int i = 0; i < 8; ++i)
        replicas.emplace_back([&] { made += make_first_key_files(folder.path, kNow) ? 1 : 0; });
    for (auto& replica : replicas) replica.join();
    CHECK(made == 1);
    CHECK(folder.key_files() == 2);
    const auto keys = load_key_files(folder.path, kSecret);
    CHECK(verify(keys->signer->sign(claims()), fetched(*keys)).has_value());
    CHECK_FALSE(make_first_key_files(folder.path, kNow));
    CHECK(load_key_files(folder.path, kSecret)->jwks == keys->jwks);
}

TEST_CASE("through a rotation no token is refused by whoever knows the keys of one step before") {
    const Folder folder;
    Rotation rotation;
    rotation.publish_for = 600s;
    rotation.retire_after = 1000s;
    rotate_key_files(folder.path, rotation, kNow);
    auto before = load_key_files(folder.path, kSecret);
    const auto first_token = before->signer->sign(claims());
    CHECK_THROWS_WITH(rotate_key_files(folder.path, rotation, kNow + 599s), Catch::Contains("599"));
    CHECK(load_key_files(folder.path, kSecret)->jwks == before->jwks);  // refused: nothing has changed

    auto now = kNow;
    for (int step = 0; step < 3; ++step) {
        now += 600s;
        rotate_key_files(folder.path, rotation, now);
        const auto after = load_key_files(folder.path, kSecret);
        const auto token = after->signer->sign(claims());
        CHECK(verify(token, fetched(*before)).has_value());                          // new token, old keys
        CHECK(verify(before->signer->sign(claims()), fetched(*after)).has_value());  // old token, new keys
        CHECK(token.substr(0, token.find('.')) != first_token.substr(0, first_token.find('.')));
        before = after;
    }
    // The first key retired at 600 s; at 1600 s and later it is gone, and its file too.
    CHECK(verify(first_token, fetched(*before)).error() == shared::jwt::Errc::unknown_kid);
    CHECK(folder.key_files() == 4);  // next, active, two retired
}

TEST_CASE("a retired key verifies until its time is over, counted from the moment it retired") {
    const Folder folder;
    Rotation rotation;
    rotation.publish_for = 1s;
    rotation.retire_after = 1000s;
    rotate_key_files(folder.path, rotation, kNow);
    const auto token = load_key_files(folder.path, kSecret)->signer->sign(claims());
    const auto verifies = [&] {
        return verify(token, load_key_files(folder.path, kSecret)->verification).has_value();
    };
    rotate_key_files(folder.path, rotation, kNow + 5000s);  // retires it
    rotate_key_files(folder.path, rotation, kNow + 5999s);
    CHECK(verifies());
    rotate_key_files(folder.path, rotation, kNow + 6000s);
    CHECK_FALSE(verifies());
}

TEST_CASE("tokens signed with the secret live on when key files come") {
    const Folder folder;
    rotate_key_files(folder.path, {}, kNow);
    const auto old_token = make_secret_keys(kSecret)->signer->sign(claims());
    CHECK(verify(old_token, load_key_files(folder.path, kSecret)->verification).has_value());
    CHECK(make_secret_keys(kSecret)->jwks == "{\"keys\":[]}");
}

TEST_CASE("broken key files are refused with their name and the reason") {
    const Folder folder;
    CHECK_THROWS_WITH(load_key_files(folder.path, kSecret), Catch::Contains("keys.json: cannot be read"));
    rotate_key_files(folder.path, {}, kNow);
    const auto index = folder.path / "keys.json";
    const auto key = [](const std::string& kid, const std::string& alg, const std::string& state) {
        return R"({"kid":")" + kid + R"(","alg":")" + alg + R"(","state":")" + state + R"(","since":1})";
    };
    const std::string active = key("x", "ES256", "active");
    const std::string next = key("y", "ES256", "next");
    const std::pair<std::string, std::string> rows[] = {
        {"", "no JSON object"},
        {"[]", "no JSON object"},
        {"{}", "/keys wajib diisi"},
        {R"({"keys":[7]})", "/keys must hold objects"},
        {R"({"keys":[]})", "exactly one key must be active"},
        {R"({"keys":[)" + next + "]}", "exactly one key must be active"},
        {R"({"keys":[)" + active + ',' + next + ',' + key("z", "ES256", "active") + "]}",
         "exactly one key must be active"},
        {R"({"keys":[)" + key("../x", "ES256", "active") + "]}", "/keys/0/kid is no file name"},
        {R"({"keys":[)" + active + ',' + key("a/b", "ES256", "next") + "]}", "/keys/1/kid is no file name"},
        {R"({"keys":[)" + key("x", "HS256", "active") + "]}",
         "/keys/0/alg must be ES256, RS256, PS256 or EdDSA"},
        {R"({"keys":[)" + key("x", "none", "active") + "]}",
         "/keys/0/alg must be ES256, RS256, PS256 or EdDSA"},
        {R"({"keys":[)" + key("x", "ES256", "asleep") + "]}",
         "/keys/0/state must be next, active or retired"},
        {R"({"keys":[{"kid":"x","alg":"ES256","state":"active","since":-1}]})", "/keys/0/since"},
        {R"({"keys":[{"kid":"x","alg":"ES256","state":"active","since":1,"more":1}]})", "/keys/0/more"},
        {R"({"keys":[)" + active + "]}", "x.pem: cannot be read"},
    };
    for (const auto& [text, reason] : rows) {
        CAPTURE(text);
        std::ofstream(index) << text;
        CHECK_THROWS_WITH(load_key_files(folder.path, kSecret), Catch::Contains(reason));
    }
    std::ofstream(folder.path / "x.pem") << "no key";
    CHECK_THROWS_WITH(load_key_files(folder.path, kSecret), Catch::Contains("x.pem: "));
}
