#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <string>

#include "services/auth/crypto/password_service.hpp"

using auth::crypto::Asker;
using auth::crypto::PasswordHasher;
using auth::crypto::PasswordService;
namespace asio = boost::asio;

namespace {

// Many who sign in at once; what became of each, in order.
class Crowd {
  public:
    explicit Crowd(std::size_t queue) : passwords(PasswordHasher({8, 1, 1}, std::nullopt), 1, queue) {}

    void come(const std::string& address, const std::string& account) {
        auto pending = passwords.hash("jeruk-manis-77", Asker(address, account));
        asio::co_spawn(
            io, std::move(pending),
            [this, address](std::exception_ptr, shared::Result<auth::domain::StoredPassword> hash) {
                (hash ? served : refused) += address;
            });
    }
    void run() { io.run(); }

    asio::io_context io;
    PasswordService passwords;
    std::string served;
    std::string refused;
};

}  // namespace

TEST_CASE("the hashing queue is served in turn by address, and nobody fills it") {
    Crowd crowd(6);
    for (int i = 0; i < 20; ++i) crowd.come("a", "account " + std::to_string(i));
    crowd.come("b", "somebody");
    crowd.come("c", "somebody else");
    crowd.run();
    CHECK(crowd.served == "abcaaaa");
    CHECK(crowd.refused == std::string(15, 'a'));
    CHECK(crowd.passwords.in_use() == 0);
}

TEST_CASE("one account has a few places in the hashing queue, from however many addresses it is asked for") {
    Crowd crowd(8);
    for (int i = 0; i < 20; ++i) crowd.come(std::string(1, static_cast<char>('A' + i)), "target");
    crowd.come("z", "somebody");
    crowd.come("y", "");  // the service itself, or an account that is not there yet
    crowd.run();
    CHECK(crowd.served.substr(0, 6) == "ABCDzy");
    CHECK(crowd.served.size() == 14);
    CHECK(crowd.refused.size() == 8);
}
