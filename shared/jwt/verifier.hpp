// Verification of compact JWS access tokens (RFC 7515, 7519, 8725). Strict reader, then key, then signature,
// then claims; every refusal has its own reason. cpp-jwt never sees a token from outside.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/clock.hpp"
#include "shared/base/result.hpp"
#include "shared/jwt/claims.hpp"
#include "shared/jwt/key.hpp"

namespace shared::jwt {

// Why a token was refused. The value names are used in logs and metrics (snake_case).
enum class Errc {
    // reader
    too_long = 1,
    bad_character,
    wrong_part_count,
    empty_part,
    bad_base64url,
    header_not_json_object,
    payload_not_json_object,
    // header
    alg_missing,
    alg_not_allowed,  // unknown, "none", another case
    typ_not_allowed,
    crit_present,
    bad_kid,
    // key
    unknown_kid,
    alg_key_mismatch,
    no_keys,  // keys could not be loaded: an outage (503), never a 401
    // signature
    bad_signature_length,
    bad_signature,
    // claims
    exp_missing,
    bad_numeric_date,
    expired,
    not_yet_valid,
    issued_in_future,
    issuer_mismatch,
    audience_mismatch,
    sub_missing,
    bad_claim_type,
    // session
    revoked,
    sessions_unknown,  // the feed of ended sessions has not been heard for too long: an outage (503), never a
                       // 401
};
const boost::system::error_category& category();
inline ErrorCode make_error_code(Errc e) {
    return {static_cast<int>(e), category()};
}
std::string_view reason(Errc errc);  // "bad_signature"; also the message of the error code

// What an issuer's tokens must look like.
struct Rules {
    std::string issuer;
    std::string audience;
    std::chrono::seconds leeway{30};  // 0..300
    std::size_t max_token_bytes = 8 * 1024;
};

struct ReadToken;

// Immutable after construction and safe to use from several threads; key changes make a new one.
class Verifier {
  public:
    // Throws std::invalid_argument for rules that nothing should be checked against: an empty issuer or
    // audience, a leeway outside 0..300 s.
    Verifier(Rules rules, std::shared_ptr<const KeySet> keys);
    ~Verifier();

    Result<Claims> verify(std::string_view token, WallTime now) const;
    // For a token that is already taken apart (shared/jwt/reader.hpp), where its issuer had to be looked at
    // first.
    Result<Claims> verify(const ReadToken& token, WallTime now) const;

    const Rules& rules() const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace shared::jwt

template <>
struct boost::system::is_error_code_enum<shared::jwt::Errc> : std::true_type {};
