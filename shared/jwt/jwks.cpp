#include "shared/jwt/jwks.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/param_build.h>

#include <array>

#include "shared/base/encoding.hpp"
#include "shared/json/json.hpp"
#include "shared/jwt/json_scan.hpp"
#include "shared/jwt/key_impl.hpp"

namespace shared::jwt {
namespace {

using Bignum = std::unique_ptr<BIGNUM, OpensslDeleter<BN_free>>;
using ParamBuilder = std::unique_ptr<OSSL_PARAM_BLD, OpensslDeleter<OSSL_PARAM_BLD_free>>;
using Params = std::unique_ptr<OSSL_PARAM, OpensslDeleter<OSSL_PARAM_free>>;
using Nodes = std::span<const JsonNode>;

constexpr std::size_t kMaxSetValues = 4096;
constexpr std::size_t kMaxSetBytes = 256 * 1024;
constexpr std::size_t kMaxNumberBytes = 1024;  // RSA of 8192 bits
constexpr std::size_t kMaxKid = 256;           // what the reader accepts in a token

const unsigned char* bytes(const std::string& text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

// A string member; empty if it is absent or something else.
std::string_view text_of(Nodes nodes, std::size_t object, std::string_view name) {
    const auto* member = find_member(nodes, object, name);
    return member != nullptr && member->kind == JsonKind::string ? member->text() : std::string_view();
}

std::optional<std::string> number_of(Nodes nodes, std::size_t object, std::string_view name) {
    auto number = base64url_decode(text_of(nodes, object, name));
    if (!number || number->empty() || number->size() > kMaxNumberBytes) return std::nullopt;
    return number;
}

EvpPkey from_data(const char* type, OSSL_PARAM_BLD* builder) {
    const Params params(OSSL_PARAM_BLD_to_param(builder));
    const EvpPkeyCtx context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
    EVP_PKEY* pkey = nullptr;
    if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
        EVP_PKEY_fromdata(context.get(), &pkey, EVP_PKEY_PUBLIC_KEY, params.get()) != 1)
        return nullptr;
    return EvpPkey(pkey);
}

EvpPkey rsa_key(Nodes nodes, std::size_t object) {
    const auto n = number_of(nodes, object, "n");
    const auto e = number_of(nodes, object, "e");
    if (!n || !e) return nullptr;
    const Bignum modulus(BN_bin2bn(bytes(*n), static_cast<int>(n->size()), nullptr));
    const Bignum exponent(BN_bin2bn(bytes(*e), static_cast<int>(e->size()), nullptr));
    const ParamBuilder builder(OSSL_PARAM_BLD_new());
    if (!modulus || !exponent || !builder ||
        OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get()) != 1 ||
        OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get()) != 1)
        return nullptr;
    return from_data("RSA", builder.get());
}

EvpPkey p256_key(Nodes nodes, std::size_t object) {
    const auto x = number_of(nodes, object, "x");
    const auto y = number_of(nodes, object, "y");
    if (!x || !y || x->size() != 32 || y->size() != 32)
        return nullptr;  // RFC 7518 section 6.2.1.2: full length
    const std::string point = "\x04" + *x + *y;
    const ParamBuilder builder(OSSL_PARAM_BLD_new());
    if (!builder ||
        OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, SN_X9_62_prime256v1, 0) !=
            1 ||
        OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                         point.size()) != 1)
        return nullptr;
    return from_data("EC", builder.get());
}

EvpPkey ed25519_key(Nodes nodes, std::size_t object) {
    const auto x = number_of(nodes, object, "x");
    if (!x || x->size() != 32) return nullptr;
    return EvpPkey(EVP_PKEY_new_raw_public_key_ex(nullptr, "ED25519", nullptr, bytes(*x), x->size()));
}

// RFC 7517 sections 4.2 and 4.3: a key for encryption, or one that may not verify, is not for us.
bool meant_for_verifying(Nodes nodes, std::size_t object) {
    if (const auto* use = find_member(nodes, object, "use"); use != nullptr && use->text() != "sig")
        return false;
    const auto* ops = find_member(nodes, object, "key_ops");
    if (ops == nullptr) return true;
    const auto first = static_cast<std::size_t>(ops - nodes.data()) + 1;
    for (std::size_t i = first; i < ops->end; i = nodes[i].end)
        if (nodes[i].kind == JsonKind::string && nodes[i].text() == "verify") return true;
    return false;
}

// The one algorithm that a key is bound to: the one it names, else the usual one of its type.
std::optional<Algorithm> algorithm_of(Nodes nodes, std::size_t object) {
    const auto kty = text_of(nodes, object, "kty");
    const auto crv = text_of(nodes, object, "crv");
    std::optional<Algorithm> usual;
    if (kty == "RSA") usual = Algorithm::rs256;
    if (kty == "EC" && crv == "P-256") usual = Algorithm::es256;
    if (kty == "OKP" && crv == "Ed25519") usual = Algorithm::eddsa;
    if (!usual || find_member(nodes, object, "alg") == nullptr) return usual;
    const auto named = parse_algorithm(text_of(nodes, object, "alg"));
    if (named == usual || (named == Algorithm::ps256 && usual == Algorithm::rs256)) return named;
    return std::nullopt;
}

