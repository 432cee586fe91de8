// What a token costs: first sight of each algorithm against the bare OpenSSL call on the same key and text, a
// hit in the gateway's cache, a look at the ended sessions, and their memory. Rounds are interleaved; medians
// are printed.
//
//   test/run bench jwt        or        build/release/test/bench/jwt/jwt_bench [ROUNDS]
#include <openssl/core_names.h>
#include <openssl/hmac.h>
#include <openssl/params.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "gateway/auth/issuer_set.hpp"
#include "gateway/auth/token_gate.hpp"
#include "shared/base/encoding.hpp"
#include "shared/base/random.hpp"
#include "shared/jwt/key_impl.hpp"
#include "shared/jwt/revocation_set.hpp"
#include "test/unit/shared/jwt_support.hpp"

using shared::jwt::Algorithm;
using test::kNow;
using test::Signer;

namespace {

// Keeps results alive and counts what went wrong.
std::size_t failures = 0;
void expect(bool ok) {
    failures += ok ? 0 : 1;
}

struct Measured {
    std::string name;
    std::function<void(std::size_t)> run;  // one call; the number counts up
    std::size_t calls;                     // a round
    std::size_t next = 0;
    std::vector<double> ns{};  // by round
};

double median(std::vector<double> values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

// CPU time of this thread: other work on the machine then counts only through caches and clock speed.
double cpu_ns() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

void measure(std::vector<Measured>& all, int rounds) {
    for (int round = -1; round < rounds; ++round) {  // the first warms up
        for (auto& one : all) {
            const double begin = cpu_ns();
            for (std::size_t i = 0; i < one.calls; ++i) one.run(one.next++);
            if (round >= 0) one.ns.push_back((cpu_ns() - begin) / static_cast<double>(one.calls));
        }
    }
}

// Of the rounds' own ratios: what slows a round down slows both halves of it.
double ratio(const Measured& ours, const Measured& bare) {
    std::vector<double> ratios;
    for (std::size_t i = 0; i < ours.ns.size(); ++i) ratios.push_back(ours.ns[i] / bare.ns[i]);
    return median(std::move(ratios));
}

// As auth-service makes them: about 300 bytes with HS256.
std::string claims() {
    return R"({"iss":"kampus-auth","aud":"kampus-api","sub":")" + shared::random_id(12) +
           R"(","role":"mahasiswa","nim":"22001","sid":")" + shared::random_id(16) + R"(","jti":")" +
           shared::random_id(12) + R"(","iat":1700000000,"exp":1700000600})";
}

struct Taken {
    std::string token;
    std::string input;
    std::string signature;  // decoded; DER for ES256
};

std::vector<Taken> make_tokens(const Signer& signer, std::size_t count) {
    std::vector<Taken> all;
    for (std::size_t i = 0; i < count; ++i) {
        Taken t;
        t.token = signer.token(claims());
        const auto dot = t.token.rfind('.');
        t.input = t.token.substr(0, dot);
        t.signature = *shared::base64url_decode(std::string_view(t.token).substr(dot + 1));
        if (signer.algorithm() == Algorithm::es256) t.signature = Signer::to_der(t.signature);
        all.push_back(std::move(t));
    }
    return all;
}

const unsigned char* bytes(const std::string& text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

// The usual call: a context per signature on a key that is kept.
bool bare_verify(const Taken& t, EVP_PKEY* pkey, Algorithm algorithm) {
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    EVP_PKEY_CTX* parameters = nullptr;
    const EVP_MD* md = algorithm == Algorithm::eddsa ? nullptr : EVP_sha256();
    bool ok = EVP_DigestVerifyInit(context, &parameters, md, nullptr, pkey) == 1;
    if (algorithm == Algorithm::ps256)
        ok = ok && EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1 &&
             EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) == 1;
    ok = ok && EVP_DigestVerify(context, bytes(t.signature), t.signature.size(), bytes(t.input),
                                t.input.size()) == 1;
    EVP_MD_CTX_free(context);
    return ok;
}

void print(const char* name, double ns) {
    std::printf("  %-58s %10.0f ns\n", name, ns);
}

