#include "services/auth/store/bson.hpp"

#include <array>

namespace auth::store {
namespace {

std::int64_t to_ms(shared::WallTime time) {
    return std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

}  // namespace

Bson& Bson::text(const char* key, std::string_view value) {
    bson_append_utf8(&document_, key, -1, value.data(), static_cast<int>(value.size()));
    return *this;
}

Bson& Bson::integer(const char* key, std::int64_t value) {
    bson_append_int64(&document_, key, -1, value);
    return *this;
}

Bson& Bson::small_integer(const char* key, std::int32_t value) {
    bson_append_int32(&document_, key, -1, value);
    return *this;
}

Bson& Bson::boolean(const char* key, bool value) {
    bson_append_bool(&document_, key, -1, value);
    return *this;
}

Bson& Bson::time(const char* key, shared::WallTime value) {
    bson_append_date_time(&document_, key, -1, to_ms(value));
    return *this;
}

Bson& Bson::document(const char* key, const Bson& value) {
    bson_append_document(&document_, key, -1, value.get());
    return *this;
}

Bson& Bson::texts(const char* key, const std::vector<std::string>& values) {
    bson_t array;
    bson_append_array_begin(&document_, key, -1, &array);
    for (std::size_t i = 0; i < values.size(); ++i)
        bson_append_utf8(&array, std::to_string(i).c_str(), -1, values[i].data(),
                         static_cast<int>(values[i].size()));
    bson_append_array_end(&document_, &array);
    return *this;
}

Bson& Bson::documents(const char* key, const std::vector<Bson>& values) {
    bson_t array;
    bson_append_array_begin(&document_, key, -1, &array);
    for (std::size_t i = 0; i < values.size(); ++i)
        bson_append_document(&array, std::to_string(i).c_str(), -1, values[i].get());
    bson_append_array_end(&document_, &array);
    return *this;
}

Bson& Bson::id(const char* key, const std::string& value) {
    if (!bson_oid_is_valid(value.data(), value.size()) || value.size() != 24) return text(key, value);
    bson_oid_t oid;
    bson_oid_init_from_string(&oid, value.c_str());
    bson_append_oid(&document_, key, -1, &oid);
    return *this;
}

bool BsonView::has(const char* key) const {
    return bson_has_field(document_, key);
}

std::string BsonView::text(const char* key) const {
    return optional_text(key).value_or(std::string());
}

std::optional<std::string> BsonView::optional_text(const char* key) const {
    bson_iter_t it;
    if (!bson_iter_init_find(&it, document_, key) || !BSON_ITER_HOLDS_UTF8(&it)) return std::nullopt;
    std::uint32_t length = 0;
    const char* data = bson_iter_utf8(&it, &length);
    return std::string(data, length);
}

std::int64_t BsonView::integer(const char* key, std::int64_t fallback) const {
    bson_iter_t it;
    if (!bson_iter_init_find(&it, document_, key) || !BSON_ITER_HOLDS_NUMBER(&it)) return fallback;
    return bson_iter_as_int64(&it);
}

bool BsonView::boolean(const char* key, bool fallback) const {
    bson_iter_t it;
    if (!bson_iter_init_find(&it, document_, key) || !BSON_ITER_HOLDS_BOOL(&it)) return fallback;
    return bson_iter_bool(&it);
}

shared::WallTime BsonView::time(const char* key) const {
    bson_iter_t it;
    if (!bson_iter_init_find(&it, document_, key) || !BSON_ITER_HOLDS_DATE_TIME(&it)) return {};
    return shared::WallTime(std::chrono::milliseconds(bson_iter_date_time(&it)));
}

std::string BsonView::id(const char* key) const {
    bson_iter_t it;
    if (!bson_iter_init_find(&it, document_, key)) return {};
    if (!BSON_ITER_HOLDS_OID(&it)) return text(key);
    std::array<char, 25> hex{};
    bson_oid_to_string(bson_iter_oid(&it), hex.data());
    return std::string(hex.data(), 24);
}

std::vector<Bson> BsonView::documents(const char* key) const {
    std::vector<Bson> found;
    bson_iter_t it;
    bson_iter_t each;
    if (!bson_iter_init_find(&it, document_, key) || !BSON_ITER_HOLDS_ARRAY(&it) ||
        !bson_iter_recurse(&it, &each))
        return found;
    while (bson_iter_next(&each)) {
        if (!BSON_ITER_HOLDS_DOCUMENT(&each)) continue;
        std::uint32_t length = 0;
        const std::uint8_t* data = nullptr;
        bson_iter_document(&each, &length, &data);
        bson_t value;
        if (!bson_init_static(&value, data, length)) continue;
        found.emplace_back();
        bson_concat(found.back().out(), &value);
    }
    return found;
}

std::string new_object_id() {
    bson_oid_t oid;
    bson_oid_init(&oid, nullptr);
    std::array<char, 25> hex{};
    bson_oid_to_string(&oid, hex.data());
    return std::string(hex.data(), 24);
}

}  // namespace auth::store
