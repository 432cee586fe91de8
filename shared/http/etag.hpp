// Versions of rows as entity tags, and the conditions that clients put on them (RFC 9110 sections 8.8.3 and
// 13.1).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "shared/http/message.hpp"

namespace shared::http {

// "v5", with its quotes: a strong tag.
std::string etag(std::int64_t version);

// What If-Match allows.
struct Versions {
    bool any = true;
    std::vector<std::int64_t> allowed;  // where not `any`

    bool allows(std::int64_t version) const;
};

// If-Match of the request; absent, empty or "*": any version. Strong comparison: a weak tag matches nothing,
// nor does a tag that is not ours. What is no list of tags matches nothing at all.
Versions if_match(const Request& request);

// True if If-None-Match names the version ("*" names each). Weak comparison: W/"v5" is "v5".
bool none_match(const Request& request, std::int64_t version);

// The answer with its ETag; instead of a 200 to GET or HEAD, 304 where the client has that version.
Response versioned(const Request& request, Response response, std::int64_t version);

}  // namespace shared::http
