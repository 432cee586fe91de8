#include "services/auth/store/mongo_audit.hpp"

namespace auth::store {
namespace {

constexpr const char* kAudit = "audit";

}  // namespace

awaitable<Result<>> MongoAudit::append(std::vector<AuditRecord> records) {
    auto work = [records = std::move(records)](MongoSession& session) {
        std::vector<Bson> documents;
        documents.reserve(records.size());
        for (const auto& record : records) {
            documents.emplace_back();
            documents.back()
                .id("_id", new_object_id())
                .time("at", record.at)
                .text("event", record.event)
                .text("actor", record.actor)
                .text("subject", record.subject)
                .text("name", record.name)
                .text("client_address", record.client_address)
                .text("request_id", record.request_id)
                .text("detail", record.detail);
        }
        return session.insert(kAudit, documents);
    };
    return client_.run(std::move(work));
}

awaitable<Result<std::vector<AuditRecord>>> MongoAudit::latest(std::size_t limit) {
    auto work = [limit](MongoSession& session) -> Result<std::vector<AuditRecord>> {
        Bson options;
        options.document("sort", Bson().small_integer("_id", -1))
            .integer("limit", static_cast<std::int64_t>(limit));
        auto found = session.find(kAudit, Bson(), options);
        if (!found) return found.error();
        std::vector<AuditRecord> records;
        for (const auto& document : *found) {
            const BsonView view(document.get());
            AuditRecord record;
            record.at = view.time("at");
            record.event = view.text("event");
            record.actor = view.text("actor");
            record.subject = view.text("subject");
            record.name = view.text("name");
            record.client_address = view.text("client_address");
            record.request_id = view.text("request_id");
            record.detail = view.text("detail");
            records.push_back(std::move(record));
        }
        return records;
    };
    return client_.run(std::move(work));
}

awaitable<Result<std::int64_t>> MongoAudit::sweep(WallTime before) {
    auto work = [before](MongoSession& session) {
        Bson filter;
        filter.document("at", Bson().time("$lt", before));
        return session.remove(kAudit, filter, true);
    };
    return client_.run(std::move(work));
}

}  // namespace auth::store
