#include "gateway/command_line.hpp"

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/app.hpp"
#include "gateway/config/load.hpp"
#include "gateway/explain.hpp"

namespace gateway {

namespace {

constexpr const char* kUsage =
    "usage: gateway run --config FILE\n"
    "       gateway check FILE\n"
    "       gateway explain METHOD URL --config FILE [--token TOKEN] [--header 'Name: value']...\n"
    "\n"
    "run      serves until SIGTERM; SIGHUP reloads the file\n"
    "check    tells everything that is wrong with a file\n"
    "explain  tells which route, rule, upstream and limits a request gets, and why\n";

int usage() {
    std::fputs(kUsage, stderr);
    return 2;
}

int check(const std::string& file) {
    const config::Loaded loaded = config::load_file(file, config::process_environment());
    std::fputs(loaded.warning_report(file).c_str(), stderr);
    if (!loaded) {
        std::fprintf(stderr, "%s\n", loaded.report(file).c_str());
        return 2;
    }
    try {
        // Files that it names (certificates, key sets, CA files) are part of a configuration.
        exchange::Snapshot::make(loaded.config, nullptr);
    } catch (const std::exception& e) {
        std::fprintf(stderr, "%s: %s\n", file.c_str(), e.what());
        return 2;
    }
    std::printf("%s: ok (%zu routes, %zu clusters, %zu issuers)\n", file.c_str(),
                loaded.config->routes.size(), loaded.config->clusters.size(), loaded.config->issuers.size());
    return 0;
}

}  // namespace

int command_line(int argc, const char* const* argv) {
    const std::vector<std::string> words(argv + 1, argv + argc);
    std::string config_file;
    ExplainRequest request;
    std::vector<std::string> plain;
    for (std::size_t i = 0; i < words.size(); ++i) {
        const auto value = [&](std::string& into) {
            if (i + 1 >= words.size()) return false;
            into = words[++i];
            return true;
        };
        std::string header;
        if (words[i] == "--config") {
            if (!value(config_file)) return usage();
        } else if (words[i] == "--token") {
            if (!value(request.token)) return usage();
        } else if (words[i] == "--header") {
            if (!value(header)) return usage();
            request.headers.push_back(header);
        } else if (words[i] == "--help" || words[i] == "help") {
            std::fputs(kUsage, stdout);
            return 0;
        } else if (words[i].starts_with("--")) {
            std::fprintf(stderr, "unknown option %s\n", words[i].c_str());
            return usage();
        } else {
            plain.push_back(words[i]);
        }
    }
    if (plain.empty()) return usage();
    if (plain[0] == "run" && plain.size() == 1 && !config_file.empty()) return App::run(config_file);
    if (plain[0] == "check" && plain.size() == 2) return check(plain[1]);
    if (plain[0] == "explain" && plain.size() == 3 && !config_file.empty()) {
        request.method = plain[1];
        request.url = plain[2];
        return explain(config_file, request);
    }
    return usage();
}

}  // namespace gateway
