#include "services/auth/store/mongo_users.hpp"

#include <chrono>
#include <thread>

#include "services/auth/domain/identifiers.hpp"
#include "services/auth/store/mongo_changes.hpp"
#include "shared/log/log.hpp"

namespace auth::store {
namespace {

constexpr const char* kUsers = "users";

// Which index has refused it. Servers word E11000 differently and some do not name the index, so we look; the
// index has decided already, this only finds out what to tell the caller.
Errc which_is_taken(MongoSession& session, std::string_view username_key, std::string_view email_key) {
    auto found = session.find_one(kUsers, Bson().text("username_key", username_key));
    if (!found) return to_errc(found.error());
    if (*found) return Errc::username_taken;
    found = session.find_one(kUsers, Bson().text("email_key", email_key));
    if (!found) return to_errc(found.error());
    return *found ? Errc::email_taken : Errc::nim_taken;
}

Account to_account(const Bson& document) {
    const BsonView view(document.get());
    Account account;
    account.id = view.id("_id");
    account.username = view.text("username");
    account.email = view.text("email");
    account.password.hash = view.text("password");
    account.password.preparation = view.optional_text("password_prep").value_or("raw");
    account.role = domain::role_from_store(view.text("role"));
    account.nim = view.optional_text("nim");
    account.disabled = view.boolean("disabled");
    account.must_change_password = view.boolean("must_change_password");
    account.version = view.integer("version");
    account.stamp = view.integer("stamp");
    account.kept_session = view.text("kept_session");
    account.created_at = view.time("createdAt");
    account.updated_at = view.has("updatedAt") ? view.time("updatedAt") : account.created_at;
    return account;
}

// Brings a document that the first version wrote to today's form. Where another account has the same name but
// for case, the later one keeps its exact spelling only. False: the document is not there any more.
Result<bool> adopt(MongoSession& session, const Bson& document) {
    const BsonView view(document.get());
    const std::string id = view.id("_id");
    const std::string username = view.text("username");
    const std::string email = view.text("email");
    const Bson filter = std::move(Bson().id("_id", id));
    const auto set = [&](Bson fields) {
        return session.update(kUsers, filter, Bson().document("$set", fields));
    };

    Bson common;
    common.text("role", domain::to_string(domain::role_from_store(view.text("role"))))
        .boolean("disabled", view.boolean("disabled"))
        .integer("version", 1)
        .integer("stamp", 1);
    for (const auto& [key, value] :
         {std::pair<const char*, std::string>{"username_key", domain::username_key(username)},
          std::pair<const char*, std::string>{"email_key", domain::email_key(email)}}) {
        if (value.empty() || view.has(key)) continue;
        Bson field;
        field.text(key, value);
        auto change = set(std::move(field));
        if (!change) return to_errc(change.error());
        if (change->duplicate) shared::log::warn("legacy_account_not_unique", {{"id", id}, {"field", key}});
    }
    // Last: it marks the document as taken over.
    auto change = set(std::move(common));
    if (!change) return to_errc(change.error());
    return change->matched == 1;
}

Result<std::optional<Account>> adopted_account(MongoSession& session, std::optional<Bson> document) {
    if (!document) return std::optional<Account>();
    if (!BsonView(document->get()).has("version")) {
        if (auto done = adopt(session, *document); !done) return done.error();
        auto again = session.find_one(kUsers, Bson().id("_id", BsonView(document->get()).id("_id")));
        if (!again) return again.error();
        if (!*again) return std::optional<Account>();
        return std::optional<Account>(to_account(**again));
    }
    return std::optional<Account>(to_account(*document));
}

// By the exact spelling first: that serves old accounts that differ by case only, and those that an old
// version of the service writes while both run.
Result<std::optional<Account>> find_by(MongoSession& session, const char* field, const std::string& value,
                                       const char* key_field, const std::string& key) {
    auto found = session.find_one(kUsers, Bson().text(field, value));
    if (found && !*found) found = session.find_one(kUsers, Bson().text(key_field, key));
    if (!found) return found.error();
    return adopted_account(session, std::move(*found));
}

// `change`: the intent that the account is to name.
Bson changes_of(const AccountPatch& patch, WallTime now, const std::string& change) {
    Bson set;
    Bson unset;
    if (patch.role) set.text("role", domain::to_string(*patch.role));
    if (patch.nim && *patch.nim) set.text("nim", **patch.nim);
    if (patch.nim && !*patch.nim) unset.text("nim", "");
    if (patch.disabled) set.boolean("disabled", *patch.disabled);
    if (patch.must_change_password) set.boolean("must_change_password", *patch.must_change_password);
    if (patch.password)
        set.text("password", patch.password->hash).text("password_prep", patch.password->preparation);
    set.time("updatedAt", now).text("change", change);
    Bson increments;
    increments.integer("version", 1);
    if (patch.ending) {
        increments.integer("stamp", 1);
        set.text("kept_session", patch.ending->kept);
    }
    Bson changes;
    changes.document("$set", set).document("$inc", increments);
    if (!unset.empty()) changes.document("$unset", unset);
    return changes;
}

constexpr int kTries = 100;
constexpr std::chrono::milliseconds kTurnPause{20};

// Opens the intent. One that takes an admin waits for its turn and then needs another enabled one.
Result<> open_in_turn(MongoSession& session, Intent& intent) {
    for (int attempt = 0; attempt < kTries; ++attempt) {
        auto opened = open_intent(session, intent);
        if (!opened) return opened.error();
        if (!*opened) {
            std::this_thread::sleep_for(kTurnPause);  // a thread of the pool: such changes are rare
            continue;
        }
        if (!intent.takes_admin) return {};
        Bson filter;
        filter.text("role", "admin")
            .boolean("disabled", false)
            .document("_id", Bson().id("$ne", intent.user_id));
        auto other = session.find_one(kUsers, filter);
        if (!other) return other.error();
        if (*other) return {};
        if (auto dropped = drop_intent(session, intent); !dropped) return dropped.error();
        return Errc::last_admin;
    }
    return Errc::busy;
}

struct Condition {
    std::optional<std::int64_t> version;
    std::optional<std::string> password;  // the hash
};

Intent intent_of(const Account& before, Intent::Kind kind, bool takes_admin, std::optional<Ending> ending,
                 AuditRecords audit, WallTime now) {
    Intent intent;
    intent.kind = kind;
    intent.takes_admin = takes_admin && before.role == domain::Role::admin && !before.disabled;
    intent.user_id = before.id;
    intent.version = before.version;
    intent.at = now;
    intent.ending = std::move(ending);
    intent.audit = std::move(audit);
    return intent;
}

Result<std::optional<Account>> account_with(MongoSession& session, const std::string& id) {
    auto found = session.find_one(kUsers, Bson().id("_id", id));
    if (!found) return found.error();
    return adopted_account(session, std::move(*found));
}

// One try at the version that was just read. The outer nullopt: somebody else was faster.
Result<std::optional<std::optional<Changed>>> try_change(MongoSession& session, const std::string& id,
                                                         const AccountPatch& patch,
                                                         const Condition& condition, WallTime now) {
    using Answer = std::optional<std::optional<Changed>>;
    auto before = account_with(session, id);
    if (!before) return before.error();
    if (!*before || (condition.password && (*before)->password.hash != *condition.password))
        return Answer(std::in_place, std::nullopt);
    if (condition.version && (*before)->version != *condition.version) return Errc::version_conflict;
    const Account& account = **before;
    Intent intent =
        intent_of(account, Intent::Kind::change, takes_admin_away(patch), patch.ending, patch.audit, now);
    intent.below = account.stamp + 1;
    const bool alone = !patch.ending && patch.audit.empty() && !intent.takes_admin;
    if (!alone)
        if (auto opened = open_in_turn(session, intent); !opened) return opened.error();
    Bson filter;
    filter.id("_id", id).integer("version", account.version);
    auto modified = session.find_and_modify(kUsers, filter, changes_of(patch, now, intent.id));
    if (!modified) return modified.error();
    if (!modified->document && !alone)
        if (auto dropped = drop_intent(session, intent); !dropped) return dropped.error();
    if (modified->duplicate) return Errc::nim_taken;  // the only unique field that a patch can change
    if (!modified->document) return Answer();
    Changed changed;
    changed.account = to_account(*modified->document);
    if (!alone) {
        auto ended = carry_out(session, intent);
        if (!ended) return ended.error();
        changed.ended = std::move(*ended);
    }
    return Answer(std::in_place, std::move(changed));
}

Result<std::optional<Changed>> change(MongoSession& session, const std::string& id, const AccountPatch& patch,
                                      const Condition& condition, WallTime now) {
    for (int attempt = 0; attempt < kTries; ++attempt) {
        auto answer = try_change(session, id, patch, condition, now);
        if (!answer) return answer.error();
        if (*answer) return std::move(**answer);
    }
    return Errc::busy;
}

Result<> create_index(MongoSession& session, const char* field, bool unique) {
    Bson key;
    key.small_integer(field, 1);
    Bson index;
    index.document("key", key).text("name", std::string(field) + "_1");
    if (unique) index.boolean("unique", true).boolean("sparse", true);
    std::vector<Bson> indexes;
    indexes.push_back(std::move(index));
    Bson command;
    command.text("createIndexes", kUsers).documents("indexes", indexes);
    auto code = session.command(command);
    if (!code) return code.error();
    if (*code == 0) return {};
    // 85, 86: the first version made an index on this field with other options; it serves as well. One of
    // ours that is refused means that uniqueness is not guarded, so nothing may be inserted.
    if (!unique && (*code == 85 || *code == 86)) return {};
    shared::log::error("index_refused", {{"field", field}, {"code", static_cast<std::int64_t>(*code)}});
    return Errc::failed;
}

std::string escaped_regex(std::string_view text) {
    std::string escaped;
    for (const char c : text) {
        if (std::string_view("\\^$.|?*+()[]{}-/").find(c) != std::string_view::npos) escaped += '\\';
        escaped += c;
    }
    return escaped;
}

}  // namespace

awaitable<Result<>> MongoUsers::prepare() {
    auto work = [this](MongoSession& session) -> Result<> {
        for (const char* field : {"username_key", "email_key", "nim"})
            if (auto done = create_index(session, field, true); !done) return done;
        for (const char* field : {"username", "email"})
            if (auto done = create_index(session, field, false); !done) return done;
        Bson absent;
        absent.boolean("$exists", false);
        Bson filter;
        filter.document("version", absent);
        std::int64_t adopted = 0;
        while (true) {
            auto batch = session.find(kUsers, filter, Bson().integer("limit", 200));
            if (!batch) return batch.error();
            if (batch->empty()) break;
            const auto before = adopted;
            for (const auto& document : *batch) {
                const auto done = adopt(session, document);
                if (!done) return done.error();
                adopted += *done ? 1 : 0;
            }
            if (adopted == before) {  // an _id of a type that we cannot address
                shared::log::warn("legacy_accounts_left", {{"count", batch->size()}});
                break;
            }
        }
        if (adopted > 0) shared::log::info("legacy_accounts_adopted", {{"count", adopted}});
        prepared_ = true;
        return {};
    };
    return client_.run(std::move(work));
}

awaitable<Result<Account>> MongoUsers::insert(NewAccount account, WallTime now) {
    auto work = [this, account = std::move(account), now](MongoSession& session) -> Result<Account> {
        if (!prepared_) return Errc::busy;
        Intent intent;
        intent.kind = Intent::Kind::create;
        intent.user_id = new_object_id();
        intent.at = now;
        intent.audit = account.audit;
        for (auto& record : intent.audit)
            if (record.subject.empty()) record.subject = intent.user_id;
        if (!intent.audit.empty())
            if (auto opened = open_intent(session, intent); !opened) return opened.error();
        Bson document;
        document.id("_id", intent.user_id)
            .text("username", account.username)
            .text("email", account.email)
            .text("username_key", domain::username_key(account.username))
            .text("email_key", domain::email_key(account.email))
            .text("password", account.password.hash)
            .text("password_prep", account.password.preparation)
            .text("role", domain::to_string(account.role))
            .boolean("disabled", false)
            .boolean("must_change_password", account.must_change_password)
            .integer("version", 1)
            .integer("stamp", 1)
            .time("createdAt", now)
            .time("updatedAt", now);
        if (account.nim) document.text("nim", *account.nim);
        auto change = session.try_insert(kUsers, document);
        if (!change) return change.error();
        if (change->duplicate) {
            if (auto dropped = drop_intent(session, intent); !dropped) return dropped.error();
            return which_is_taken(session, domain::username_key(account.username),
                                  domain::email_key(account.email));
        }
        if (!intent.audit.empty())
            if (auto done = carry_out(session, intent); !done) return done.error();
        return to_account(document);
    };
    return client_.run(std::move(work));
}

awaitable<Result<std::optional<Account>>> MongoUsers::find_by_id(std::string id) {
    auto work = [id = std::move(id)](MongoSession& session) -> Result<std::optional<Account>> {
        auto found = session.find_one(kUsers, Bson().id("_id", id));
        if (!found) return found.error();
        return adopted_account(session, std::move(*found));
    };
    return client_.run(std::move(work));
}

awaitable<Result<std::optional<Account>>> MongoUsers::find_by_username(std::string username) {
    auto work = [username = std::move(username)](MongoSession& session) {
        return find_by(session, "username", username, "username_key", domain::username_key(username));
    };
    return client_.run(std::move(work));
}

awaitable<Result<std::optional<Account>>> MongoUsers::find_by_email(std::string email) {
    auto work = [email = std::move(email)](MongoSession& session) {
        return find_by(session, "email", email, "email_key", domain::email_key(email));
    };
    return client_.run(std::move(work));
}

awaitable<Result<std::vector<Account>>> MongoUsers::list(AccountQuery query) {
    auto work = [query = std::move(query)](MongoSession& session) -> Result<std::vector<Account>> {
        Bson filter;
        if (!query.after.empty()) filter.document("_id", Bson().id("$gt", query.after));
        if (query.role) filter.text("role", domain::to_string(*query.role));
        if (query.disabled) filter.boolean("disabled", *query.disabled);
        if (!query.text.empty())
            filter.document("username_key",
                            Bson().text("$regex", escaped_regex(domain::username_key(query.text))));
        Bson options;
        options.document("sort", Bson().small_integer("_id", 1))
            .integer("limit", static_cast<std::int64_t>(query.limit));
        auto found = session.find(kUsers, filter, options);
        if (!found) return found.error();
        std::vector<Account> accounts;
        for (const auto& document : *found) accounts.push_back(to_account(document));
        return accounts;
    };
    return client_.run(std::move(work));
}

awaitable<Result<std::optional<Changed>>> MongoUsers::update(std::string id, AccountPatch patch,
                                                             std::optional<std::int64_t> version,
                                                             WallTime now) {
    auto work = [id = std::move(id), patch = std::move(patch), version, now](MongoSession& session) {
        Condition condition;
        condition.version = version;
        return change(session, id, patch, condition, now);
    };
    return client_.run(std::move(work));
}

awaitable<Result<std::optional<Changed>>> MongoUsers::replace_password(std::string id, std::string old_hash,
                                                                       AccountPatch patch, WallTime now) {
    auto work = [id = std::move(id), old_hash = std::move(old_hash), patch = std::move(patch),
                 now](MongoSession& session) {
        Condition condition;
        condition.password = old_hash;
        return change(session, id, patch, condition, now);
    };
    return client_.run(std::move(work));
}

awaitable<Result<std::optional<std::vector<std::string>>>> MongoUsers::remove(
    std::string id, std::optional<std::int64_t> version, Ending ending, AuditRecords audit) {
    auto work = [id = std::move(id), version, ending = std::move(ending), audit = std::move(audit)](
                    MongoSession& session) -> Result<std::optional<std::vector<std::string>>> {
        std::optional<std::vector<std::string>> ended;
        for (int attempt = 0; attempt < kTries; ++attempt) {
            auto before = account_with(session, id);
            if (!before) return before.error();
            if (!*before) return ended;
            if (version && (*before)->version != *version) return Errc::version_conflict;
            Intent intent = intent_of(**before, Intent::Kind::remove, true, ending, audit, ending.reason.now);
            if (auto opened = open_in_turn(session, intent); !opened) return opened.error();
            auto removed =
                session.remove(kUsers, Bson().id("_id", id).integer("version", (*before)->version));
            if (!removed) return removed.error();
            if (*removed == 1) {
                auto done = carry_out(session, intent);
                if (!done) return done.error();
                ended = std::move(*done);
                return ended;
            }
            if (auto dropped = drop_intent(session, intent); !dropped) return dropped.error();
        }
        return Errc::busy;
    };
    return client_.run(std::move(work));
}

awaitable<Result<bool>> MongoUsers::any_admin() {
    auto work = [](MongoSession& session) -> Result<bool> {
        auto found = session.find_one(kUsers, Bson().text("role", "admin").boolean("disabled", false));
        if (!found) return to_errc(found.error());
        return found->has_value();
    };
    return client_.run(std::move(work));
}

}  // namespace auth::store
