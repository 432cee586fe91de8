#include "gateway/config/names.hpp"

#include "gateway/config/config.hpp"
#include "gateway/config/section.hpp"
#include "gateway/wire/chars.hpp"
#include "gateway/wire/header_name.hpp"
#include "gateway/wire/output.hpp"
#include "gateway/wire/path.hpp"
#include "shared/base/text.hpp"

namespace gateway::config {

std::string lower_case(std::string text) {
    return shared::lower_case(std::move(text));
}

void check_name(Section& section, const std::string& name) {
    const bool fit = name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
                         return wire::chars::is(c, wire::chars::kHost);
                     });
    if (!fit) section.problem("name", "may hold letters, digits, '-', '_' and '.', at most 64 of them");
}

void check_header_name(Section& section, std::string_view key, const std::string& name) {
    if (!wire::valid_header_name(name)) section.problem(key, "\"" + name + "\" is not a header name");
}

void check_decisive_header(Section& section, std::string_view key, const std::string& name, Decided when) {
    const auto id = wire::classify(name);
    const auto ours = [&] {
        const auto names = section.config().identity_headers();
        return wire::written_by_gateway(id) ||
               std::find(names.begin(), names.end(), lower_case(name)) != names.end();
    };
    if (wire::ends_here(id) || name.find('_') != std::string::npos)
        section.problem(key, "\"" + name + "\" is never passed on: nothing can be decided by it");
    else if (when == Decided::before_forwarding && ours())
        section.problem(key, "\"" + name + "\" is written by the gateway: a client's copy decides nothing" +
                                 (id == wire::Header::host ? "; match.hosts is for host names" : ""));
}

void check_path(Section& section, std::string_view key, const std::string& path) {
    std::string canonical;
    switch (wire::canonicalize_path(path, true, canonical)) {
        case wire::PathForm::canonical:
            return;
        case wire::PathForm::rewritten:
            return section.problem(
                key, "\"" + path + "\" would never match; its canonical form is \"" + canonical + '"');
        case wire::PathForm::refused:
            return section.problem(
                key, "\"" + path + "\" is not a path (it starts with '/' and is percent-encoded)");
    }
}

}  // namespace gateway::config
