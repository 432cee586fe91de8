// The one canonical form of a request path.
#pragma once

#include <string>
#include <string_view>

namespace gateway::wire {

enum class PathForm {
    canonical,  // the input already is the canonical form
    rewritten,  // `out` holds it
    refused,
};

// `raw` starts with '/' and holds no query. Percent-encoded unreserved characters are decoded, other escapes
// get upper-case digits, "." and ".." segments are removed, doubled slashes merged (or refused, see
// ReaderRules). Refused: bytes outside RFC 3986's path, bad escapes, encoded control bytes, slash and
// backslash, double encoding
// (%25 before two hex digits), segments "." or ".." with parameters ("..;x"), leaving the root by "..",
// escapes that are no UTF-8. The result is never longer than the input.
PathForm canonicalize_path(std::string_view raw, bool merge_slashes, std::string& out);

// A query holds RFC 3986 characters (brackets included) and complete escapes only.
bool valid_query(std::string_view query);

// "host", "host:port", "[v6]:port": not empty, no user info, nothing else. Returns the length of the host
// part (with brackets), 0 if invalid.
std::size_t check_authority(std::string_view authority);

// The one name of a host that has passed check_authority as "[...]": "[0:0::1]" is "[::1]", and
// "[::ffff:192.0.2.1]" is "192.0.2.1".
std::string canonical_literal(std::string_view bracketed);

}  // namespace gateway::wire
