#include "services/auth/store/mongo_throttle.hpp"

namespace auth::store {
namespace {

constexpr const char* kFailures = "login_failures";

}  // namespace

awaitable<Result<FailureState>> MongoThrottle::state(std::string key) {
    auto work = [key = std::move(key)](MongoSession& session) -> Result<FailureState> {
        auto found = session.find_one(kFailures, Bson().text("_id", key));
        if (!found) return found.error();
        if (!*found) return FailureState();
        const BsonView view((*found)->get());
        return FailureState{view.integer("failures"), view.time("last_failure_at"),
                            view.time("blocked_until")};
    };
    return client_.run(std::move(work));
}

awaitable<Result<std::int64_t>> MongoThrottle::record_failure(std::string key, WallTime now) {
    auto work = [key = std::move(key), now](MongoSession& session) -> Result<std::int64_t> {
        Bson changes;
        changes.document("$inc", Bson().integer("failures", 1))
            .document("$set", Bson().time("last_failure_at", now));
        // Two first failures at once may both try to insert; the one that is refused finds the other's
        // document.
        for (int attempt = 0; attempt < 3; ++attempt) {
            auto modified = session.find_and_modify(kFailures, Bson().text("_id", key), changes, true);
            if (!modified) return modified.error();
            if (modified->document) return BsonView(modified->document->get()).integer("failures");
        }
        return Errc::busy;
    };
    return client_.run(std::move(work));
}

awaitable<Result<>> MongoThrottle::block_until(std::string key, WallTime until) {
    auto work = [key = std::move(key), until](MongoSession& session) -> Result<> {
        Bson changes;
        changes.document("$max", Bson().time("blocked_until", until));
        auto change = session.update(kFailures, Bson().text("_id", key), changes);
        if (!change) return change.error();
        return {};
    };
    return client_.run(std::move(work));
}

awaitable<Result<>> MongoThrottle::clear(std::string key) {
    auto work = [key = std::move(key)](MongoSession& session) -> Result<> {
        auto removed = session.remove(kFailures, Bson().text("_id", key));
        if (!removed) return removed.error();
        return {};
    };
    return client_.run(std::move(work));
}

awaitable<Result<std::int64_t>> MongoThrottle::sweep(WallTime before) {
    auto work = [before](MongoSession& session) {
        Bson filter;
        filter.document("last_failure_at", Bson().time("$lt", before));
        return session.remove(kFailures, filter, true);
    };
    return client_.run(std::move(work));
}

}  // namespace auth::store
