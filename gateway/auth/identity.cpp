#include "gateway/auth/identity.hpp"

#include "shared/jwt/verifier.hpp"

namespace gateway::auth {
namespace {

// Four header lines with ids: one allocation instead of four.
constexpr std::size_t kUsualBlock = 160;

// RFC 9110 section 5.5, less tabs: what may stand in a header value and arrives as it was sent.
bool safe_in_header(std::string_view value) {
    for (const char c : value)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) return false;
    return value.empty() || (value.front() != ' ' && value.back() != ' ');
}

}  // namespace

shared::Result<IdentityRef> Identity::make(shared::jwt::Claims claims,
                                           const std::vector<config::ClaimHeader>& headers) {
    std::string block;
    block.reserve(kUsualBlock);
    for (const auto& [claim, header] : headers) {
        const auto value = claims.find(claim);
        if (!value || value->empty()) continue;
        if (!safe_in_header(*value)) return shared::jwt::Errc::bad_claim_type;
        block.append(header).append(": ").append(*value).append("\r\n");
    }
    return IdentityRef(new Identity(std::move(claims), std::move(block)));
}

bool Identity::has_scope(std::string_view scope) const {
    for (const auto& own : claims_.scopes)
        if (own == scope) return true;
    return false;
}

}  // namespace gateway::auth
