#include <string>

#include "shared/jwt/verifier.hpp"

namespace shared::jwt {
namespace {

class Category : public boost::system::error_category {
  public:
    const char* name() const noexcept override { return "jwt"; }
    std::string message(int value) const override { return std::string(reason(static_cast<Errc>(value))); }
};

}  // namespace

std::string_view reason(Errc errc) {
    switch (errc) {
        case Errc::too_long:
            return "too_long";
        case Errc::bad_character:
            return "bad_character";
        case Errc::wrong_part_count:
            return "wrong_part_count";
        case Errc::empty_part:
            return "empty_part";
        case Errc::bad_base64url:
            return "bad_base64url";
        case Errc::header_not_json_object:
            return "header_not_json_object";
        case Errc::payload_not_json_object:
            return "payload_not_json_object";
        case Errc::alg_missing:
            return "alg_missing";
        case Errc::alg_not_allowed:
            return "alg_not_allowed";
        case Errc::typ_not_allowed:
            return "typ_not_allowed";
        case Errc::crit_present:
            return "crit_present";
        case Errc::bad_kid:
            return "bad_kid";
        case Errc::unknown_kid:
            return "unknown_kid";
        case Errc::alg_key_mismatch:
            return "alg_key_mismatch";
        case Errc::no_keys:
            return "no_keys";
        case Errc::bad_signature_length:
            return "bad_signature_length";
        case Errc::bad_signature:
            return "bad_signature";
        case Errc::exp_missing:
            return "exp_missing";
        case Errc::bad_numeric_date:
            return "bad_numeric_date";
        case Errc::expired:
            return "expired";
        case Errc::not_yet_valid:
            return "not_yet_valid";
        case Errc::issued_in_future:
            return "issued_in_future";
        case Errc::issuer_mismatch:
            return "issuer_mismatch";
        case Errc::audience_mismatch:
            return "audience_mismatch";
        case Errc::sub_missing:
            return "sub_missing";
        case Errc::bad_claim_type:
            return "bad_claim_type";
        case Errc::revoked:
            return "revoked";
        case Errc::sessions_unknown:
            return "sessions_unknown";
    }
    return "unknown";
}

const boost::system::error_category& category() {
    static const Category category;
    return category;
}

}  // namespace shared::jwt
