#include "services/auth/store/mongo_client.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <mutex>
#include <stdexcept>

#include "shared/log/log.hpp"

namespace auth::store {
namespace {

constexpr std::int32_t kDuplicateKey = 11000;
constexpr std::size_t kQueueLimit = 256;

struct UriDeleter {
    void operator()(mongoc_uri_t* uri) const { mongoc_uri_destroy(uri); }
};
struct CollectionDeleter {
    void operator()(mongoc_collection_t* collection) const { mongoc_collection_destroy(collection); }
};
struct CursorDeleter {
    void operator()(mongoc_cursor_t* cursor) const { mongoc_cursor_destroy(cursor); }
};
struct FindAndModifyDeleter {
    void operator()(mongoc_find_and_modify_opts_t* options) const {
        mongoc_find_and_modify_opts_destroy(options);
    }
};
using Uri = std::unique_ptr<mongoc_uri_t, UriDeleter>;
using Collection = std::unique_ptr<mongoc_collection_t, CollectionDeleter>;

// What mongoc logs by itself goes into our log; its own handler would write plain text between our JSON
// lines.
void log_from_mongoc(mongoc_log_level_t level, const char* domain, const char* message, void*) {
    if (level > MONGOC_LOG_LEVEL_WARNING) return;
    // Servers that only speak the protocol need not know the farewell; nothing depends on it.
    if (std::string_view(message).find("endSessions") != std::string_view::npos) return;
    shared::log::warn("mongoc", {{"domain", domain}, {"message", message}});
}

// Once per process; mongoc's own threads live until the process ends.
void init_library() {
    static std::once_flag once;
    std::call_once(once, [] {
        mongoc_log_set_handler(log_from_mongoc, nullptr);
        mongoc_init();
    });
}

// Server errors that pass by themselves: a primary that steps down, a shutdown, a time limit; and FerretDB's
// InternalError (1), which is what it answers while its PostgreSQL is down.
bool passes_by_itself(std::uint32_t code) {
    constexpr std::array<std::uint32_t, 14> kCodes{1,   6,    7,     50,    89,    91,    189,
                                                   262, 9001, 10107, 11600, 11602, 13435, 13436};
    return std::find(kCodes.begin(), kCodes.end(), code) != kCodes.end();
}

Errc classify(const bson_error_t& error, const char* what) {
    const bool from_server =
        error.domain == MONGOC_ERROR_SERVER || error.domain == MONGOC_ERROR_WRITE_CONCERN;
    const bool transport = error.domain == MONGOC_ERROR_SERVER_SELECTION ||
                           error.domain == MONGOC_ERROR_STREAM || error.domain == MONGOC_ERROR_CLIENT ||
                           error.domain == MONGOC_ERROR_PROTOCOL;
    const Errc result =
        transport || (from_server && passes_by_itself(error.code)) ? Errc::unavailable : Errc::failed;
    shared::log::write(result == Errc::failed ? shared::log::Level::error : shared::log::Level::warn,
                       "database_error",
                       {{"operation", what},
                        {"domain", static_cast<std::int64_t>(error.domain)},
                        {"code", static_cast<std::int64_t>(error.code)},
                        {"message", static_cast<const char*>(error.message)}});
    return result;
}

void default_option(mongoc_uri_t* uri, const char* name, std::int32_t value) {
    if (!mongoc_uri_has_option(uri, name)) mongoc_uri_set_option_as_int32(uri, name, value);
}

// FerretDB 1.24 gives E11000 for inserts; for updates its PostgreSQL's error comes through as InternalError
// (1).
bool is_duplicate(const bson_error_t& error) {
    if (error.code == static_cast<std::uint32_t>(kDuplicateKey)) return true;
    const std::string_view message(static_cast<const char*>(error.message));
    return error.code == 1 && message.find("SQLSTATE 23505") != std::string_view::npos;
}

// True if a bulk write was refused nothing but documents that are there already.
bool only_duplicates(const Bson& reply) {
    bson_iter_t it;
    bson_iter_t errors;
    if (!bson_iter_init_find(&it, reply.get(), "writeErrors") || !bson_iter_recurse(&it, &errors))
        return false;
    bool any = false;
    while (bson_iter_next(&errors)) {
        bson_iter_t code;
        if (!bson_iter_recurse(&errors, &code) || !bson_iter_find(&code, "code") ||
            bson_iter_as_int64(&code) != kDuplicateKey)
            return false;
        any = true;
    }
    return any;
}

}  // namespace

std::string mongo_uri_problem(const std::string& text) {
    init_library();
    bson_error_t error;
    const Uri uri(mongoc_uri_new_with_error(text.c_str(), &error));
    return uri ? std::string() : std::string(static_cast<const char*>(error.message));
}

MongoClient::MongoClient(const std::string& text, std::size_t connections) {
    init_library();
    bson_error_t error;
    const Uri uri(mongoc_uri_new_with_error(text.c_str(), &error));
    if (!uri) throw std::runtime_error(static_cast<const char*>(error.message));
    // mongoc's own defaults wait for ever, 30 s and 5 min. What the operator wrote into the URI stays.
    default_option(uri.get(), MONGOC_URI_WAITQUEUETIMEOUTMS, 2000);
    default_option(uri.get(), MONGOC_URI_SERVERSELECTIONTIMEOUTMS, 2000);
    default_option(uri.get(), MONGOC_URI_CONNECTTIMEOUTMS, 2000);
    default_option(uri.get(), MONGOC_URI_SOCKETTIMEOUTMS, 5000);
    default_option(uri.get(), MONGOC_URI_HEARTBEATFREQUENCYMS, 5000);
    default_option(uri.get(), MONGOC_URI_MAXPOOLSIZE, static_cast<std::int32_t>(connections));
    if (!mongoc_uri_has_option(uri.get(), MONGOC_URI_W))
        mongoc_uri_set_option_as_utf8(uri.get(), MONGOC_URI_W, "majority");
    if (!mongoc_uri_get_appname(uri.get())) mongoc_uri_set_appname(uri.get(), "auth-service");
    const char* path = mongoc_uri_get_database(uri.get());
    database_ = path != nullptr && *path != '\0' ? path : "auth";

    pool_.reset(mongoc_client_pool_new(uri.get()));
    if (!pool_) throw std::runtime_error("mongoc refused the URI");
    mongoc_client_pool_set_error_api(pool_.get(), MONGOC_ERROR_API_VERSION_2);
    threads_ = std::make_unique<shared::async::BoundedPool>(connections, kQueueLimit);
}

MongoClient::~MongoClient() {
    threads_.reset();
}  // joined before the pool that they use goes

Result<std::vector<Bson>> MongoSession::find(const char* name, const Bson& filter, const Bson& options) {
    const Collection collection(mongoc_client_get_collection(client_, database_.c_str(), name));
    const std::unique_ptr<mongoc_cursor_t, CursorDeleter> cursor(
        mongoc_collection_find_with_opts(collection.get(), filter.get(), options.get(), nullptr));
    std::vector<Bson> found;
    const bson_t* document = nullptr;
    while (mongoc_cursor_next(cursor.get(), &document)) {
        Bson copy;
        bson_concat(copy.out(), document);
        found.push_back(std::move(copy));
    }
    bson_error_t error;
    if (mongoc_cursor_error(cursor.get(), &error)) return classify(error, name);
    return found;
}

Result<std::optional<Bson>> MongoSession::find_one(const char* name, const Bson& filter) {
    Bson options;
    options.integer("limit", 1).boolean("singleBatch", true);
    auto found = find(name, filter, options);
    if (!found) return found.error();
    std::optional<Bson> first;
    if (!found->empty()) first.emplace(std::move(found->front()));
    return first;
}

Result<> MongoSession::insert(const char* name, const std::vector<Bson>& documents) {
    return insert_many(name, documents, false);
}

Result<> MongoSession::insert_missing(const char* name, const std::vector<Bson>& documents) {
    return insert_many(name, documents, true);
}

Result<> MongoSession::insert_many(const char* name, const std::vector<Bson>& documents,
                                   bool skip_duplicates) {
    if (documents.empty()) return {};
    const Collection collection(mongoc_client_get_collection(client_, database_.c_str(), name));
    // No vector: g++ warns about bson_t's alignment attribute in a template argument.
    auto* const pointers = static_cast<const bson_t**>(std::calloc(documents.size(), sizeof(const bson_t*)));
    const std::unique_ptr<void, decltype(&std::free)> owner(pointers, &std::free);
    if (pointers == nullptr) return Errc::busy;
    for (std::size_t i = 0; i < documents.size(); ++i) pointers[i] = documents[i].get();
    Bson options;
    options.boolean("ordered", !skip_duplicates);  // unordered goes on behind one that is refused
    Bson reply;
    bson_destroy(reply.out());
    bson_error_t error;
    if (mongoc_collection_insert_many(collection.get(), pointers, documents.size(), options.get(),
                                      reply.out(), &error))
        return {};
    if (skip_duplicates && only_duplicates(reply)) return {};
    return classify(error, name);
}

Result<MongoSession::Change> MongoSession::try_insert(const char* name, const Bson& document) {
    const Collection collection(mongoc_client_get_collection(client_, database_.c_str(), name));
    bson_error_t error;
    Change change;
    if (mongoc_collection_insert_one(collection.get(), document.get(), nullptr, nullptr, &error)) {
        change.matched = 1;
        return change;
    }
    if (!is_duplicate(error)) return classify(error, name);
    change.duplicate = true;
    return change;
}

Result<MongoSession::Change> MongoSession::update(const char* name, const Bson& filter, const Bson& changes,
                                                  bool many) {
    const Collection collection(mongoc_client_get_collection(client_, database_.c_str(), name));
    Bson reply;
    bson_destroy(reply.out());  // the call initializes it, whatever happens
    bson_error_t error;
    const bool done = many ? mongoc_collection_update_many(collection.get(), filter.get(), changes.get(),
                                                           nullptr, reply.out(), &error)
                           : mongoc_collection_update_one(collection.get(), filter.get(), changes.get(),
                                                          nullptr, reply.out(), &error);
    Change change;
    if (!done) {
        if (!is_duplicate(error)) return classify(error, name);
        change.duplicate = true;
        return change;
    }
    change.matched = BsonView(reply.get()).integer("matchedCount");
    return change;
}

Result<MongoSession::Modified> MongoSession::find_and_modify(const char* name, const Bson& filter,
                                                             const Bson& changes, bool upsert) {
    const Collection collection(mongoc_client_get_collection(client_, database_.c_str(), name));
    const std::unique_ptr<mongoc_find_and_modify_opts_t, FindAndModifyDeleter> options(
        mongoc_find_and_modify_opts_new());
    mongoc_find_and_modify_opts_set_update(options.get(), changes.get());
    const auto flags = MONGOC_FIND_AND_MODIFY_RETURN_NEW | (upsert ? MONGOC_FIND_AND_MODIFY_UPSERT : 0);
    mongoc_find_and_modify_opts_set_flags(options.get(), static_cast<mongoc_find_and_modify_flags_t>(flags));
    Bson reply;
    bson_destroy(reply.out());
    bson_error_t error;
    Modified modified;
    if (!mongoc_collection_find_and_modify_with_opts(collection.get(), filter.get(), options.get(),
                                                     reply.out(), &error)) {
        if (!is_duplicate(error)) return classify(error, name);
        modified.duplicate = true;
        return modified;
    }
    bson_iter_t it;
    if (bson_iter_init_find(&it, reply.get(), "value") && BSON_ITER_HOLDS_DOCUMENT(&it)) {
        std::uint32_t length = 0;
        const std::uint8_t* data = nullptr;
        bson_iter_document(&it, &length, &data);
        bson_t value;
        if (bson_init_static(&value, data, length)) {
            modified.document.emplace();
            bson_concat(modified.document->out(), &value);
        }
    }
    return modified;
}

Result<std::int64_t> MongoSession::remove(const char* name, const Bson& filter, bool many) {
    const Collection collection(mongoc_client_get_collection(client_, database_.c_str(), name));
    Bson reply;
    bson_destroy(reply.out());
    bson_error_t error;
    const bool done =
        many ? mongoc_collection_delete_many(collection.get(), filter.get(), nullptr, reply.out(), &error)
             : mongoc_collection_delete_one(collection.get(), filter.get(), nullptr, reply.out(), &error);
    if (!done) return classify(error, name);
    return BsonView(reply.get()).integer("deletedCount");
}

Result<> MongoSession::create_index(const char* name, const char* field) {
    std::vector<Bson> indexes;
    indexes.emplace_back();
    indexes.back().document("key", Bson().small_integer(field, 1)).text("name", std::string(field) + "_1");
    Bson command_text;
    command_text.text("createIndexes", name).documents("indexes", indexes);
    auto code = command(command_text);
    if (!code) return code.error();
    if (*code != 0)
        shared::log::warn("index_refused", {{"field", field}, {"code", static_cast<std::int64_t>(*code)}});
    return {};
}

Result<std::int32_t> MongoSession::command(const Bson& command) {
    bson_error_t error;
    if (mongoc_client_command_with_opts(client_, database_.c_str(), command.get(), nullptr, nullptr, nullptr,
                                        &error))
        return 0;
    if (error.domain == MONGOC_ERROR_SERVER && !passes_by_itself(error.code))
        return static_cast<std::int32_t>(error.code);
    return classify(error, "command");
}

}  // namespace auth::store
