// Any header and any payload under a good HS256 signature: what comes through meets every rule, by a second
// reading. Input: the header's length, then the header's and the payload's JSON.
#include <cmath>
#include <cstdlib>
#include <memory>
#include <string>

#include "shared/json/json.hpp"
#include "shared/jwt/verifier.hpp"
#include "test/fuzz/require.hpp"
#include "test/unit/shared/jwt_support.hpp"

using shared::jwt::Algorithm;

namespace {

std::string text_of(const rapidjson::Document& document, const char* name) {
    const auto member = document.FindMember(name);
    if (member == document.MemberEnd() || !member->value.IsString()) return "";
    return {member->value.GetString(), member->value.GetStringLength()};
}

bool has_audience(const rapidjson::Document& document) {
    const auto aud = document.FindMember("aud");
    if (aud == document.MemberEnd()) return false;
    const auto ours = [](const rapidjson::Value& value) {
        return value.IsString() &&
               std::string_view(value.GetString(), value.GetStringLength()) == "kampus-api";
    };
    if (!aud->value.IsArray()) return ours(aud->value);
    for (const auto& item : aud->value.GetArray())
        if (ours(item)) return true;
    return false;
}

void check_accepted(const std::string& header_text, const std::string& payload_text,
                    const shared::jwt::Claims& claims) {
    const auto header = shared::json::parse(header_text);
    REQUIRE_THAT_ALWAYS(header && header->IsObject());
    REQUIRE_THAT_ALWAYS(text_of(*header, "alg") == "HS256");
    REQUIRE_THAT_ALWAYS(!header->HasMember("crit"));
    const auto payload = shared::json::parse(payload_text);
    // A number beyond a double in a claim that nobody reads is let pass; shared/json refuses the whole text.
    if (!payload) return;
    REQUIRE_THAT_ALWAYS(text_of(*payload, "iss") == "kampus-auth" && claims.iss == "kampus-auth");
    REQUIRE_THAT_ALWAYS(!claims.sub.empty() && text_of(*payload, "sub") == claims.sub);
    REQUIRE_THAT_ALWAYS(text_of(*payload, "role") == claims.role);
    REQUIRE_THAT_ALWAYS(text_of(*payload, "sid") == claims.sid);
    REQUIRE_THAT_ALWAYS(has_audience(*payload));
    const auto exp = payload->FindMember("exp");
    REQUIRE_THAT_ALWAYS(exp != payload->MemberEnd() && exp->value.IsNumber());
    const double now = 1'700'000'000.0;
    REQUIRE_THAT_ALWAYS(exp->value.GetDouble() > now - 30.0 && exp->value.GetDouble() <= 9007199254740992.0);
    for (const char* name : {"nbf", "iat"}) {
        const auto date = payload->FindMember(name);
        if (date == payload->MemberEnd()) continue;
        REQUIRE_THAT_ALWAYS(date->value.IsNumber() && date->value.GetDouble() <= now + 30.0 &&
                            !(date->value.GetDouble() < 0));
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const test::Signer signer(Algorithm::hs256);
    static const auto verifier = std::make_unique<shared::jwt::Verifier>(
        test::rules(), std::make_shared<const shared::jwt::KeySet>(std::vector{signer.key("k-1")}));
    if (size < 1) return 0;
    const std::size_t header_size = std::min<std::size_t>(data[0], size - 1);
    const std::string header(reinterpret_cast<const char*>(data) + 1, header_size);
    const std::string payload(reinterpret_cast<const char*>(data) + 1 + header_size, size - 1 - header_size);
    const auto token = signer.token(header, payload);
    const auto claims = verifier->verify(token, test::kNow);
    if (claims) check_accepted(header, payload, *claims);

    auto changed = token;
    changed.back() = changed.back() == 'A' ? 'Q' : 'A';  // other bits of the signature, still canonical
    REQUIRE_THAT_ALWAYS(!verifier->verify(changed, test::kNow).has_value());
    return 0;
}
