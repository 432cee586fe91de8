#include "gateway/config/load.hpp"

#include <rapidjson/error/en.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "gateway/config/fields.hpp"
#include "shared/json/json.hpp"

namespace gateway::config {
namespace {

constexpr std::size_t kMaxDepth = 32;

std::string lines_of(const std::vector<Problem>& problems, std::string_view file, std::string_view kind) {
    std::string text;
    for (const auto& problem : problems) {
        text += file;
        if (problem.line > 0) text += ':' + std::to_string(problem.line);
        text += ": ";
        text += kind;
        if (!problem.pointer.empty()) text += problem.pointer + ' ';
        text += problem.message + '\n';
    }
    return text;
}

// The reader in shared/json says what is wrong; where, only a second look tells.
Problem malformed(std::string_view text, const shared::ErrorCode& error) {
    rapidjson::Document document;
    document.Parse(text.data(), text.size());
    Problem problem{"", 0, error.message()};
    if (document.HasParseError()) {
        problem.line = 1 + static_cast<std::size_t>(std::count(
                               text.begin(),
                               text.begin() + static_cast<std::ptrdiff_t>(document.GetErrorOffset()), '\n'));
        problem.message = rapidjson::GetParseError_En(document.GetParseError());
    }
    return problem;
}

}  // namespace

void fields(Visitor& v, Config& config) {
    std::string schema;
    v.text("$schema", schema, {"For editors; not used.", "../../docs/configuration.schema.json", kAbsent});
    edge_fields(v, config);
    issuer_fields(v, config);
    cluster_fields(v, config);
    route_fields(v, config);
    // Parts that are wrong in themselves would only lead to more of the same.
    if (Section* in = v.reading(); in && in->problem_count() == 0) check_whole(*in, config);
}

std::vector<std::string> Config::identity_headers() const {
    std::vector<std::string> names;
    for (const auto& issuer : issuers)
        for (const auto& pair : issuer.claim_headers) {
            auto name = lower_case(pair.header);
            if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(std::move(name));
        }
    return names;
}

std::vector<std::string> Config::decisive_headers() const {
    std::vector<std::string> names;
    for (const auto& route : routes)
        for (const auto& condition : route.match.headers) names.push_back(condition.name);
    for (const auto& cluster : clusters)
        if (cluster.hash_on.source == HashOn::Source::header) names.push_back(cluster.hash_on.header);
    for (const auto& limit : rate_limits)
        for (const auto& part : limit.key)
            if (part.kind == RateLimit::KeyPart::Kind::header) names.push_back(part.name);
    return names;
}

const Cluster* Config::find_cluster(std::string_view name) const {
    for (const auto& cluster : clusters)
        if (cluster.name == name) return &cluster;
    return nullptr;
}

std::string Loaded::report(std::string_view file) const {
    return lines_of(problems, file, "");
}

std::string Loaded::warning_report(std::string_view file) const {
    return lines_of(warnings, file, "warning: ");
}

Lookup process_environment() {
    return [](const std::string& name) -> std::optional<std::string> {
        if (const char* value = std::getenv(name.c_str()); value != nullptr && *value != '\0') return value;
        const char* path = std::getenv((name + "_FILE").c_str());
        if (path == nullptr || *path == '\0') return std::nullopt;
        std::ifstream file(path, std::ios::binary);
        if (!file) return std::nullopt;
        std::string text(std::istreambuf_iterator<char>(file), {});
        if (text.ends_with('\n')) text.pop_back();
        return text;
    };
}

Loaded parse(std::string_view text, const Lookup& environment) {
    Loaded loaded;
    const auto document = shared::json::parse(text, {.depth = kMaxDepth});
    if (!document) {
        loaded.problems.push_back(malformed(text, document.error()));
        return loaded;
    }
    auto config = std::make_shared<Config>();
    Reading reading{environment, *config};
    Section root(reading, &*document, "");
    if (reading.problems.empty()) {
        fields(root, *config);
        root.finish();
    }
    for (auto* told : {&reading.problems, &reading.warnings})
        for (auto& problem : *told) problem.line = line_of(text, problem.pointer);
    loaded.warnings = std::move(reading.warnings);
    loaded.problems = std::move(reading.problems);
    if (loaded.problems.empty()) loaded.config = std::move(config);
    return loaded;
}

Loaded load_file(const std::string& path, const Lookup& environment) {
    std::ifstream file(path, std::ios::binary);
    if (!file) return {nullptr, {{"", 0, "cannot be read"}}, {}};
    const std::string text(std::istreambuf_iterator<char>(file), {});
    return parse(text, environment);
}

}  // namespace gateway::config
