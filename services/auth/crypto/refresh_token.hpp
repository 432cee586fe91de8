// Refresh tokens: "<sid>.<gen>.<mac>". Opaque to clients. The MAC's key is not in the database, so neither a
// copy of the database nor a guess makes a token, and one of a wrong form never reaches the database.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace auth::crypto {

class RefreshTokens {
  public:
    // `key`: at least 32 bytes.
    explicit RefreshTokens(std::string key) : key_(std::move(key)) {}

    // The same session and generation give the same token: that is how the grace window can hand it out
    // again.
    std::string mint(std::string_view sid, std::int64_t gen) const;

    struct Parts {
        std::string sid;
        std::int64_t gen = 0;
    };
    // nullopt for anything that mint() did not make.
    std::optional<Parts> read(std::string_view token) const;

  private:
    std::string key_;
};

}  // namespace auth::crypto
