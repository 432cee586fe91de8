#include "services/auth/store/mongo_users.hpp"

#include "services/auth/domain/identifiers.hpp"
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

Bson changes_of(const AccountPatch& patch, WallTime now) {
    Bson set;
    Bson unset;
    if (patch.role) set.text("role", domain::to_string(*patch.role));
    if (patch.nim && *patch.nim) set.text("nim", **patch.nim);
    if (patch.nim && !*patch.nim) unset.text("nim", "");
    if (patch.disabled) set.boolean("disabled", *patch.disabled);
    if (patch.must_change_password) set.boolean("must_change_password", *patch.must_change_password);
    if (patch.password)
        set.text("password", patch.password->hash).text("password_prep", patch.password->preparation);
    set.time("updatedAt", now);
    Bson increments;
    increments.integer("version", 1);
    if (patch.ends_sessions) increments.integer("stamp", 1);
    Bson changes;
    changes.document("$set", set).document("$inc", increments);
    if (!unset.empty()) changes.document("$unset", unset);
    return changes;
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
        Bson document;
        document.id("_id", new_object_id())
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
        if (change->duplicate)
            return which_is_taken(session, domain::username_key(account.username),
                                  domain::email_key(account.email));
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

awaitable<Result<std::optional<Account>>> MongoUsers::update(std::string id, AccountPatch patch,
                                                             std::optional<std::int64_t> version,
                                                             WallTime now) {
    auto work = [id = std::move(id), patch = std::move(patch), version,
                 now](MongoSession& session) -> Result<std::optional<Account>> {
        Bson filter;
        filter.id("_id", id);
        if (version) filter.integer("version", *version);
        auto modified = session.find_and_modify(kUsers, filter, changes_of(patch, now));
        if (!modified) return modified.error();
        if (modified->duplicate) return Errc::nim_taken;  // the only unique field that a patch can change
        if (modified->document) return std::optional<Account>(to_account(*modified->document));
        if (!version) return std::optional<Account>();
        auto there = session.find_one(kUsers, Bson().id("_id", id));
        if (!there) return there.error();
        if (*there) return Errc::version_conflict;
        return std::optional<Account>();
    };
    return client_.run(std::move(work));
}

awaitable<Result<bool>> MongoUsers::replace_password(std::string id, std::string old_hash, AccountPatch patch,
                                                     WallTime now) {
    auto work = [id = std::move(id), old_hash = std::move(old_hash), patch = std::move(patch),
                 now](MongoSession& session) -> Result<bool> {
        auto change =
            session.update(kUsers, Bson().id("_id", id).text("password", old_hash), changes_of(patch, now));
        if (!change) return to_errc(change.error());
        return change->matched == 1;
    };
    return client_.run(std::move(work));
}

awaitable<Result<bool>> MongoUsers::remove(std::string id, std::optional<std::int64_t> version) {
    auto work = [id = std::move(id), version](MongoSession& session) -> Result<bool> {
        Bson filter;
        filter.id("_id", id);
        if (version) filter.integer("version", *version);
        auto removed = session.remove(kUsers, filter);
        if (!removed) return to_errc(removed.error());
        if (*removed == 1) return true;
        if (!version) return false;
        auto there = session.find_one(kUsers, Bson().id("_id", id));
        if (!there) return to_errc(there.error());
        if (*there) return Errc::version_conflict;
        return false;
    };
    return client_.run(std::move(work));
}

awaitable<Result<bool>> MongoUsers::any_admin() {
    auto work = [](MongoSession& session) -> Result<bool> {
        auto found = session.find_one(kUsers, Bson().text("role", "admin"));
        if (!found) return to_errc(found.error());
        return found->has_value();
    };
    return client_.run(std::move(work));
}

}  // namespace auth::store
