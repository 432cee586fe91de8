#include "services/auth/crypto/password_hasher.hpp"

#include <argon2.h>
#include <crypt.h>

#include <memory>
#include <stdexcept>

#include "services/auth/crypto/mac.hpp"
#include "services/auth/domain/unicode.hpp"
#include "shared/base/encoding.hpp"
#include "shared/base/random.hpp"
#include "shared/base/text.hpp"

namespace auth::crypto {
namespace {

constexpr std::size_t kSaltBytes = 16;
constexpr std::size_t kHashBytes = 32;
constexpr std::size_t kBcryptBytes = 72;  // of a password; it does not see what comes behind
constexpr std::string_view kArgon2idPrefix = "$argon2id$v=19$";
constexpr std::string_view kRaw = "raw";
constexpr std::string_view kNfc = "nfc";
constexpr std::string_view kNfcPepper = "nfc+pepper";

std::string argon2id(std::string_view prepared, const Argon2Cost& cost) {
    const std::string salt = shared::random_bytes(kSaltBytes);
    std::string encoded(
        argon2_encodedlen(cost.passes, cost.memory_kib, cost.lanes, kSaltBytes, kHashBytes, Argon2_id), '\0');
    const int outcome =
        argon2id_hash_encoded(cost.passes, cost.memory_kib, cost.lanes, prepared.data(), prepared.size(),
                              salt.data(), salt.size(), kHashBytes, encoded.data(), encoded.size());
    if (outcome != ARGON2_OK)
        throw std::runtime_error(std::string("Argon2id: ") + argon2_error_message(outcome));
    encoded.resize(encoded.find('\0'));
    return encoded;
}

// "$argon2id$v=19$m=19456,t=2,p=1$salt$hash"; nullopt for anything else.
std::optional<Argon2Cost> cost_of(std::string_view phc) {
    if (!phc.starts_with(kArgon2idPrefix)) return std::nullopt;
    phc.remove_prefix(kArgon2idPrefix.size());
    phc = phc.substr(0, phc.find('$'));
    Argon2Cost cost;
    for (auto& [name, value] : {std::pair<std::string_view, std::uint32_t*>{"m=", &cost.memory_kib},
                                std::pair<std::string_view, std::uint32_t*>{"t=", &cost.passes},
                                std::pair<std::string_view, std::uint32_t*>{"p=", &cost.lanes}}) {
        const auto part = phc.substr(0, phc.find(','));
        if (!part.starts_with(name)) return std::nullopt;
        const auto number = shared::parse_number<std::uint32_t>(part.substr(name.size()));
        if (!number) return std::nullopt;
        *value = *number;
        phc.remove_prefix(part.size() == phc.size() ? part.size() : part.size() + 1);
    }
    return cost;
}

bool verify_bcrypt(const std::string& stored, const std::string& prepared) {
    // About 32 KiB, too much for a thread's stack frame; zeroed as crypt_r(3) asks.
    const auto data = std::make_unique<crypt_data>();
    const char* computed = crypt_r(prepared.c_str(), stored.c_str(), data.get());
    return computed != nullptr && equal_in_constant_time(computed, stored);
}

bool is_bcrypt(std::string_view stored) {
    return stored.size() == 60 &&
           (stored.starts_with("$2a$") || stored.starts_with("$2b$") || stored.starts_with("$2y$"));
}

}  // namespace

PasswordHasher::PasswordHasher(Argon2Cost cost, std::optional<std::string> pepper)
    : cost_(cost), pepper_(std::move(pepper)), dummy_(hash(shared::random_id(24))) {}

std::optional<std::string> PasswordHasher::prepare(std::string_view password,
                                                   std::string_view preparation) const {
    if (preparation == kRaw) return std::string(password);
    auto text = domain::to_nfc(password);
    if (!text || preparation == kNfc) return text;
    if (preparation != kNfcPepper || !pepper_) return std::nullopt;
    return shared::base64url_encode(hmac_sha256(*pepper_, *text));
}

domain::StoredPassword PasswordHasher::hash(std::string_view password) const {
    domain::StoredPassword stored;
    stored.preparation = pepper_ ? kNfcPepper : kNfc;
    const auto prepared = prepare(password, stored.preparation);
    if (!prepared) throw std::runtime_error("a password that is no valid UTF-8 cannot be kept");
    stored.hash = argon2id(*prepared, cost_);
    return stored;
}

PasswordHasher::Verdict PasswordHasher::verify(const domain::StoredPassword& stored,
                                               std::string_view password) const {
    Verdict verdict;
    const auto prepared = prepare(password, stored.preparation);
    if (!prepared) return verdict;
    if (is_bcrypt(stored.hash)) {
        // bcrypt ends at a NUL; a password with one would match everything that begins like it.
        verdict.matches = prepared->find('\0') == std::string::npos && verify_bcrypt(stored.hash, *prepared);
        verdict.truncated = verdict.matches && prepared->size() > kBcryptBytes;
        verdict.outdated = !verdict.truncated;
        return verdict;
    }
    const auto cost = cost_of(stored.hash);
    // A hash whose cost is far from anything we would set is not computed: the database must not be able to
    // stop us.
    if (!cost || cost->memory_kib > 1024 * 1024 || cost->passes > 100) return verdict;
    verdict.matches = argon2id_verify(stored.hash.c_str(), prepared->data(), prepared->size()) == ARGON2_OK;
    verdict.outdated = cost->memory_kib < cost_.memory_kib || cost->passes < cost_.passes ||
                       cost->lanes != cost_.lanes || stored.preparation != (pepper_ ? kNfcPepper : kNfc);
    return verdict;
}

void PasswordHasher::verify_nothing(std::string_view password) const {
    (void)verify(dummy_, password);
}

}  // namespace auth::crypto
