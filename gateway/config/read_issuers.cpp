// Token issuers: how tokens are checked and what of them the services see.
#include <algorithm>
#include <fstream>
#include <iterator>

#include "gateway/config/parts.hpp"
#include "gateway/wire/output.hpp"

namespace gateway::config {
namespace {

constexpr std::size_t kSecretBytes = 32;  // RFC 7518 section 3.2: HS256 needs as many bits as its hash

void read_key(Section& in, SigningKey& key) {
    in.choice<std::string>(
        "algorithm", key.algorithm,
        {{"HS256", "HS256"}, {"RS256", "RS256"}, {"PS256", "PS256"}, {"ES256", "ES256"}, {"EdDSA", "EdDSA"}});
    in.text("kid", key.kid);
    const bool tried_secret = in.has("secret");
    const bool good_secret = in.secret("secret", key.secret, kSecretBytes);
    in.text("public_key", key.public_key);
    std::string file;
    if (in.text("public_key_file", file)) {
        std::ifstream stream(file, std::ios::binary);
        if (stream)
            key.public_key.assign(std::istreambuf_iterator<char>(stream), {});
        else
            in.problem("public_key_file", "cannot read " + file);
    }
    if (key.algorithm == "HS256") {
        if (!tried_secret || (good_secret && key.secret.empty()))
            in.problem("secret", "is missing: HS256 needs one");
        if (!key.public_key.empty()) in.problem("public_key", "does not go with HS256");
    } else {
        if (tried_secret) in.problem("secret", "goes with HS256 only");
        if (key.public_key.empty() && file.empty())
            in.problem("public_key", "is missing: " + key.algorithm + " needs public_key or public_key_file");
    }
}

void check_url(Section& in, std::string_view key, const std::string& url, bool https_too) {
    const bool fits = url.starts_with("http://") || (https_too && url.starts_with("https://"));
    if (!url.empty() && !fits)
        in.problem(key, "\"" + url + "\" does not start with http://" + (https_too ? " or https://" : ""));
}

void read_jwks(Section& in, Jwks& jwks) {
    in.text("url", jwks.url);
    check_url(in, "url", jwks.url, true);
    in.text("file", jwks.file);
    const bool named = in.has("url") || in.has("file");  // empty: switched off, e.g. "${JWKS_URL:-}"
    if (!named || (!jwks.url.empty() && !jwks.file.empty()))
        in.problem("", "needs exactly one of url and file");
    in.duration("refresh", jwks.refresh, 1'000, 86'400'000);
    in.duration("max_stale", jwks.max_stale, 0, 30LL * 86'400'000);
    in.duration("unknown_kid_interval", jwks.unknown_kid_interval, 1'000, 86'400'000);
    in.duration("timeout", jwks.timeout, 100, 60'000);
}

void read_feed(Section& in, RevocationFeed& feed) {
    in.required_text("url", feed.url);
    check_url(in, "url", feed.url, false);
    in.secret("token", feed.token, 16);
    in.seconds("wait", feed.wait, 0, 30);
    in.duration("retry", feed.retry, 10, 60'000);
    in.duration("max_age", feed.max_age, 1'000, 86'400'000);
    in.choice<RevocationFeed::OnStale>(
        "on_stale", feed.on_stale,
        {{"allow", RevocationFeed::OnStale::allow}, {"refuse", RevocationFeed::OnStale::refuse}});
    in.number("max_entries", feed.max_entries, 1'000, 100'000'000);
}

void read_issuer(Section& in, Issuer& issuer) {
    issuer.name = "default";
    in.text("name", issuer.name);
    check_name(in, issuer.name);
    in.required_text("issuer", issuer.issuer);
    in.required_text("audience", issuer.audience);
    in.text("realm", issuer.realm);
    if (issuer.realm.find_first_of("\"\\") != std::string::npos || !wire::valid_header_value(issuer.realm))
        in.problem("realm", "may hold neither quotes nor control characters");
    in.seconds("leeway", issuer.leeway, 0, 300);
    in.number("max_token_bytes", issuer.max_token_bytes, 256, 16 * 1024);
    in.objects("keys", [&](Section& item) {
        SigningKey key;
        read_key(item, key);
        issuer.keys.push_back(std::move(key));
    });
    Jwks jwks;
    const bool tried_jwks = in.object("jwks", [&](Section& section) { read_jwks(section, jwks); });
    if (!jwks.url.empty() || !jwks.file.empty()) issuer.jwks = std::move(jwks);
    if (!in.has("keys") && (!in.has("jwks") || (tried_jwks && !issuer.jwks)))
        in.problem("keys", "an issuer needs keys or jwks");
    RevocationFeed feed;
    if (in.object("revocations", [&](Section& section) { read_feed(section, feed); })) {
        const bool has_secret = std::any_of(issuer.keys.begin(), issuer.keys.end(),
                                            [](const SigningKey& key) { return key.algorithm == "HS256"; });
        if (feed.token.empty() && !has_secret)
            in.problem("revocations", "token is missing: it can only be derived from an HS256 secret");
        issuer.revocations = std::move(feed);
    }
    issuer.claim_headers = {
        {"sub", "X-User-Id"}, {"role", "X-User-Role"}, {"nim", "X-User-Nim"}, {"sid", "X-Session-Id"}};
    std::vector<ClaimHeader> claim_headers;
    const bool given = in.objects("claim_headers", [&](Section& item) {
        ClaimHeader pair;
        item.required_text("claim", pair.claim);
        item.required_text("header", pair.header);
        check_header_name(item, "header", pair.header);
        if (pair.header.find('_') != std::string::npos)
            item.problem("header",
                         "may not hold '_': such names are taken for their '-' spelling by some servers");
        claim_headers.push_back(std::move(pair));
    });
    if (given) issuer.claim_headers = std::move(claim_headers);
    in.object("cache", [&](Section& section) {
        section.number("entries", issuer.cache.entries, 0, 1'000'000);
        section.duration("max_age", issuer.cache.max_age, 0, 3'600'000);
    });
}

}  // namespace

void read_issuers(Section& root, Config& config) {
    root.objects("issuers", [&](Section& item) {
        Issuer issuer;
        read_issuer(item, issuer);
        for (const auto& other : config.issuers) {
            if (other.name == issuer.name)
                item.problem("name", "another issuer is called \"" + issuer.name + "\" too");
            if (other.issuer == issuer.issuer)
                item.problem("issuer",
                             "issuer \"" + other.name + "\" has the same iss: a token's keys must be clear");
        }
        config.issuers.push_back(std::move(issuer));
    });
}

}  // namespace gateway::config
