#include "services/auth/store/mongo_changes.hpp"

#include "services/auth/store/mongo_audit.hpp"
#include "services/auth/store/mongo_sessions.hpp"
#include "shared/log/log.hpp"

namespace auth::store {
namespace {

constexpr const char* kChanges = "changes";
constexpr const char* kUsers = "users";
constexpr const char* kAdminLock = "admin";

// Longer than any attempt can still be under way: its two or three writes have 5 s each.
constexpr std::chrono::seconds kGivenUp{30};

std::string key_of(const Intent& intent) {
    return intent.takes_admin ? kAdminLock : intent.id;
}

Bson to_document(const Intent& intent) {
    Bson document;
    document.text("_id", key_of(intent))
        .text("change", intent.id)
        .integer("kind", static_cast<std::int64_t>(intent.kind))
        .text("user_id", intent.user_id)
        .integer("version", intent.version)
        .time("at", intent.at);
    if (!intent.sid.empty()) document.text("sid", intent.sid);
    if (intent.below) document.integer("below", *intent.below);
    document.boolean("unknown_stamps", intent.unknown_stamps);
    if (intent.ending)
        document.text("kept", intent.ending->kept)
            .text("reason", intent.ending->reason.reason)
            .time("now", intent.ending->reason.now)
            .time("until", intent.ending->reason.until);
    document.documents("audit", to_documents(intent.audit));
    return document;
}

Intent to_intent(const Bson& document) {
    const BsonView view(document.get());
    Intent intent;
    intent.takes_admin = view.text("_id") == kAdminLock;
    intent.id = view.text("change");
    intent.kind = static_cast<Intent::Kind>(view.integer("kind"));
    intent.user_id = view.text("user_id");
    intent.version = view.integer("version");
    intent.at = view.time("at");
    intent.sid = view.text("sid");
    if (view.has("below")) intent.below = view.integer("below");
    intent.unknown_stamps = view.boolean("unknown_stamps");
    if (view.has("reason")) {
        intent.ending.emplace();
        intent.ending->kept = view.text("kept");
        intent.ending->reason.reason = view.text("reason");
        intent.ending->reason.now = view.time("now");
        intent.ending->reason.until = view.time("until");
    }
    for (const auto& record : view.documents("audit")) intent.audit.push_back(to_audit_record(record));
    return intent;
}

Result<std::vector<std::string>> sessions_of(MongoSession& session, const Intent& intent) {
    if (!intent.sid.empty()) return std::vector<std::string>{intent.sid};
    Bson filter;
    filter.text("user_id", intent.user_id).boolean("revoked", false);
    auto found = session.find("sessions", filter, Bson());
    if (!found) return found.error();
    std::vector<std::string> sids;
    for (const auto& document : *found) {
        const BsonView view(document.get());
        const auto stamp = view.integer("stamp");
        const bool outdated = !intent.below || (stamp == 0 ? intent.unknown_stamps : stamp < *intent.below);
        auto sid = view.text("_id");
        if (outdated && sid != intent.ending->kept) sids.push_back(std::move(sid));
    }
    return sids;
}

enum class Outcome { happened, pending, overtaken };

Result<Outcome> look(MongoSession& session, const Intent& intent) {
    if (intent.kind == Intent::Kind::end) return Outcome::happened;
    auto found = session.find_one(kUsers, Bson().id("_id", intent.user_id));
    if (!found) return found.error();
    if (intent.kind == Intent::Kind::create) return *found ? Outcome::happened : Outcome::pending;
    if (!*found) return intent.kind == Intent::Kind::remove ? Outcome::happened : Outcome::overtaken;
    if (intent.kind == Intent::Kind::remove) return Outcome::pending;
    const BsonView account((*found)->get());
    if (account.text("change") == intent.id) return Outcome::happened;
    return account.integer("version") == intent.version ? Outcome::pending : Outcome::overtaken;
}

}  // namespace

Result<bool> open_intent(MongoSession& session, Intent& intent) {
    for (auto& record : intent.audit)
        if (record.id.empty()) record.id = new_object_id();
    auto opened = session.try_insert(kChanges, to_document(intent));
    if (!opened) return to_errc(opened.error());
    return !opened->duplicate;
}

Result<> drop_intent(MongoSession& session, const Intent& intent) {
    auto dropped = session.remove(kChanges, Bson().text("_id", key_of(intent)).text("change", intent.id));
    if (!dropped) return dropped.error();
    return {};
}

Result<std::vector<std::string>> carry_out(MongoSession& session, const Intent& intent) {
    std::vector<std::string> ended;
    if (intent.ending) {
        auto sids = sessions_of(session, intent);
        if (!sids) return sids.error();
        ended = std::move(*sids);
        if (auto done = end_sessions(session, ended, intent.ending->reason); !done) return done.error();
    }
    if (auto noted = session.insert_missing(kAuditCollection, to_documents(intent.audit)); !noted)
        return noted.error();
    if (auto dropped = drop_intent(session, intent); !dropped) return dropped.error();
    return ended;
}

Result<> close_left_intents(MongoSession& session, WallTime now) {
    auto found = session.find(kChanges, Bson(), Bson().integer("limit", 200));
    if (!found) return found.error();
    for (const auto& document : *found) {
        Intent intent = to_intent(document);
        const auto outcome = look(session, intent);
        if (!outcome) return outcome.error();
        const bool given_up = intent.at + kGivenUp < now;
        if (*outcome == Outcome::happened) {
            // Whoever follows the list looks at what is new: so these end now, not when it was meant.
            if (intent.ending && intent.ending->reason.now < now) {
                intent.ending->reason.until += now - intent.ending->reason.now;
                intent.ending->reason.now = now;
            }
            if (auto done = carry_out(session, intent); !done) return done.error();
        } else if (given_up) {
            shared::log::warn("change_given_up", {{"subject", intent.user_id}, {"change", intent.id}});
            if (*outcome == Outcome::overtaken) {
                // Somebody else has changed the account since, so its stamp decides; the audit says what it
                // knows.
                intent.ending.reset();
                for (auto& record : intent.audit) record.detail += " (outcome unknown)";
                if (auto done = carry_out(session, intent); !done) return done.error();
            } else if (auto done = drop_intent(session, intent); !done) {
                return done.error();
            }
        }
    }
    return {};
}

}  // namespace auth::store
