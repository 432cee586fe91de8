// One answer of the feed of ended sessions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/result.hpp"

namespace shared::session {

struct FeedEntry {
    std::string_view sid;    // into the body
    std::int64_t until = 0;  // seconds since the epoch
};

struct FeedPage {
    std::string cursor;
    bool reset = false;  // the cursor was unknown; it begins anew with everything
    bool more = false;   // the rest comes at once with the cursor
    std::vector<FeedEntry> entries;
};

// {"cursor":"…","reset":false,"more":false,"entries":[{"sid":"…","until":1700000000}]}; unknown members are
// let pass, so that the feed can grow. Unescapes `body` in place; the entries point into it. Error:
// bad_message.
Result<FeedPage> parse_feed_page(std::string& body);

}  // namespace shared::session