Result<Key> read_jwk(Nodes nodes, std::size_t object) {
    if (nodes[object].kind != JsonKind::object) return KeyErrc::unreadable;
    const auto algorithm = algorithm_of(nodes, object);
    if (!algorithm || !meant_for_verifying(nodes, object)) return KeyErrc::unsupported;
    if (find_member(nodes, object, "d") != nullptr)
        return KeyErrc::unsupported;  // a private key that got out
    const auto kid = text_of(nodes, object, "kid");
    if (find_member(nodes, object, "kid") != nullptr && (kid.empty() || kid.size() > kMaxKid))
        return KeyErrc::unreadable;
    EvpPkey pkey;
    if (*algorithm == Algorithm::es256)
        pkey = p256_key(nodes, object);
    else if (*algorithm == Algorithm::eddsa)
        pkey = ed25519_key(nodes, object);
    else
        pkey = rsa_key(nodes, object);
    ERR_clear_error();
    if (!pkey) return KeyErrc::unreadable;
    return make_public_key(*algorithm, std::move(pkey), std::string(kid));
}

std::string encode_number(EVP_PKEY* pkey, const char* parameter) {
    BIGNUM* raw = nullptr;
    if (EVP_PKEY_get_bn_param(pkey, parameter, &raw) != 1) return "";
    const Bignum number(raw);
    std::string out(static_cast<std::size_t>(BN_num_bytes(raw)), '\0');
    BN_bn2bin(raw, reinterpret_cast<unsigned char*>(out.data()));
    return base64url_encode(out);
}

std::string encode_coordinate(EVP_PKEY* pkey, const char* parameter) {
    BIGNUM* raw = nullptr;
    if (EVP_PKEY_get_bn_param(pkey, parameter, &raw) != 1) return "";
    const Bignum number(raw);
    std::string out(32, '\0');
    BN_bn2binpad(raw, reinterpret_cast<unsigned char*>(out.data()), 32);
    return base64url_encode(out);
}

std::string encode_raw(EVP_PKEY* pkey) {
    std::string out(32, '\0');
    std::size_t length = out.size();
    if (EVP_PKEY_get_raw_public_key(pkey, reinterpret_cast<unsigned char*>(out.data()), &length) != 1)
        return "";
    return base64url_encode(out);
}

using Member = std::pair<std::string_view, std::string>;

// The members that make up the public key, in the order of RFC 7638 section 3.2 (by name).
std::vector<Member> public_members(const Key& key) {
    EVP_PKEY* pkey = key.impl().pkey.get();
    switch (key.algorithm()) {
        case Algorithm::rs256:
        case Algorithm::ps256:
            return {{"e", encode_number(pkey, OSSL_PKEY_PARAM_RSA_E)},
                    {"kty", "RSA"},
                    {"n", encode_number(pkey, OSSL_PKEY_PARAM_RSA_N)}};
        case Algorithm::es256:
            return {{"crv", "P-256"},
                    {"kty", "EC"},
                    {"x", encode_coordinate(pkey, OSSL_PKEY_PARAM_EC_PUB_X)},
                    {"y", encode_coordinate(pkey, OSSL_PKEY_PARAM_EC_PUB_Y)}};
        case Algorithm::eddsa:
            return {{"crv", "Ed25519"}, {"kty", "OKP"}, {"x", encode_raw(pkey)}};
        case Algorithm::hs256:
            break;
    }
    return {};
}

}  // namespace

Result<KeySet> KeySet::from_jwks(std::string_view text, std::vector<std::string>* errors) {
    if (text.size() > kMaxSetBytes) return KeyErrc::unreadable;
    std::string copy(text);
    copy.append(kScanPadding, '\0');
    std::vector<JsonNode> storage(kMaxSetValues);
    const Nodes nodes = scan_object(copy.data(), copy.data() + text.size(), storage);
    if (nodes.empty()) return KeyErrc::unreadable;
    const auto* list = find_member(nodes, 0, "keys");
    if (list == nullptr || list->kind != JsonKind::array) return KeyErrc::unreadable;

    std::vector<Key> keys;
    const auto first = static_cast<std::size_t>(list - nodes.data()) + 1;
    std::size_t index = 0;
    for (std::size_t i = first; i < list->end; i = nodes[i].end, ++index) {
        auto key = read_jwk(nodes, i);
        std::string problem;
        if (!key) {
            problem = key.error().message();
        } else {
            for (const auto& other : keys)
                if (other.kid() == key->kid() && other.algorithm() == key->algorithm())
                    problem = "same kid and algorithm as an earlier key";
        }
        if (problem.empty())
            keys.push_back(std::move(*key));
        else if (errors != nullptr)
            errors->push_back("keys[" + std::to_string(index) + "]: " + problem);
    }
    return KeySet(std::move(keys));
}

Result<std::string> thumbprint(const Key& key) {
    const auto members = public_members(key);
    if (members.empty()) return KeyErrc::unsupported;
    std::string canonical = "{";
    for (const auto& [name, value] : members) {
        if (canonical.size() > 1) canonical += ',';
        canonical.append("\"").append(name).append("\":\"").append(value).append("\"");
    }
    canonical += '}';
    std::array<char, 32> digest{};
    unsigned int length = 0;
    if (EVP_Digest(canonical.data(), canonical.size(), reinterpret_cast<unsigned char*>(digest.data()),
                   &length, EVP_sha256(), nullptr) != 1)
        return KeyErrc::unreadable;
    return base64url_encode({digest.data(), length});
}

std::string to_jwks(const std::vector<Key>& keys) {
    json::Writer out;
    out.object([&] {
        out.member_array("keys", [&] {
            for (const auto& key : keys) {
                const auto kid = thumbprint(key);
                if (!kid) continue;
                out.object([&] {
                    for (const auto& [name, value] : public_members(key)) out.member(name, value);
                    out.member("use", "sig");
                    out.member("alg", to_string(key.algorithm()));
                    out.member("kid", key.kid().empty() ? *kid : key.kid());
                });
            }
        });
    });
    return out.str();
}

}  // namespace shared::jwt
