// The bearer secret of the feed of ended sessions, where no FEED_TOKEN is set.
#pragma once

#include <string>
#include <string_view>

namespace shared::session {

// Lower-case hex of HMAC-SHA256(jwt_secret, "kampus revocation feed v1"): whoever holds the signing secret
// may read the feed, and the feed's secret tells nothing about the signing secret.
std::string derive_feed_token(std::string_view jwt_secret);

}  // namespace shared::session
