// Token issuers: how tokens are checked and what of them the services see.
#include <algorithm>
#include <fstream>
#include <iterator>

#include "gateway/config/fields.hpp"
#include "gateway/wire/header_name.hpp"
#include "gateway/wire/output.hpp"

namespace gateway::config {
namespace {

constexpr std::size_t kSecretBytes = 32;  // RFC 7518 section 3.2: HS256 needs as many bits as its hash
constexpr std::size_t kFeedTokenBytes = 16;

void check_url(Section& in, std::string_view key, const std::string& url, bool https_too) {
    const bool fits = url.starts_with("http://") || (https_too && url.starts_with("https://"));
    if (!url.empty() && !fits)
        in.problem(key, "\"" + url + "\" does not start with http://" + (https_too ? " or https://" : ""));
}

void check_key(Section& in, const SigningKey& key, bool no_file) {
    if (key.algorithm == "HS256") {
        if (!in.has("secret")) in.problem("secret", "is missing: HS256 needs one");
        if (!key.public_key.empty()) in.problem("public_key", "does not go with HS256");
        return;
    }
    if (in.has("secret")) in.problem("secret", "goes with HS256 only");
    if (key.public_key.empty() && no_file)
        in.problem("public_key", "is missing: " + key.algorithm + " needs public_key or public_key_file");
}

// A client's copy is dropped of these alone: of a name that means something to HTTP or to the gateway, both
// would go to the service, and a claim in Content-Length or Transfer-Encoding would end the request
// elsewhere.
bool may_carry_claim(wire::Header header) {
    return header == wire::Header::other || header == wire::Header::x_user ||
           header == wire::Header::x_session_id || header == wire::Header::x_forwarded_other;
}

void check_claim_headers(Section& in, const std::vector<ClaimHeader>& pairs) {
    for (std::size_t i = 0; i < pairs.size(); ++i)
        for (std::size_t j = 0; j < i; ++j)
            if (!pairs[i].header.empty() && wire::equals_ignoring_case(pairs[i].header, pairs[j].header))
                in.problem("claim_headers", "has two claims for " + pairs[i].header);
}

// So that one file serves key sets and a shared secret: `"secret": "${JWT_SECRET:-}"`.
void drop_keys_without_secret(Section& in, Issuer& issuer) {
    const auto without = [](const SigningKey& key) { return key.algorithm == "HS256" && key.secret.empty(); };
    if (!issuer.jwks)
        for (std::size_t i = 0; i < issuer.keys.size(); ++i)
            if (without(issuer.keys[i]))
                in.problem_at(in.pointer_to("keys") + '/' + std::to_string(i) + "/secret",
                              "is missing: HS256 needs one, or the issuer a jwks");
    std::erase_if(issuer.keys, without);
}

void check_issuer(Section& in, const Issuer& issuer) {
    for (const auto& other : in.config().issuers) {
        if (other.name == issuer.name)
            in.problem("name", "another issuer is called \"" + issuer.name + "\" too");
        if (other.issuer == issuer.issuer)
            in.problem("issuer",
                       "issuer \"" + other.name + "\" has the same iss: a token's keys must be clear");
    }
}

}  // namespace

void fields(Visitor& v, SigningKey& key) {
    v.choice<std::string>(
        "algorithm", key.algorithm,
        {{"HS256", "HS256"}, {"RS256", "RS256"}, {"PS256", "PS256"}, {"ES256", "ES256"}, {"EdDSA", "EdDSA"}},
        {"The only `alg` that the key verifies.", "ES256"});
    v.text("kid", key.kid, {"Key id.", "2024-1"});
    v.secret("secret", key.secret, kSecretBytes,
             {"At least 32 bytes; empty: no such key, where there is a `jwks`. Masked wherever the "
              "configuration is shown.",
              "${JWT_SECRET}", "required for HS256"});
    v.text("public_key", key.public_key, {"PEM text; for all but HS256.", "${JWT_PUBLIC_KEY}", kAbsent});
    std::optional<std::string> file;
    v.text("public_key_file", file, {"File with it.", "/keys/auth.pem", kAbsent});
    Section* in = v.reading();
    if (!in) return;
    if (file) {
        std::ifstream stream(*file, std::ios::binary);
        if (stream)
            key.public_key.assign(std::istreambuf_iterator<char>(stream), {});
        else
            in->problem("public_key_file", "cannot read " + *file);
    }
    check_key(*in, key, file.value_or("").empty());
}

void fields(Visitor& v, Jwks& j) {
    v.text("url", j.url, {"http or https.", "http://auth-service:3001/.well-known/jwks.json", kAbsent});
    v.text("file", j.file, {"Read at start and on reload.", "/keys/jwks.json", kAbsent});
    if (Section* in = v.reading()) {
        check_url(*in, "url", j.url, true);
        const bool named = in->has("url") || in->has("file");  // empty: switched off, e.g. "${JWKS_URL:-}"
        if (!named || (!j.url.empty() && !j.file.empty()))
            in->problem("", "needs exactly one of url and file");
    }
    v.duration("refresh", j.refresh, {1'000, kDay}, {"ms between fetches (with jitter).", "60000"});
    v.duration("max_stale", j.max_stale, {0, 30 * kDay},
               {"ms that the last good keys are used while fetching fails; then 503, never 401.", "3600000"});
    v.duration("unknown_kid_interval", j.unknown_kid_interval, {1'000, kDay},
               {"ms. An unknown `kid` causes at most one fetch in so long.", "60000"});
    v.duration("timeout", j.timeout, {100, 60'000}, {"ms for a fetch.", "2000"});
}

void fields(Visitor& v, RevocationFeed& f) {
    v.text(
        "url", f.url,
        {"http only; on an internal network.", "http://auth-service:3001/internal/revocations", kRequired});
    if (Section* in = v.reading()) check_url(*in, "url", f.url, false);
    v.secret("token", f.token, kFeedTokenBytes,
             {"Bearer token of the feed, at least 16 bytes; empty: derived from the issuer's HS256 secret. "
              "Masked.",
              "${FEED_TOKEN:-}", "derived"});
    v.seconds("wait", f.wait, {0, 30}, {"s that the server may hold a request until there is news.", "10"});
    v.duration("retry", f.retry, {10, 60'000}, {"ms until the next try after a failure.", "1000"});
    v.duration("max_age", f.max_age, {1'000, kDay},
               {"ms. After so long without contact `on_stale` decides.", "300000"});
    using OnStale = RevocationFeed::OnStale;
    v.choice<OnStale>(
        "on_stale", f.on_stale, {{"allow", OnStale::allow}, {"refuse", OnStale::refuse}},
        {"`allow`: tokens go on being accepted by signature and time; `refuse`: 503.", "refuse"});
    v.number("max_entries", f.max_entries, {1'000, 100'000'000},
             {"Ended sessions kept in memory.", "100000"});
}

void fields(Visitor& v, ClaimHeader& pair) {
    v.text("claim", pair.claim, {"", "sub", kRequired});
    v.text("header", pair.header, {"", "X-User-Id", kRequired});
    Section* in = v.reading();
    if (!in) return;
    check_header_name(*in, "header", pair.header);
    if (!may_carry_claim(wire::classify(pair.header)))
        in->problem("header", '"' + pair.header + "\" has a meaning of its own and cannot carry a claim");
    if (pair.header.find('_') != std::string::npos)
        in->problem("header",
                    "may not hold '_': such names are taken for their '-' spelling by some servers");
}

void fields(Visitor& v, TokenCache& c) {
    v.number("entries", c.entries, {0, 1'000'000}, {"Tokens; 0: no cache.", "65536"});
    v.duration(
        "max_age", c.max_age, {0, 3'600'000},
        {"ms that a verified token is believed without checking again; never beyond its `exp`.", "10000"});
}

void fields(Visitor& v, Issuer& issuer) {
    Section* in = v.reading();
    v.text("name", issuer.name, {"How routes refer to it.", "kampus"});
    if (in) check_name(*in, issuer.name);
    v.text("issuer", issuer.issuer, {"The `iss` that tokens must carry.", "kampus-auth", kRequired});
    v.text("audience", issuer.audience, {"The `aud` that tokens must contain.", "kampus-api", kRequired});
    v.text("realm", issuer.realm, {"Realm of `WWW-Authenticate`.", "kampus"});
    if (in &&
        (issuer.realm.find_first_of("\"\\") != std::string::npos || !wire::valid_header_value(issuer.realm)))
        in->problem("realm", "may hold neither quotes nor control characters");
    v.seconds("leeway", issuer.leeway, {0, 300},
              {"s. Clock difference that `exp`, `nbf` and `iat` are given.", "5"});
    v.number("max_token_bytes", issuer.max_token_bytes, {256, 16 * 1024}, {"Bytes of a token. 401.", "4096"});
    const auto before = in ? in->problem_count() : 0;
    v.objects("keys", issuer.keys,
              {"Fixed keys. Each has exactly one algorithm. `keys` or `jwks` is needed."});
    const bool bad_keys = in && in->problem_count() != before;
    const bool no_keys = in && issuer.keys.empty() && !bad_keys;
    v.object("jwks", issuer.jwks,
             {"Keys that are fetched (RFC 7517). Exactly one of `url` and `file`; empty: none, where there "
              "are `keys`."});
    if (issuer.jwks && issuer.jwks->url.empty() && issuer.jwks->file.empty()) issuer.jwks.reset();
    if (no_keys && !issuer.jwks) in->problem("keys", "an issuer needs keys or jwks");
    if (in && !bad_keys) drop_keys_without_secret(*in, issuer);
    v.object("revocations", issuer.revocations,
             {"Feed of ended sessions; a logged-out token is refused within a second."});
    if (in && issuer.revocations && issuer.revocations->token.empty() &&
        std::none_of(issuer.keys.begin(), issuer.keys.end(),
                     [](const SigningKey& key) { return key.algorithm == "HS256"; }))
        in->problem("revocations", "token is missing: it can only be derived from an HS256 secret");
    v.objects("claim_headers", issuer.claim_headers,
              {"Claims that the services get as headers. Client copies are dropped, on public routes too.",
               "", "`sub`→`X-User-Id`, `role`→`X-User-Role`, `nim`→`X-User-Nim`, `sid`→`X-Session-Id`"});
    if (in) check_claim_headers(*in, issuer.claim_headers);
    v.object("cache", issuer.cache, {"Verified tokens, for each worker."});
    if (in) check_issuer(*in, issuer);
}

void issuer_fields(Visitor& v, Config& c) {
    v.objects("issuers", c.issuers, {});
}

}  // namespace gateway::config
