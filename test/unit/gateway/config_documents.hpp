// What docs/ says of the configuration's keys, made from their descriptions.
#pragma once

#include <string>

namespace test {

// docs/configuration.schema.json.
std::string configuration_schema();

// docs/configuration.md with new tables. A table stands between "<!-- keys: client request_id -->", which
// names the top-level keys that it has, and "<!-- end of keys -->".
std::string with_key_tables(const std::string& document);

}  // namespace test
