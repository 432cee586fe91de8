#include "services/auth/crypto/issuer_keys.hpp"

#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <vector>

#include "shared/json/json.hpp"
#include "shared/jwt/jwks.hpp"

namespace auth::crypto {
namespace {

namespace fs = std::filesystem;
using shared::jwt::Algorithm;
using shared::jwt::Key;

constexpr const char* kIndex = "keys.json";

struct KeyFile {
    std::string kid;  // also the file's name, without .pem
    Algorithm algorithm = Algorithm::es256;
    std::string state;       // next, active, retired
    std::int64_t since = 0;  // of the state, seconds since the epoch
};

std::string read_text(const fs::path& path) {
    std::ifstream file(path);
    if (!file) throw std::runtime_error(path.string() + ": cannot be read");
    return {std::istreambuf_iterator<char>(file), {}};
}

// Whole or not at all, and for nobody else's eyes.
void write_text(const fs::path& path, const std::string& text) {
    const fs::path temporary = path.string() + ".new";
    const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    const bool written = fd >= 0 &&
                         ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                         ::fsync(fd) == 0;
    if (fd >= 0) ::close(fd);
    if (!written) throw std::runtime_error(path.string() + ": cannot be written");
    fs::rename(temporary, path);
}

std::vector<KeyFile> read_index(const fs::path& folder) {
    const fs::path path = folder / kIndex;
    const auto fail = [&](const std::string& what) {
        return std::runtime_error(path.string() + ": " + what);
    };
    auto document = shared::json::parse(read_text(path));
    if (!document || !document->IsObject()) throw fail("no JSON object");
    std::vector<shared::json::FieldError> errors;
    std::vector<KeyFile> keys;
    shared::json::ObjectReader in(*document, errors);
    if (const auto* array = in.required_array("keys")) {
        for (const auto& value : array->GetArray()) {
            if (!value.IsObject()) throw fail("/keys must hold objects");
            shared::json::ObjectReader entry(value, errors, "/keys/" + std::to_string(keys.size()));
            KeyFile key;
            key.kid = entry.required_text("kid");
            key.state = entry.required_text("state");
            key.since = entry.required_integer("since", 0, std::int64_t{1} << 53);
            const auto algorithm = shared::jwt::parse_algorithm(entry.required_text("alg"));
            if (!algorithm || *algorithm == Algorithm::hs256)
                entry.error("alg", "must be ES256, RS256, PS256 or EdDSA");
            if (key.state != "next" && key.state != "active" && key.state != "retired")
                entry.error("state", "must be next, active or retired");
            if (key.kid.find('/') != std::string::npos) entry.error("kid", "is no file name");
            entry.finish();
            key.algorithm = algorithm.value_or(Algorithm::es256);
            keys.push_back(std::move(key));
        }
    }
    in.finish();
    if (!errors.empty()) throw fail(errors.front().pointer + " " + errors.front().detail);
    const auto active =
        std::count_if(keys.begin(), keys.end(), [](const auto& key) { return key.state == "active"; });
    if (active != 1) throw fail("exactly one key must be active");
    return keys;
}

void write_index(const fs::path& folder, const std::vector<KeyFile>& keys) {
    shared::json::Writer out;
    out.object([&] {
        out.member_array("keys", [&] {
            for (const auto& key : keys) {
                out.object([&] {
                    out.member("kid", key.kid);
                    out.member("alg", shared::jwt::to_string(key.algorithm));
                    out.member("state", key.state);
                    out.member("since", key.since);
                });
            }
        });
    });
    write_text(folder / kIndex, out.str() + "\n");
}

EVP_PKEY* generate(Algorithm algorithm) {
    switch (algorithm) {
        case Algorithm::rs256:
        case Algorithm::ps256:
            return EVP_RSA_gen(2048);
        case Algorithm::eddsa:
            return EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
        case Algorithm::es256:
        case Algorithm::hs256:
            break;
    }
    return EVP_EC_gen("P-256");
}

KeyFile make_key(const fs::path& folder, Algorithm algorithm, std::string state, std::int64_t now) {
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> pkey(generate(algorithm), &EVP_PKEY_free);
    const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new(BIO_s_mem()), &BIO_free);
    if (!pkey ||
        PEM_write_bio_PKCS8PrivateKey(bio.get(), pkey.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1)
        throw std::runtime_error("a new key cannot be made");
    char* data = nullptr;
    const long length = BIO_get_mem_data(bio.get(), &data);
    const std::string pem(data, static_cast<std::size_t>(length));
    const auto key = Key::from_private_pem(algorithm, pem);
    if (!key) throw std::runtime_error("a new key cannot be used: " + key.error().message());
    const auto kid = shared::jwt::thumbprint(*key);
    if (!kid) throw std::runtime_error("a new key has no thumbprint: " + kid.error().message());
    write_text(folder / (*kid + ".pem"), pem);
    return {*kid, algorithm, std::move(state), now};
}

// One rotation at a time, on whichever replica's machine.
class FolderLock {
  public:
    explicit FolderLock(const fs::path& folder)
        : fd_(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
        if (fd_ < 0 || ::flock(fd_, LOCK_EX) != 0)
            throw std::runtime_error(folder.string() + ": cannot be locked");
    }
    ~FolderLock() { ::close(fd_); }
    FolderLock(const FolderLock&) = delete;
    FolderLock& operator=(const FolderLock&) = delete;

