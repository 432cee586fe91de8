#include "test/unit/shared/pg_support.hpp"

#include <libpq-fe.h>

#include <cstdlib>
#include <memory>
#include <stdexcept>

namespace test::pg {
namespace {

std::string keyword(const std::string& uri, const std::string& name, const std::string& fallback) {
    const std::unique_ptr<PQconninfoOption, void (*)(PQconninfoOption*)> options(
        PQconninfoParse(uri.c_str(), nullptr), PQconninfoFree);
    if (!options) throw std::runtime_error("the connection string is malformed");
    for (const auto* option = options.get(); option->keyword != nullptr; ++option) {
        if (option->val != nullptr && name == option->keyword) return option->val;
    }
    return fallback;
}

}  // namespace

unsigned short server_port() {
    const char* uri = std::getenv("TEST_PG_URI");
    return static_cast<unsigned short>(std::stoi(keyword(uri != nullptr ? uri : "", "port", "5432")));
}

std::string through(const std::string& uri, const std::string& host, unsigned short port) {
    auto text = "host='" + host + "' port=" + std::to_string(port) +
                " user=" + keyword(uri, "user", "postgres") + " dbname=" + keyword(uri, "dbname", "postgres");
    const auto password = keyword(uri, "password", "");
    if (!password.empty()) text += " password='" + password + "'";
    return text;
}

}  // namespace test::pg
