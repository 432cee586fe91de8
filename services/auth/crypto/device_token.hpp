// What a device keeps to show that its owner has signed in there before (OWASP, "Device Cookies"):
// "<device>.<mac>.<mac>…", a random id and a MAC for each account, so that it names nobody. Guesses at an
// account from elsewhere then do not keep its owner out. It proves no more than that: a password is needed
// all the same.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace auth::crypto {

class DeviceTokens {
  public:
    static constexpr std::size_t kAccounts = 5;  // that signed in last
    static constexpr std::size_t kMaxLength = 256;

    // `key`: at least 32 bytes.
    explicit DeviceTokens(std::string key) : key_(std::move(key)) {}

    // The device's id, where the token says that the account has signed in there.
    std::optional<std::string> device_of(std::string_view token, std::string_view account_id) const;

    // `token` with the account in front; a new device's where it has not the form of one.
    std::string remember(std::string_view token, std::string_view account_id) const;

  private:
    std::string mac(std::string_view device, std::string_view account_id) const;

    std::string key_;
};

}  // namespace auth::crypto
