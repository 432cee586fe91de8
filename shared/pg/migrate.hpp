// Forward-only schema migrations: files NNNN_name.sql, applied in order, each in one transaction, recorded in
// schema_migrations with a checksum. Runs before the service serves, so it blocks.
#pragma once

#include <filesystem>
#include <stdexcept>
#include <string>

namespace shared::pg {

// The database cannot be reached now (or another migration holds what we need): trying again makes sense.
class MigrationUnavailable : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

// Several replicas may call it at once: an advisory lock makes one of them work and the others wait. Throws
// std::runtime_error with the file's name and the server's message; nothing of a failed file stays. A file
// that was applied and has changed since is an error, and so is a new file with a number below an applied
// one. Files that were applied by a newer release and are not in the folder are left alone. `component` keeps
// apart the numbers of two services in one database; by default it is the folder's name. A file may not
// contain BEGIN or COMMIT. Returns how many files were applied.
int migrate(const std::string& conninfo, const std::filesystem::path& folder, std::string component = "");

// Runs one SQL file in one transaction (demo data). Throws as migrate does.
void run_file(const std::string& conninfo, const std::filesystem::path& file);

}  // namespace shared::pg
