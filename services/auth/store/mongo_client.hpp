// mongoc's blocking calls on a bounded pool of threads, with every limit set.
#pragma once

#include <mongoc/mongoc.h>

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "services/auth/store/bson.hpp"
#include "services/auth/store/errors.hpp"
#include "shared/async/bounded_pool.hpp"

namespace auth::store {

// Why mongoc cannot use the URI; empty: it can.
std::string mongo_uri_problem(const std::string& uri);

// A database in the hands of one pool thread. Calls block.
class MongoSession {
  public:
    MongoSession(mongoc_client_t* client, const std::string& database)
        : client_(client), database_(database) {}

    Result<std::optional<Bson>> find_one(const char* collection, const Bson& filter);
    // `options` as of the find command: limit, sort, projection.
    Result<std::vector<Bson>> find(const char* collection, const Bson& filter, const Bson& options);
    Result<> insert(const char* collection, const std::vector<Bson>& documents);
    // Those that are there already are left as they are.
    Result<> insert_missing(const char* collection, const std::vector<Bson>& documents);

    struct Change {
        std::int64_t matched = 0;
        bool duplicate = false;  // a unique index refused it: nothing was changed
    };
    // Like insert, but a unique index's refusal is an answer, not an error.
    Result<Change> try_insert(const char* collection, const Bson& document);
    Result<Change> update(const char* collection, const Bson& filter, const Bson& changes, bool many = false);

    struct Modified {
        std::optional<Bson> document;  // after the change; nullopt: nothing matched
        bool duplicate = false;
    };
    Result<Modified> find_and_modify(const char* collection, const Bson& filter, const Bson& changes,
                                     bool upsert = false);
    Result<std::int64_t> remove(const char* collection, const Bson& filter, bool many = false);
    // On one field. Slower, but right, where the server refuses it.
    Result<> create_index(const char* collection, const char* field);
    // The server's error code where it refuses, for callers that can live with some refusals; 0: done.
    Result<std::int32_t> command(const Bson& command);

  private:
    Result<> insert_many(const char* collection, const std::vector<Bson>& documents, bool skip_duplicates);

    mongoc_client_t* client_;
    const std::string& database_;
};

class MongoClient {
  public:
    // The database is the URI's path, `auth` if it has none. Throws std::runtime_error for a URI that mongoc
    // refuses.
    MongoClient(const std::string& uri, std::size_t connections);
    ~MongoClient();
    MongoClient(const MongoClient&) = delete;
    MongoClient& operator=(const MongoClient&) = delete;

    // Runs `work(MongoSession&)`, which returns a Result, on the pool.
    template <class F, class R = std::invoke_result_t<F&, MongoSession&>>
    boost::asio::awaitable<R> run(F work) {
        auto job = [this, work = std::move(work)]() mutable -> Wrapped<R> {
            const Turn turn(*this);
            if (!turn.ours()) return {std::in_place, Errc::unavailable};
            const Lease lease(pool_.get());
            if (lease.client() == nullptr) return {std::in_place, Errc::unavailable};
            MongoSession session(lease.client(), database_);
            R result = work(session);
            down_ = !result.has_value() && result.error() == Errc::unavailable;
            return {std::in_place, std::move(result)};
        };
        auto pending = threads_->run(std::move(job));
        auto outcome = co_await std::move(pending);
        if (!outcome) co_return Errc::busy;
        co_return std::move(outcome->value);
    }

  private:
    // A result<result<T>> cannot be made from an error_code, which fits both.
    template <class R>
    struct Wrapped {
        Wrapped(std::in_place_t, R v) : value(std::move(v)) {}
        R value;
    };
    struct PoolDeleter {
        void operator()(mongoc_client_pool_t* pool) const { mongoc_client_pool_destroy(pool); }
    };
    // While the database is away each try blocks a thread for as long as the timeouts say, and a queue behind
    // such threads would make everybody wait to hear the same. So one piece of work at a time finds out; the
    // others are told at once.
    class Turn {
      public:
        explicit Turn(MongoClient& client)
            : client_(client), asks_(client.down_), ours_(!asks_ || !client.asking_.exchange(true)) {}
        ~Turn() {
            if (asks_ && ours_) client_.asking_ = false;
        }
        Turn(const Turn&) = delete;
        Turn& operator=(const Turn&) = delete;
        bool ours() const { return ours_; }

      private:
        MongoClient& client_;
        const bool asks_;
        const bool ours_;
    };
    // A client for one piece of work; nullptr where none became free in time.
    class Lease {
      public:
        explicit Lease(mongoc_client_pool_t* pool) : pool_(pool), client_(mongoc_client_pool_pop(pool)) {}
        ~Lease() {
            if (client_ != nullptr) mongoc_client_pool_push(pool_, client_);
        }
        Lease(const Lease&) = delete;
        Lease& operator=(const Lease&) = delete;
        mongoc_client_t* client() const { return client_; }

      private:
        mongoc_client_pool_t* pool_;
        mongoc_client_t* client_;
    };

    std::unique_ptr<mongoc_client_pool_t, PoolDeleter> pool_;
    std::string database_;
    std::atomic<bool> down_{false};    // the last answer was unavailable
    std::atomic<bool> asking_{false};  // somebody finds out whether it still is
    std::unique_ptr<shared::async::BoundedPool> threads_;
};

}  // namespace auth::store
