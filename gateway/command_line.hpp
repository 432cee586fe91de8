// gateway run --config FILE | check FILE | explain METHOD URL [--config FILE] [--token T]
#pragma once

namespace gateway {

// Returns the exit code: 0 done, 1 it could not run, 2 wrong usage or configuration.
int command_line(int argc, const char* const* argv);

}  // namespace gateway