  private:
    int fd_;
};

std::int64_t seconds(shared::WallTime time) {
    return std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
}

// The caller holds the folder's lock.
bool make_first(const fs::path& folder, Algorithm algorithm, std::int64_t now) {
    if (fs::exists(folder / kIndex)) return false;
    write_index(folder,
                {make_key(folder, algorithm, "active", now), make_key(folder, algorithm, "next", now)});
    return true;
}

Key secret_key(const std::string& secret) {
    auto key = Key::from_secret(secret);
    if (!key) throw std::runtime_error("JWT_SECRET: " + key.error().message());
    return std::move(*key);
}

}  // namespace

std::shared_ptr<const IssuerKeys> make_secret_keys(const std::string& secret) {
    auto keys = std::make_shared<IssuerKeys>();
    keys->signer = make_hs256_signer(secret);
    std::vector<Key> verification;
    verification.push_back(secret_key(secret));
    keys->verification = std::make_shared<const shared::jwt::KeySet>(std::move(verification));
    keys->jwks = "{\"keys\":[]}";
    return keys;
}

std::shared_ptr<const IssuerKeys> load_key_files(const fs::path& folder, const std::string& secret) {
    auto keys = std::make_shared<IssuerKeys>();
    std::vector<Key> verification;
    for (const auto& file : read_index(folder)) {
        const fs::path path = folder / (file.kid + ".pem");
        const std::string pem = read_text(path);
        auto key = Key::from_private_pem(file.algorithm, pem, file.kid);
        if (!key) throw std::runtime_error(path.string() + ": " + key.error().message());
        verification.push_back(std::move(*key));
        if (file.state == "active") keys->signer = make_private_key_signer(file.algorithm, pem, file.kid);
    }
    keys->jwks = shared::jwt::to_jwks(verification);
    verification.push_back(secret_key(secret));
    keys->verification = std::make_shared<const shared::jwt::KeySet>(std::move(verification));
    return keys;
}

bool make_first_key_files(const fs::path& folder, shared::WallTime time) {
    // Without the lock: a folder with keys may be read-only.
    if (fs::exists(folder / kIndex)) return false;
    fs::create_directories(folder);
    const FolderLock lock(folder);
    return make_first(folder, Algorithm::es256, seconds(time));
}

std::string rotate_key_files(const fs::path& folder, const Rotation& rotation, shared::WallTime time) {
    const std::int64_t now = seconds(time);
    fs::create_directories(folder);
    const FolderLock lock(folder);
    if (make_first(folder, rotation.algorithm, now)) return "made an active key and the next one";
    auto keys = read_index(folder);
    std::vector<KeyFile> gone;
    bool has_next = false;
    for (auto& key : keys) {
        if (key.state == "next") {
            const auto age = now - key.since;
            if (age < rotation.publish_for.count())
                throw std::runtime_error("the next key was published " + std::to_string(age) +
                                         " s ago; wait until " +
                                         std::to_string(rotation.publish_for.count()) +
                                         " s have passed, so that every verifier has it");
            has_next = true;
        }
        if (key.state == "retired" && now - key.since >= rotation.retire_after.count()) gone.push_back(key);
    }
    std::erase_if(keys, [&](const KeyFile& key) {
        return std::any_of(gone.begin(), gone.end(), [&](const KeyFile& old) { return old.kid == key.kid; });
    });
    if (has_next) {
        for (auto& key : keys) {
            if (key.state == "retired") continue;
            key.state = key.state == "next" ? "active" : "retired";
            key.since = now;
        }
    }
    keys.push_back(make_key(folder, rotation.algorithm, "next", now));
    write_index(folder, keys);
    // After the index: nobody looks for these any more.
    for (const auto& key : gone) fs::remove(folder / (key.kid + ".pem"));
    return has_next ? "the next key is active, a new one is published" : "a next key is published";
}

}  // namespace auth::crypto
