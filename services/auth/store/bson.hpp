// Owning BSON documents and checked reading, over libbson. Values go in with their type, so nothing a client
// sends can become an operator.
#pragma once

#include <bson/bson.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/clock.hpp"

namespace auth::store {

class Bson {
  public:
    Bson() { bson_init(&document_); }
    ~Bson() { bson_destroy(&document_); }
    Bson(const Bson&) = delete;
    Bson& operator=(const Bson&) = delete;
    Bson(Bson&& other) noexcept {
        bson_steal(&document_, &other.document_);
        bson_init(&other.document_);
    }

    Bson& operator=(Bson&& other) noexcept {
        if (this == &other) return *this;
        bson_destroy(&document_);
        bson_steal(&document_, &other.document_);  // a plain copy would point into the other's own memory
        bson_init(&other.document_);
        return *this;
    }

    // Each appends one member and returns the document for the next.
    Bson& text(const char* key, std::string_view value);
    Bson& integer(const char* key, std::int64_t value);
    Bson& small_integer(const char* key, std::int32_t value);  // where commands want an int32
    Bson& boolean(const char* key, bool value);
    Bson& time(const char* key, shared::WallTime value);  // milliseconds
    Bson& document(const char* key, const Bson& value);
    Bson& texts(const char* key, const std::vector<std::string>& values);
    Bson& documents(const char* key, const std::vector<Bson>& values);
    // An account's id: an ObjectId where the text is one, else a string.
    Bson& id(const char* key, const std::string& value);

    const bson_t* get() const { return &document_; }
    bson_t* out() { return &document_; }  // for calls that fill it; it must be empty
    bool empty() const { return bson_empty(&document_); }

  private:
    bson_t document_;
};

// Reads members of a document that somebody else may have written: a member that is absent or of another type
// gives the fallback.
class BsonView {
  public:
    explicit BsonView(const bson_t* document) : document_(document) {}

    bool has(const char* key) const;
    std::string text(const char* key) const;
    std::optional<std::string> optional_text(const char* key) const;
    std::int64_t integer(const char* key, std::int64_t fallback = 0) const;  // also from int32 and double
    bool boolean(const char* key, bool fallback = false) const;
    shared::WallTime time(const char* key) const;
    std::string id(const char* key) const;
    std::vector<Bson> documents(const char* key) const;  // of an array; what is none is left out

  private:
    const bson_t* document_;
};

// 24 hex digits, unique, ascending with time: an ObjectId as text. PostgreSQL accounts get the same kind.
std::string new_object_id();

}  // namespace auth::store
