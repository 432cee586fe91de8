#include "services/auth/store/mongo_throttle.hpp"

namespace auth::store {
namespace {

constexpr const char* kFailures = "login_failures";

Bson fields(const FailureState& state) {
    Bson out;
    out.integer("failures", state.failures)
        .time("last_failure_at", state.last_failure_at)
        .time("blocked_until", state.blocked_until);
    return out;
}

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

awaitable<Result<bool>> MongoThrottle::replace(std::string key, FailureState seen, FailureState next) {
    auto work = [key = std::move(key), seen, next](MongoSession& session) -> Result<bool> {
        if (seen == FailureState()) {
            auto inserted = session.try_insert(kFailures, fields(next).text("_id", key));
            if (!inserted) return to_errc(inserted.error());
            return !inserted->duplicate;
        }
        Bson filter;
        filter.text("_id", key)
            .integer("failures", seen.failures)
            .time("last_failure_at", seen.last_failure_at);
        Bson changes;
        changes.document("$set", fields(next));
        auto changed = session.update(kFailures, filter, changes);
        if (!changed) return to_errc(changed.error());
        return changed->matched == 1;
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

awaitable<Result<>> MongoThrottle::clear_below(std::string prefix) {
    auto work = [prefix = std::move(prefix)](MongoSession& session) -> Result<> {
        std::string end = prefix;
        ++end.back();
        Bson range;
        range.text("$gte", prefix).text("$lt", end);
        auto removed = session.remove(kFailures, Bson().document("_id", range), true);
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
