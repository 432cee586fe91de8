#include "test/integration/gateway/gateway_process.hpp"

#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>

namespace test {

TemporaryDirectory::TemporaryDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "gateway-test-XXXXXX").string();
    if (!::mkdtemp(pattern.data())) throw std::runtime_error("mkdtemp failed");
    path_ = pattern;
}

TemporaryDirectory::~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

std::string TemporaryDirectory::write(const std::string& name, const std::string& contents) const {
    const std::string path = path_ + "/" + name;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path, std::ios::binary | std::ios::trunc) << contents;
    return path;
}

std::string GatewayConfig::text() const {
    return R"({"listeners":[{"address":"127.0.0.1","port":"${PORT:-0}")" +
           (listener_more.empty() ? "" : "," + listener_more) +
           R"(}],"admin":{"address":"127.0.0.1","port":0,"token":")" + kAdminToken + R"("},)" +
           R"("workers":)" + workers + R"(,"client":{)" + client + R"(},)" +
           R"("issuers":[{"name":"kampus","issuer":"kampus-auth","audience":"kampus-api","realm":"kampus",)" +
           R"("keys":[{"algorithm":"HS256","secret":"${JWT_SECRET}"}]}],)" + R"("clusters":[)" + clusters +
           R"(],"routes":[)" + routes + "]" + (more.empty() ? "" : "," + more) + "}";
}

std::string cluster_of(const std::string& endpoint, const std::string& more) {
    return R"({"name":"up","endpoints":[")" + endpoint + R"("],"health":{"enabled":false})" +
           (more.empty() ? "" : "," + more) + "}";
}

std::string open_route(const std::string& prefix, const std::string& more) {
    std::string name = "open" + prefix;
    for (char& c : name)
        if (c == '/') c = '-';
    return R"({"name":")" + name + R"(","match":{"prefix":")" + prefix +
           R"("},"auth":"public","target":{"cluster":"up"})" + (more.empty() ? "" : "," + more) + "}";
}

GatewayConfig Gateway::in_front_of(const std::string& endpoint, const std::string& route_more,
                                   const std::string& cluster_more) {
    GatewayConfig config;
    config.clusters = cluster_of(endpoint, cluster_more);
    config.routes = open_route("/", route_more);
    return config;
}

Gateway::Gateway(const GatewayConfig& config)
    : config_file_(directory_.write("gateway.json", config.text())) {
    process_ = std::make_unique<Process>(binary("gateway"),
                                         std::vector<std::string>{"run", "--config", config_file_},
                                         std::map<std::string, std::string>{{"JWT_SECRET", kJwtSecret}});
    port_ = process_->wait_port("listening");
    admin_port_ = process_->wait_port("admin_listening");
}

void Gateway::rewrite(const GatewayConfig& config) {
    directory_.write("gateway.json", config.text());
}

double Gateway::metric(const std::string& line_start) const {
    const std::string text = "\n" + get(admin_port_, "/metrics").body;
    const std::size_t at = text.find("\n" + line_start);
    if (at == std::string::npos) return 0;
    const std::size_t end = text.find('\n', at + 1);
    const std::string line = text.substr(at + 1, end - at - 1);
    return std::stod(line.substr(line.rfind(' ') + 1));
}

bool Gateway::wait_metric(const std::string& line_start, double at_least) const {
    for (int i = 0; i < 500; ++i) {
        if (metric(line_start) >= at_least) return true;
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return false;
}

std::string exchange(std::uint16_t port, const std::string& bytes) {
    RawConnection connection(port);
    connection.send(bytes);
    return connection.read_to_end();
}

unsigned status_of(const std::string& answer) {
    if (!answer.starts_with("HTTP/1.1 ") || answer.size() < 12) return 0;
    return static_cast<unsigned>(std::stoul(answer.substr(9, 3)));
}

}  // namespace test
