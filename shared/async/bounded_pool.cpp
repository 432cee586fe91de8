#include "shared/async/bounded_pool.hpp"

namespace shared::async {

const boost::system::error_category& category() {
    struct Category final : boost::system::error_category {
        const char* name() const noexcept override { return "bounded_pool"; }
        std::string message(int) const override { return "the queue of waiting work is full"; }
    };
    static const Category instance;
    return instance;
}

}  // namespace shared::async
