#include "services/auth/store/mongo_audit.hpp"

namespace auth::store {

std::vector<Bson> to_documents(const AuditRecords& records) {
    std::vector<Bson> documents;
    documents.reserve(records.size());
    for (const auto& record : records) {
        documents.emplace_back();
        documents.back()
            .id("_id", record.id.empty() ? new_object_id() : record.id)
            .time("at", record.at)
            .text("event", record.event)
            .text("actor", record.actor)
            .text("subject", record.subject)
            .text("name", record.name)
            .text("client_address", record.client_address)
            .text("request_id", record.request_id)
            .text("detail", record.detail);
    }
    return documents;
}

AuditRecord to_audit_record(const Bson& document) {
    const BsonView view(document.get());
    AuditRecord record;
    record.id = view.id("_id");
    record.at = view.time("at");
    record.event = view.text("event");
    record.actor = view.text("actor");
    record.subject = view.text("subject");
    record.name = view.text("name");
    record.client_address = view.text("client_address");
    record.request_id = view.text("request_id");
    record.detail = view.text("detail");
    return record;
}

awaitable<Result<>> MongoAudit::prepare() {
    auto work = [](MongoSession& session) -> Result<> {
        for (const char* field : {"at", "actor", "subject", "event"}) {
            auto done = session.create_index(kAuditCollection, field);
            if (!done) return done;
        }
        return {};
    };
    return client_.run(std::move(work));
}

awaitable<Result<>> MongoAudit::append(AuditRecords records) {
    auto work = [records = std::move(records)](MongoSession& session) {
        return session.insert(kAuditCollection, to_documents(records));
    };
    return client_.run(std::move(work));
}

awaitable<Result<AuditRecords>> MongoAudit::list(AuditQuery query) {
    auto work = [query = std::move(query)](MongoSession& session) -> Result<AuditRecords> {
        Bson filter;
        if (!query.actor.empty()) filter.text("actor", query.actor);
        if (!query.subject.empty()) filter.text("subject", query.subject);
        if (!query.event.empty()) filter.text("event", query.event);
        Bson span;
        if (query.from) span.time("$gte", *query.from);
        if (query.to) span.time("$lt", *query.to);
        if (!span.empty()) filter.document("at", span);
        if (query.after) {
            std::vector<Bson> behind(2);
            behind[0].document("at", Bson().time("$lt", query.after->at));
            behind[1].time("at", query.after->at).document("_id", Bson().id("$lt", query.after->id));
            filter.documents("$or", behind);
        }
        Bson options;
        options.document("sort", Bson().small_integer("at", -1).small_integer("_id", -1))
            .integer("limit", static_cast<std::int64_t>(query.limit));
        auto found = session.find(kAuditCollection, filter, options);
        if (!found) return found.error();
        AuditRecords records;
        for (const auto& document : *found) records.push_back(to_audit_record(document));
        return records;
    };
    return client_.run(std::move(work));
}

awaitable<Result<std::int64_t>> MongoAudit::sweep(WallTime before) {
    auto work = [before](MongoSession& session) {
        Bson filter;
        filter.document("at", Bson().time("$lt", before));
        return session.remove(kAuditCollection, filter, true);
    };
    return client_.run(std::move(work));
}

}  // namespace auth::store
