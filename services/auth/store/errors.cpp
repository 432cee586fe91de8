#include "services/auth/store/errors.hpp"

namespace auth::store {

const boost::system::error_category& category() {
    struct Category final : boost::system::error_category {
        const char* name() const noexcept override { return "auth_store"; }
        std::string message(int value) const override {
            switch (static_cast<Errc>(value)) {
                case Errc::unavailable:
                    return "the database cannot be reached";
                case Errc::busy:
                    return "too much work is waiting for the database";
                case Errc::username_taken:
                    return "the user name is taken";
                case Errc::email_taken:
                    return "the e-mail address is taken";
                case Errc::nim_taken:
                    return "the NIM belongs to another account";
                case Errc::last_admin:
                    return "no other admin is enabled";
                case Errc::version_conflict:
                    return "the record has changed meanwhile";
                case Errc::failed:
                    break;
            }
            return "the database refused the statement";
        }
    };
    static const Category instance;
    return instance;
}

}  // namespace auth::store
