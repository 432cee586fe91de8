// No text crashes the configuration's reader; what it accepts can be shown and read again.
#include <string>

#include "gateway/config/load.hpp"
#include "test/fuzz/require.hpp"

using namespace gateway::config;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Lookup environment = [](const std::string& name) -> std::optional<std::string> {
        if (name == "JWT_SECRET") return "0123456789abcdef0123456789abcdef";
        return std::nullopt;
    };
    const auto loaded = parse({reinterpret_cast<const char*>(data), size}, environment);
    REQUIRE_THAT_ALWAYS(static_cast<bool>(loaded) == loaded.problems.empty());
    if (!loaded) {
        REQUIRE_THAT_ALWAYS(!loaded.report("f").empty());
        return 0;
    }
    REQUIRE_THAT_ALWAYS(!dump(*loaded.config).empty());
    return 0;
}
