// Rules and dashboard ask for what the binaries really expose: a metric that is renamed would otherwise leave
// an alert that can never fire.
#include <rapidjson/document.h>
#include <yaml-cpp/yaml.h>

#include <catch2/catch.hpp>
#include <cctype>
#include <fstream>
#include <functional>
#include <map>
#include <set>
#include <sstream>
#include <utility>
#include <vector>

#include "test/support/system.hpp"

using namespace test;

namespace {

const std::string kFolder = std::string(SOURCE_DIR) + "/deploy/observability/";

using Names = std::set<std::string>;

struct Asked {
    Names metrics;
    Names labels;
};

bool word_char(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == ':';
}

// What a PromQL expression names: metrics, and labels in selectors and groupings.
void read_expression(const std::string& expression, Asked& asked) {
    // Words that are no names; functions are known by their parenthesis, aggregations may have "by" before
    // it.
    static const Names kOperators{"and", "or",  "unless", "bool", "offset",
                                  "sum", "min", "max",    "avg",  "count"};
    static const Names kGroupings{"by", "without", "on", "ignoring", "group_left", "group_right"};
    bool in_selector = false;
    bool in_grouping = false;
    bool grouping_next = false;
    for (std::size_t i = 0; i < expression.size();) {
        const char c = expression[i];
        if (c == '"') {
            i = expression.find('"', i + 1) + 1;
        } else if (c == '[') {
            i = expression.find(']', i) + 1;
        } else if (word_char(c)) {
            std::size_t end = i;
            while (end < expression.size() && word_char(expression[end])) ++end;
            const std::string word = expression.substr(i, end - i);
            i = end;
            while (end < expression.size() && expression[end] == ' ') ++end;
            const bool called = end < expression.size() && expression[end] == '(';
            if (in_selector || in_grouping)
                asked.labels.insert(word);
            else if (kGroupings.count(word) != 0)
                grouping_next = true;
            else if (std::isdigit(static_cast<unsigned char>(word[0])) == 0 && !called &&
                     kOperators.count(word) == 0)
                asked.metrics.insert(word);
        } else {
            if (c == '{') in_selector = true;
            if (c == '}') in_selector = false;
            if (c == '(') in_grouping = std::exchange(grouping_next, false);
            if (c == ')') in_grouping = false;
            ++i;
        }
    }
}

// Names that a text in Prometheus' format has: families of every kind, and the labels of their samples.
void read_exposition(const std::string& text, Asked& exposed) {
    std::istringstream lines(text);
    std::string line;
    while (std::getline(lines, line)) {
        if (line.starts_with("# TYPE ")) {
            std::istringstream words(line.substr(7));
            std::string name;
            std::string type;
            words >> name >> type;
            if (type == "histogram") {
                for (const char* suffix : {"_bucket", "_sum", "_count"})
                    exposed.metrics.insert(name + suffix);
            } else {
                exposed.metrics.insert(name);
            }
        } else if (!line.starts_with('#')) {
            const auto open = line.find('{');
            if (open == std::string::npos) continue;
            Asked of_line;
            read_expression(line.substr(open, line.rfind('}') + 1 - open), of_line);
            exposed.labels.insert(of_line.labels.begin(), of_line.labels.end());
        }
    }
}

Asked asked_by_rules(Names& recorded) {
    Asked asked;
    for (const auto& group : YAML::LoadFile(kFolder + "rules.yml")["groups"]) {
        for (const auto& rule : group["rules"]) {
            read_expression(rule["expr"].as<std::string>(), asked);
            if (rule["record"]) recorded.insert(rule["record"].as<std::string>());
        }
    }
    return asked;
}

Asked asked_by_dashboard() {
    std::ifstream file(kFolder + "grafana/dashboards/kampus.json");
    std::stringstream text;
    text << file.rdbuf();
    rapidjson::Document dashboard;
    dashboard.Parse(text.str().c_str());
    REQUIRE(dashboard.IsObject());
    Asked asked;
    for (const auto& panel : dashboard["panels"].GetArray()) {
        if (!panel.HasMember("targets")) continue;
        for (const auto& target : panel["targets"].GetArray())
            read_expression(target["expr"].GetString(), asked);
    }
    return asked;
}

Names missing(const Names& asked, const Names& exposed) {
    Names out;
    for (const auto& name : asked)
        if (exposed.count(name) == 0) out.insert(name);
    return out;
}

// Of each family: its type, and the labels that its samples have. `le` belongs to every histogram.
using Families = std::map<std::string, std::pair<std::string, Names>>;

void read_families(const std::string& text, Families& families) {
    std::istringstream lines(text);
    std::string line;
    std::string name;
    while (std::getline(lines, line)) {
        if (line.starts_with("# TYPE ")) {
            std::istringstream words(line.substr(7));
            words >> name;
            words >> families[name].first;
        } else if (const auto open = line.find('{'); !line.starts_with('#') && open != std::string::npos) {
            Asked of_line;
            read_expression(line.substr(open, line.rfind('}') + 1 - open), of_line);
            of_line.labels.erase("le");
            families[name].second.insert(of_line.labels.begin(), of_line.labels.end());
        }
    }
}

// The tables of docs/metrics.md: | `name` | type | labels | meaning |, a section for each binary.
std::map<std::string, Families> described_families() {
    std::ifstream file(std::string(SOURCE_DIR) + "/docs/metrics.md");
    std::map<std::string, Families> sections;
    std::string line;
    std::string section;
    while (std::getline(file, line)) {
        if (line.starts_with("## ")) section = line.substr(3);
        if (!line.starts_with("| `")) continue;
        std::vector<std::string> cells;
        std::istringstream row(line.substr(1));
        for (std::string cell; std::getline(row, cell, '|');) {
            const auto first = cell.find_first_not_of(" `");
            cells.push_back(first == std::string::npos
                                ? ""
                                : cell.substr(first, cell.find_last_not_of(" `") + 1 - first));
        }
        INFO(line);
        REQUIRE(cells.size() == 4);
        CHECK_FALSE(cells[3].empty());
        CHECK(sections[section].count(cells[0]) == 0);
        auto& family = sections[section][cells[0]];
        family.first = cells[1];
        std::istringstream labels(cells[2]);
        for (std::string label; labels >> label;) family.second.insert(label.substr(0, label.find(',')));
    }
    return sections;
}

}  // namespace

