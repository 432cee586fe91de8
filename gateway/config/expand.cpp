#include "gateway/config/expand.hpp"

#include <algorithm>

namespace gateway::config {

Expanded expand(std::string_view raw, const Lookup& environment) {
    Expanded out;
    while (!raw.empty()) {
        const auto dollar = raw.find('$');
        out.text += raw.substr(0, dollar);
        if (dollar == std::string_view::npos) break;
        raw.remove_prefix(dollar);
        if (raw.starts_with("$$")) {  // a dollar sign
            out.text += '$';
            raw.remove_prefix(2);
            continue;
        }
        const auto close = raw.find('}');
        if (!raw.starts_with("${") || close == std::string_view::npos) {
            out.problem = "'$' starts a reference: write ${NAME}, ${NAME:-default}, or $$ for a dollar sign";
            return out;
        }
        const auto body = raw.substr(2, close - 2);
        raw.remove_prefix(close + 1);
        const auto separator = body.find(":-");
        const std::string name(body.substr(0, separator));
        const bool well_formed = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
            return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
        });
        if (!well_formed) {
            out.problem = "\"" + name + "\" is not the name of an environment variable";
            return out;
        }
        out.names.push_back(name);
        const auto value = environment(name);
        if (value && !value->empty()) {  // as in a shell, ":-" also stands in for an empty value
            out.text += *value;
        } else if (separator != std::string_view::npos) {
            out.text += body.substr(separator + 2);
        } else {
            out.problem =
                "environment variable " + name + " is not set (or name a file with it in " + name + "_FILE)";
            return out;
        }
    }
    return out;
}

}  // namespace gateway::config