void bench_hs256(int rounds) {
    const Signer signer(Algorithm::hs256);
    const auto tokens = make_tokens(signer, 512);
    const auto verifier = test::verifier_of({signer.key()});
    const std::string secret = test::kSecret;

    EVP_MAC* mac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
    char digest[] = "SHA256";
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                                 OSSL_PARAM_construct_end()};
    EVP_MAC_CTX* context = EVP_MAC_CTX_new(mac);
    expect(EVP_MAC_init(context, bytes(secret), secret.size(), params) == 1);
    EVP_MAC_CTX* pristine = EVP_MAC_CTX_dup(context);

    std::vector<Measured> all;
    all.push_back({"first sight: read, HMAC, claims",
                   [&](std::size_t i) { expect(verifier.verify(tokens[i % 512].token, kNow).has_value()); },
                   1'000});
    all.push_back({"bare HMAC() in one call",
                   [&](std::size_t i) {
                       unsigned char out[32];
                       unsigned length = 0;
                       const auto& t = tokens[i % 512];
                       HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()), bytes(t.input),
                            t.input.size(), out, &length);
                       expect(CRYPTO_memcmp(out, t.signature.data(), 32) == 0);
                   },
                   1'000});
    all.push_back({"bare EVP_MAC on a kept context, init(NULL)+update+final",
                   [&](std::size_t i) {
                       unsigned char out[32];
                       std::size_t length = 0;
                       const auto& t = tokens[i % 512];
                       EVP_MAC_init(context, nullptr, 0, nullptr);
                       EVP_MAC_update(context, bytes(t.input), t.input.size());
                       EVP_MAC_final(context, out, &length, sizeof out);
                       expect(CRYPTO_memcmp(out, t.signature.data(), 32) == 0);
                   },
                   1'000});
    all.push_back({"bare EVP_MAC_CTX_dup of a kept context, update, final",
                   [&](std::size_t i) {
                       unsigned char out[32];
                       std::size_t length = 0;
                       const auto& t = tokens[i % 512];
                       EVP_MAC_CTX* own = EVP_MAC_CTX_dup(pristine);
                       EVP_MAC_update(own, bytes(t.input), t.input.size());
                       EVP_MAC_final(own, out, &length, sizeof out);
                       EVP_MAC_CTX_free(own);
                       expect(CRYPTO_memcmp(out, t.signature.data(), 32) == 0);
                   },
                   1'000});
    measure(all, rounds);
    EVP_MAC_CTX_free(context);
    EVP_MAC_CTX_free(pristine);
    EVP_MAC_free(mac);
    std::printf("HS256 (token of %zu bytes)\n", tokens[0].token.size());
    for (auto& one : all) print(one.name.c_str(), median(one.ns));
    std::printf("  ratio to HMAC() %.2f, to a kept context %.2f, to its copy %.2f   (goal <= 1.6)\n\n",
                ratio(all[0], all[1]), ratio(all[0], all[2]), ratio(all[0], all[3]));
}

void bench_signature(Algorithm algorithm, int rounds, const char* goal) {
    const Signer signer(algorithm);
    const auto tokens = make_tokens(signer, 64);
    const auto key = signer.key();
    const auto verifier = test::verifier_of({key});
    EVP_PKEY* pkey = key.impl().pkey.get();
    std::vector<Measured> all;
    all.push_back({"first sight: read, verify, claims",
                   [&](std::size_t i) { expect(verifier.verify(tokens[i % 64].token, kNow).has_value()); },
                   200});
    all.push_back({"bare EVP_DigestVerify on a kept key",
                   [&](std::size_t i) { expect(bare_verify(tokens[i % 64], pkey, algorithm)); }, 20});
    measure(all, rounds);
    std::printf("%s (token of %zu bytes)\n", std::string(to_string(algorithm)).c_str(),
                tokens[0].token.size());
    for (auto& one : all) print(one.name.c_str(), median(one.ns));
    std::printf("  ratio: %.3f   (goal %s)\n\n", ratio(all[0], all[1]), goal);
}

gateway::config::Issuer issuer() {
    gateway::config::Issuer settings;
    settings.name = "bench";
    settings.issuer = "kampus-auth";
    settings.audience = "kampus-api";
    settings.keys.emplace_back();
    settings.keys[0].secret = test::kSecret;
    settings.cache.entries = 32'768;
    settings.claim_headers = {
        {"sub", "X-User-Id"}, {"role", "X-User-Role"}, {"nim", "X-User-Nim"}, {"sid", "X-Session-Id"}};
    return settings;
}

void bench_gate(int rounds) {
    const Signer signer(Algorithm::hs256);
    std::vector<std::string> authorizations;
    for (std::size_t i = 0; i < 10'000; ++i) authorizations.push_back("Bearer " + signer.token(claims()));
    gateway::auth::TokenGate few(gateway::auth::IssuerSet::make({issuer()}));
    gateway::auth::TokenGate many(gateway::auth::IssuerSet::make({issuer()}));
    gateway::config::AuthRule rule;
    rule.roles = {"mahasiswa", "admin"};
    std::size_t calls = 0;
    std::size_t cached = 0;
    std::string received;
    const auto ask = [&](gateway::auth::TokenGate& gate, std::size_t i) {
        received.assign(authorizations[i]);  // as in a gateway: the token has just been read, so it is warm
        const auto decision = gate.check(received, rule, {"/api/acad/ips", ""}, kNow);
        expect(decision.allowed);
        ++calls;
        cached += decision.cached ? 1 : 0;
    };
    std::vector<Measured> all;
    all.push_back({"hit, 64 tokens in turn", [&](std::size_t i) { ask(few, i % 64); }, 10'000});
    all.push_back({"hit, 10,000 tokens in a scattered order",
                   [&](std::size_t i) { ask(many, i * 7919 % 10'000); }, 10'000});
    all.push_back({"of both: copying the token, 64",
                   [&](std::size_t i) { received.assign(authorizations[i % 64]); }, 10'000});
    all.push_back({"of both: copying the token, 10,000",
                   [&](std::size_t i) { received.assign(authorizations[i * 7919 % 10'000]); }, 10'000});
    measure(all, rounds);
    std::printf("the gate: credentials, cache, rule (roles), identity\n");
    for (auto& one : all) print(one.name.c_str(), median(one.ns));
    std::printf("  hits of all calls: %.2f %%\n\n",
                100.0 * static_cast<double>(cached) / static_cast<double>(calls));
}

std::size_t resident_bytes() {
    std::ifstream statm("/proc/self/statm");
    std::size_t total = 0;
    std::size_t resident = 0;
    statm >> total >> resident;
    return resident * 4096;
}

void bench_sessions(int rounds) {
    std::vector<std::string> sids;
    for (int i = 0; i < 100'000; ++i) sids.push_back(shared::random_id(16));
    const auto before = resident_bytes();
    shared::jwt::RevocationSet set;
    for (const auto& sid : sids) expect(set.insert(sid, 2'000'000'000));
    const auto after = resident_bytes();
    std::vector<std::string> alive;
    for (int i = 0; i < 10'000; ++i) alive.push_back(shared::random_id(16));
    std::vector<Measured> all;
    all.push_back({"look-up, session alive",
                   [&](std::size_t i) { expect(!set.contains(alive[i * 7919 % 10'000])); }, 10'000});
    all.push_back({"look-up, session ended",
                   [&](std::size_t i) { expect(set.contains(sids[i * 7919 % 100'000])); }, 10'000});
    measure(all, rounds);
    std::printf("ended sessions: 100,000 held in %.2f MiB (resident grew by %.2f MiB)\n",
                static_cast<double>(set.memory_bytes()) / 1048576.0,
                static_cast<double>(after - before) / 1048576.0);
    for (auto& one : all) print(one.name.c_str(), median(one.ns));
}

}  // namespace

int main(int argc, char** argv) {
    const int rounds = argc > 1 ? std::max(1, std::atoi(argv[1])) : 201;
    std::printf("median of %d interleaved rounds, CPU time of one thread\n\n", rounds);
    bench_hs256(rounds);
    bench_signature(Algorithm::rs256, rounds, "<= 1.1");
    bench_signature(Algorithm::ps256, rounds, "none");
    bench_signature(Algorithm::es256, rounds, "<= 1.1");
    bench_signature(Algorithm::eddsa, rounds, "none");
    bench_gate(rounds);
    bench_sessions(rounds);
    if (failures != 0) {
        std::printf("%zu calls gave a wrong answer\n", failures);
        return 1;
    }
    return 0;
}
