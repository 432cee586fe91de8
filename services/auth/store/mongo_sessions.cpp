#include "services/auth/store/mongo_sessions.hpp"

#include <algorithm>

#include "services/auth/store/mongo_audit.hpp"
#include "services/auth/store/mongo_changes.hpp"

namespace auth::store {
namespace {

constexpr const char* kSessions = "sessions";
constexpr const char* kRevocations = "revocations";
constexpr std::size_t kBatch = 500;

Session to_session(const Bson& document) {
    const BsonView view(document.get());
    Session session;
    session.sid = view.text("_id");
    session.user_id = view.text("user_id");
    session.stamp = view.integer("stamp");
    session.gen = view.integer("gen");
    session.grace_used = static_cast<int>(view.integer("grace_used"));
    session.created_at = view.time("created_at");
    session.last_used_at = view.time("last_used_at");
    session.expires_at = view.time("expires_at");
    session.revoked = view.boolean("revoked");
    session.client_address = view.text("client_address");
    session.user_agent = view.text("user_agent");
    return session;
}

Bson after(WallTime time) {
    return std::move(Bson().time("$gt", time));
}

Bson live_filter(std::string_view sid, WallTime now, const SessionRules& rules) {
    Bson filter;
    if (!sid.empty()) filter.text("_id", sid);
    filter.boolean("revoked", false)
        .document("expires_at", after(now))
        .document("last_used_at", after(now - rules.idle));
    return filter;
}

std::optional<Session> session_of(const std::optional<Bson>& document) {
    if (!document) return std::nullopt;
    return to_session(*document);
}

}  // namespace

// The list first: if the second write is lost, edges refuse the session already, the caller reports an error,
// and sweep() ends the session for good before the entry leaves the list. The other way round an ended
// session could be missing from the list for ever.
Result<> end_sessions(MongoSession& session, const std::vector<std::string>& sids, const EndReason& reason) {
    Bson changes;
    changes.document(
        "$set",
        Bson().boolean("revoked", true).time("revoked_at", reason.now).text("revoked_for", reason.reason));
    for (std::size_t from = 0; from < sids.size(); from += kBatch) {
        const std::vector<std::string> batch(
            sids.begin() + static_cast<std::ptrdiff_t>(from),
            sids.begin() + static_cast<std::ptrdiff_t>(std::min(from + kBatch, sids.size())));
        std::vector<Bson> entries;
        for (const auto& sid : batch) {
            entries.emplace_back();
            entries.back().text("_id", sid).time("ended_at", reason.now).time("until", reason.until);
        }
        auto listed =
            session.insert_missing(kRevocations, entries);  // there already: somebody else is ending it too
        if (!listed) return listed.error();
        Bson filter;
        if (batch.size() == 1)
            filter.text("_id", batch.front());
        else
            filter.document("_id", Bson().texts("$in", batch));
        filter.boolean("revoked", false);
        auto ended = session.update(kSessions, filter, changes, batch.size() > 1);
        if (!ended) return ended.error();
    }
    return {};
}

awaitable<Result<>> MongoSessions::prepare() {
    auto work = [](MongoSession& session) -> Result<> {
        for (const auto& [collection, field] :
             {std::pair{kSessions, "user_id"}, std::pair{kSessions, "last_used_at"},
              std::pair{kRevocations, "ended_at"}, std::pair{kRevocations, "until"}}) {
            auto done = session.create_index(collection, field);
            if (!done) return done;
        }
        return {};
    };
    return client_.run(std::move(work));
}

// The session first and the account after it: whoever changes the account changes it first and looks for
// sessions after it, so one of the two sees the other. Nobody has been given a token of a session that goes
// here.
awaitable<Result<bool>> MongoSessions::insert(Session created, AuditRecords audit) {
    auto work = [created = std::move(created),
                 audit = std::move(audit)](MongoSession& session) -> Result<bool> {
        std::vector<Bson> documents;
        documents.emplace_back();
        documents.back()
            .text("_id", created.sid)
            .text("user_id", created.user_id)
            .integer("stamp", created.stamp)
            .integer("gen", created.gen)
            .integer("grace_used", created.grace_used)
            .time("created_at", created.created_at)
            .time("last_used_at", created.last_used_at)
            .time("expires_at", created.expires_at)
            .boolean("revoked", false)
            .text("client_address", created.client_address)
            .text("user_agent", created.user_agent);
        if (auto done = session.insert(kSessions, documents); !done) return to_errc(done.error());
        if (created.stamp != 0) {
            auto account = session.find_one("users", Bson().id("_id", created.user_id));
            if (!account) return to_errc(account.error());
            const bool unchanged = *account &&
                                   BsonView((*account)->get()).integer("stamp") == created.stamp &&
                                   !BsonView((*account)->get()).boolean("disabled");
            if (!unchanged) {
                auto removed = session.remove(kSessions, Bson().text("_id", created.sid));
                if (!removed) return to_errc(removed.error());
                return false;
            }
        }
        if (audit.empty()) return true;
        if (auto noted = session.insert(kAuditCollection, to_documents(audit)); !noted)
            return to_errc(noted.error());
        return true;
    };
    return client_.run(std::move(work));
}

awaitable<Result<std::optional<Session>>> MongoSessions::find(std::string sid) {
    auto work = [sid = std::move(sid)](MongoSession& session) -> Result<std::optional<Session>> {
        auto found = session.find_one(kSessions, Bson().text("_id", sid));
        if (!found) return found.error();
        return session_of(*found);
    };
    return client_.run(std::move(work));
}

awaitable<Result<std::optional<Session>>> MongoSessions::rotate(std::string sid, std::int64_t gen,
                                                                WallTime now, SessionRules rules) {
    auto work = [sid = std::move(sid), gen, now,
                 rules](MongoSession& session) -> Result<std::optional<Session>> {
        Bson filter = live_filter(sid, now, rules);
        filter.integer("gen", gen);
        Bson changes;
        changes.document("$inc", Bson().integer("gen", 1))
            .document("$set", Bson().time("last_used_at", now).integer("grace_used", 0));
        auto modified = session.find_and_modify(kSessions, filter, changes);
        if (!modified) return modified.error();
        return session_of(modified->document);
    };
    return client_.run(std::move(work));
}

awaitable<Result<std::optional<Session>>> MongoSessions::use_grace(std::string sid, std::int64_t gen,
                                                                   WallTime now, SessionRules rules) {
    auto work = [sid = std::move(sid), gen, now,
                 rules](MongoSession& session) -> Result<std::optional<Session>> {
        Bson filter;
        filter.text("_id", sid)
            .boolean("revoked", false)
            .integer("gen", gen + 2)
            .document("expires_at", after(now))
            .document("last_used_at", after(now - rules.grace))
            .document("grace_used", Bson().integer("$lt", rules.grace_uses));
        Bson changes;
        changes.document("$inc", Bson().integer("grace_used", 1));
        auto modified = session.find_and_modify(kSessions, filter, changes);
        if (!modified) return modified.error();
        return session_of(modified->document);
    };
    return client_.run(std::move(work));
}

awaitable<Result<std::vector<Session>>> MongoSessions::list_live(std::string user_id, WallTime now,
                                                                 SessionRules rules, std::size_t limit,
                                                                 std::optional<SessionPosition> after) {
    auto work = [user_id = std::move(user_id), now, rules, limit,
                 after = std::move(after)](MongoSession& session) -> Result<std::vector<Session>> {
        Bson filter = live_filter("", now, rules);
        filter.text("user_id", user_id);
        if (after) {
            std::vector<Bson> behind(2);
            behind[0].document("created_at", Bson().time("$lt", after->created_at));
            behind[1].time("created_at", after->created_at).document("_id", Bson().text("$gt", after->sid));
            filter.documents("$or", behind);
        }
        Bson options;
        options.document("sort", Bson().small_integer("created_at", -1).small_integer("_id", 1))
            .integer("limit", static_cast<std::int64_t>(limit));
        auto found = session.find(kSessions, filter, options);
        if (!found) return found.error();
        std::vector<Session> sessions;
        for (const auto& document : *found) sessions.push_back(to_session(document));
        return sessions;
    };
    return client_.run(std::move(work));
}

awaitable<Result<>> MongoSessions::end(std::string sid, EndReason reason, AuditRecords audit) {
    Intent intent;
    intent.sid = std::move(sid);
    intent.at = reason.now;
    intent.ending.emplace();
    intent.ending->reason = std::move(reason);
    intent.audit = std::move(audit);
    auto work = [intent = std::move(intent)](MongoSession& session) mutable -> Result<> {
        if (auto opened = open_intent(session, intent); !opened) return opened.error();
        if (auto done = carry_out(session, intent); !done) return done.error();
        return {};
    };
    return client_.run(std::move(work));
}

awaitable<Result<std::vector<std::string>>> MongoSessions::end_all(std::string user_id,
                                                                   std::optional<std::int64_t> below,
                                                                   Ending ending) {
    Intent intent;
    intent.user_id = std::move(user_id);
    intent.at = ending.reason.now;
    intent.below = below;
    intent.unknown_stamps = !below;
    intent.ending = std::move(ending);
    auto work = [intent =
                     std::move(intent)](MongoSession& session) mutable -> Result<std::vector<std::string>> {
        if (auto opened = open_intent(session, intent); !opened) return opened.error();
        return carry_out(session, intent);
    };
    return client_.run(std::move(work));
}

awaitable<Result<std::vector<EndedSession>>> MongoSessions::ended_since(WallTime since, WallTime now) {
    auto work = [since, now](MongoSession& session) -> Result<std::vector<EndedSession>> {
        if (auto closed = close_left_intents(session, now); !closed) return closed.error();
        Bson filter;
        filter.document("ended_at", after(since)).document("until", after(now));
        auto found = session.find(kRevocations, filter, Bson());
        if (!found) return found.error();
        std::vector<EndedSession> entries;
        entries.reserve(found->size());
        for (const auto& document : *found) {
            const BsonView view(document.get());
            entries.push_back({view.text("_id"), view.time("ended_at"), view.time("until")});
        }
        return entries;
    };
    return client_.run(std::move(work));
}

awaitable<Result<std::int64_t>> MongoSessions::sweep(WallTime now, SessionRules rules) {
    auto work = [now, rules](MongoSession& session) -> Result<std::int64_t> {
        std::int64_t removed = 0;
        // Entries leave the list only after their sessions have surely ended. Bounded batches: a sweep that
        // is behind goes on in the next round.
        Bson over;
        over.document("until", Bson().time("$lte", now));
        auto entries = session.find(kRevocations, over, Bson().integer("limit", 2000));
        if (!entries) return entries.error();
        if (!entries->empty()) {
            std::vector<std::string> sids;
            for (const auto& entry : *entries) sids.push_back(BsonView(entry.get()).text("_id"));
            Bson filter;
            filter.document("_id", Bson().texts("$in", sids));
            Bson still_live;
            still_live.document("_id", Bson().texts("$in", sids)).boolean("revoked", false);
            Bson changes;
            changes.document("$set", Bson().boolean("revoked", true).text("revoked_for", "healed"));
            if (auto healed = session.update(kSessions, still_live, changes, true); !healed)
                return healed.error();
            auto gone = session.remove(kRevocations, filter, true);
            if (!gone) return gone.error();
            removed += *gone;
        }
        // A session that is over stays as long as an access token of it could be alive.
        const auto margin = rules.access_ttl + rules.leeway;
        for (const auto& [field, before] :
             {std::pair{"expires_at", now - margin}, std::pair{"last_used_at", now - rules.idle - margin},
              std::pair{"revoked_at", now - std::chrono::days(1)}}) {
            Bson filter;
            filter.document(field, Bson().time("$lt", before));
            auto gone = session.remove(kSessions, filter, true);
            if (!gone) return gone.error();
            removed += *gone;
        }
        return removed;
    };
    return client_.run(std::move(work));
}

}  // namespace auth::store
