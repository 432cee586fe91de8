// Several writes as one fact, on a database without transactions over documents: collection `changes`.
//
// An intent comes first: what is to happen, which sessions end with it, what the audit then says. Then the
// account changes, in one write that decides and that names the intent. Then the intent is carried out:
// sessions end, the audit is written, the intent goes; each of these can be done twice. Whoever finds an
// intent that was left looks at the account and closes it: that is asked for with every look at the list of
// ended sessions, so a crash anywhere in between is mended within a second where a replica is up, and before
// the first answer where none was.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "services/auth/store/mongo_client.hpp"
#include "services/auth/store/user_store.hpp"

namespace auth::store {

struct Intent {
    enum class Kind {
        create,  // happened if the account is there
        change,  // if the account names the intent
        remove,  // if the account is gone
        end,     // only sessions end: it is always carried out
    };

    std::string id = new_object_id();
    Kind kind = Kind::end;
    bool takes_admin = false;  // an enabled admin goes: one such intent at a time
    std::string user_id;
    std::int64_t version = 0;  // of the account before
    WallTime at{};
    std::optional<Ending> ending;
    std::string sid;                    // only this session ends; empty: the account's
    std::optional<std::int64_t> below;  // only sessions of lower stamps; those of unknown ones too, where
    bool unknown_stamps = true;         // this says so
    AuditRecords audit;
};

// False: another one that takes an admin is open.
Result<bool> open_intent(MongoSession& session, Intent& intent);
// Nothing has happened and nothing will.
Result<> drop_intent(MongoSession& session, const Intent& intent);
// What has to follow the change; the sessions that ended.
Result<std::vector<std::string>> carry_out(MongoSession& session, const Intent& intent);
// Closes what others have left.
Result<> close_left_intents(MongoSession& session, WallTime now);

}  // namespace auth::store