TEST_CASE("every metric and label of the alert rules and the dashboard is one that the binaries expose") {
    if (!have_servers(UserStore::postgres)) return;
    System system(UserStore::postgres);
    // Counters of outcomes appear with the first one.
    CHECK(system.get_as("22001", "/api/acad/ips").status == 200);
    CHECK(post_json(system.gateway_port(), "/api/auth/refresh", R"({"refresh_token":"none"})").status == 401);
    CHECK(request(system.gateway_port(), "BREW", "/").status == 501);

    Asked exposed;
    for (const auto port : {system.admin_port(), system.auth_port(), system.acad_port()}) {
        const auto metrics = get(port, "/metrics");
        REQUIRE(metrics.status == 200);
        read_exposition(metrics.body, exposed);
    }
    CHECK(exposed.metrics.size() > 50);
    // What Prometheus adds itself.
    exposed.metrics.insert("up");
    exposed.labels.insert({"job", "instance"});

    Names recorded;
    const Asked rules = asked_by_rules(recorded);
    const Asked dashboard = asked_by_dashboard();
    CHECK(rules.metrics.size() > 20);
    CHECK(dashboard.metrics.size() > 40);
    CHECK(missing(rules.metrics, exposed.metrics) == Names{});
    CHECK(missing(rules.labels, exposed.labels) == Names{});
    exposed.metrics.insert(recorded.begin(), recorded.end());
    CHECK(missing(dashboard.metrics, exposed.metrics) == Names{});
    CHECK(missing(dashboard.labels, exposed.labels) == Names{});
}

TEST_CASE("docs/metrics.md has every metric of the three binaries with its type and labels, and no other") {
    if (!have_servers(UserStore::postgres)) return;
    SystemOptions options;
    options.signing_keys = true;  // else acad-service follows no key set
    System system(UserStore::postgres, options);
    // What is counted by outcome appears with the first one.
    CHECK(system.get_as("22001", "/api/acad/ips").status == 200);
    CHECK(post_json(system.gateway_port(), "/api/auth/refresh", R"({"refresh_token":"none"})").status == 401);
    CHECK(request(system.gateway_port(), "BREW", "/").status == 501);
    CHECK(post_json(system.auth_port(), "/api/auth/register",
                    R"({"username":"metrik","email":"metrik@kampus.example","password":"kuda-nil-biru-77"})")
              .status == 201);
    CHECK(request(system.auth_port(), "POST", "/api/auth/logout", {bearer(system.login("dosen"))}).status ==
          204);

    auto described = described_families();
    CHECK(described.size() == 3);
    const std::pair<const char*, std::uint16_t> binaries[] = {{"gateway", system.admin_port()},
                                                              {"auth-service", system.auth_port()},
                                                              {"acad-service", system.acad_port()}};
    for (const auto& [name, port] : binaries) {
        Families exposed;
        read_families(get(port, "/metrics").body, exposed);
        INFO(name);
        for (const auto& [family, seen] : exposed) {
            INFO(family);
            CHECK(described[name].count(family) == 1);
            CHECK(described[name][family].first == seen.first);
            CHECK(described[name][family].second == seen.second);
            CHECK(family.ends_with("_total") == (seen.first == "counter"));
        }
        for (const auto& [family, text] : described[name]) {
            INFO(family << " is described and not exposed");
            CHECK(exposed.count(family) == 1);
        }
    }
}

TEST_CASE("a name that nothing exposes is noticed") {
    Asked asked;
    read_expression(
        R"(sum by (route, le) (rate(a_total{status=~"5xx|by"}[5m])) / on (job) group_left () b > bool 0.5 and c:d unless e offset 5m)",
        asked);
    CHECK(asked.metrics == Names{"a_total", "b", "c:d", "e"});
    CHECK(asked.labels == Names{"route", "le", "status", "job"});
}
