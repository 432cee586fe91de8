// Forward-only schema migrations: files NNNN_name.sql, applied in order, each in one transaction, recorded in
// schema_migrations with a checksum. Runs before the service serves, so it blocks.
#pragma once

#include <filesystem>
#include <string>

namespace shared::pg {

// Several replicas may call it at once: an advisory lock makes one of them work and the others wait. Throws
// std::runtime_error with the file's name and the server's message; nothing of a failed file stays. A file that
// was applied and has changed since is an error.
// Returns how many files were applied.
int migrate(const std::string& conninfo, const std::filesystem::path& folder);

}  // namespace shared::pg
