// The canonical form of a path is canonical, no longer than the path, and holds nothing that another reader
// could take for a way up or an end of the text.
#include <string>

#include "gateway/wire/path.hpp"
#include "test/fuzz/require.hpp"

using namespace gateway::wire;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 1) return 0;
    const bool merge = (data[0] & 1) != 0;
    const std::string raw(reinterpret_cast<const char*>(data) + 1, size - 1);
    std::string out;
    const auto form = canonicalize_path(raw, merge, out);
    if (form == PathForm::refused) return 0;
    const std::string path = form == PathForm::canonical ? raw : out;
    REQUIRE_THAT_ALWAYS(path.size() <= raw.size());
    REQUIRE_THAT_ALWAYS(path.front() == '/');
    for (const char* bad :
         {"//", "/./", "/../", "/..;", "/.;", "%2f", "%2F", "%5c", "%5C", "%00", "%2e", "%2E", "\\"})
        REQUIRE_THAT_ALWAYS(path.find(bad) == std::string::npos);
    REQUIRE_THAT_ALWAYS(!path.ends_with("/..") && !path.ends_with("/."));
    std::string again;
    REQUIRE_THAT_ALWAYS(canonicalize_path(path, merge, again) == PathForm::canonical);
    return 0;
}
