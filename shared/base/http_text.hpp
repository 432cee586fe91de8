// Texts of HTTP that the gateway and the services both write.
#pragma once

#include <ctime>
#include <string>
#include <string_view>

namespace shared {

// RFC 9110 section 15 and its registry; empty for codes it does not know.
std::string_view reason_phrase(unsigned status);

// Makes `out` the date as IMF-fixdate, "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 section 5.6.7). Into a
// string of the caller's, so that one renewed each second is allocated once.
void set_http_date(std::string& out, std::time_t when);

// RFC 3986: all but the unreserved characters as %XX, so that it may stand anywhere in a query or path.
std::string percent_encode(std::string_view text);

}  // namespace shared
