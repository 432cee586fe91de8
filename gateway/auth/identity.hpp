// Who a verified token speaks for, ready to be written into an upstream request.
#pragma once

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/config/config.hpp"
#include "shared/base/result.hpp"
#include "shared/jwt/claims.hpp"

namespace gateway::auth {

// Immutable. Counted without atomics: an identity belongs to the worker whose gate made it and never leaves
// that thread.
class Identity : public boost::intrusive_ref_counter<Identity, boost::thread_unsafe_counter> {
  public:
    // Fails if a claim that goes into a header holds a control character or begins or ends with a space, so
    // that no claim can forge a header line or be trimmed into another user's name.
    static shared::Result<boost::intrusive_ptr<const Identity>> make(
        shared::jwt::Claims claims, const std::vector<config::ClaimHeader>& headers);

    std::string_view user_id() const { return claims_.sub; }
    // Of user_id(), made once: what is counted for each user costs no hashing for each request.
    std::uint64_t user_hash() const { return user_hash_; }
    std::string_view role() const { return claims_.role; }
    std::string_view nim() const { return claims_.nim; }         // empty: none
    std::string_view session_id() const { return claims_.sid; }  // empty: none
    std::string_view token_id() const { return claims_.jti; }    // empty: none
    bool has_scope(std::string_view scope) const;
    // Any claim by name as text, e.g. for a rate limit's key.
    std::optional<std::string_view> claim(std::string_view name) const { return claims_.find(name); }

    // Complete header lines, "X-User-Id: 42\r\nX-User-Role: admin\r\n"; a claim that is absent has no line.
    std::string_view header_block() const { return header_block_; }

  private:
    Identity(shared::jwt::Claims claims, std::string header_block);

    shared::jwt::Claims claims_;
    std::string header_block_;
    std::uint64_t user_hash_;
};
using IdentityRef = boost::intrusive_ptr<const Identity>;

}  // namespace gateway::auth
