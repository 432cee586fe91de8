#include "test/integration/auth/store_fixture.hpp"

#include <stdexcept>

namespace auth_test {

StoreFixture::StoreFixture(test::UserStore kind, bool prepared) {
    if (kind == test::UserStore::mongo) {
        mongo_ = std::make_unique<test::MongoDatabase>();
        uri_ = mongo_->uri();
    } else {
        postgres_ = std::make_unique<test::PostgresDatabase>();
        uri_ = postgres_->uri();
    }
    database_ = open_again();
    if (prepared && !run(io, database_->prepare()))
        throw std::runtime_error("the database cannot be prepared");
}

std::unique_ptr<auth::store::Database> StoreFixture::open_again() {
    auth::store::DatabaseOptions options;
    options.uri = uri_;
    options.sql_dir = test::source_path("sql/auth");
    options.connections = 4;
    return auth::store::open_database(io, options);
}

auth::store::NewAccount new_account(const std::string& username) {
    auth::store::NewAccount account;
    account.username = username;
    account.email = username + "@kampus.ac.id";
    account.password.hash = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA";
    return account;
}

}  // namespace auth_test
