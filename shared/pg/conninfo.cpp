#include "shared/pg/conninfo.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <stdexcept>

namespace asio = boost::asio;

namespace shared::pg {
namespace {

std::string find(const Keywords& keywords, std::string_view key) {
    for (const auto& [name, value] : keywords) {
        if (name == key) return value;
    }
    return {};
}

std::vector<std::string> split(const std::string& list) {
    std::vector<std::string> items;
    std::size_t begin = 0;
    while (true) {
        const auto comma = list.find(',', begin);
        items.push_back(list.substr(begin, comma - begin));
        if (comma == std::string::npos) return items;
        begin = comma + 1;
    }
}

std::string append(std::string list, const std::string& item, bool first) {
    if (!first) list += ',';
    return list + item;
}

}  // namespace

Keywords parse_conninfo(const std::string& conninfo) {
    char* message = nullptr;
    const std::unique_ptr<PQconninfoOption, void (*)(PQconninfoOption*)> options(
        PQconninfoParse(conninfo.c_str(), &message), PQconninfoFree);
    if (!options) {
        const std::string text = message != nullptr ? message : "out of memory";
        PQfreemem(message);
        // libpq quotes the part that it could not read, which may be the password.
        throw std::runtime_error("connection string is malformed (" + text.substr(0, text.find('"')) +
                                 "...)");
    }
    Keywords keywords;
    for (const auto* option = options.get(); option->keyword != nullptr; ++option) {
        if (option->val != nullptr && option->val[0] != '\0')
            keywords.emplace_back(option->keyword, option->val);
    }
    return keywords;
}

void set_default(Keywords& keywords, const std::string& key, std::string value) {
    if (find(keywords, key).empty()) keywords.emplace_back(key, std::move(value));
}

// One look-up of all names, one after the other. Owned by the handler that runs; joiners wait on timers of
// theirs.
struct HostResolver::Lookup {
    explicit Lookup(asio::io_context& io) : resolver(io) {}

    asio::ip::tcp::resolver resolver;
    std::size_t next = 0;
    std::vector<std::vector<std::string>> addresses;
    ErrorCode error;
    bool done = false;
    std::vector<std::weak_ptr<asio::steady_timer>> joiners;

    void finish(ErrorCode result) {
        error = result;
        done = true;
        for (const auto& weak : joiners) {
            if (const auto timer = weak.lock()) timer->cancel();
        }
    }
    static void step(const std::shared_ptr<Lookup>& self, const std::vector<Host>& hosts) {
        while (self->next < hosts.size() && !hosts[self->next].is_name) {
            self->addresses.push_back({});
            ++self->next;
        }
        if (self->next == hosts.size()) return self->finish({});
        self->resolver.async_resolve(
            hosts[self->next].name, "",
            [self, hosts](ErrorCode error, asio::ip::tcp::resolver::results_type results) {
                // One name of several that is not known now must not hide the others.
                if (error && hosts.size() == 1) return self->finish(error);
                std::vector<std::string> found;
                for (const auto& result : results) found.push_back(result.endpoint().address().to_string());
                self->addresses.push_back(std::move(found));
                ++self->next;
                step(self, hosts);
            });
    }
};

HostResolver::HostResolver(asio::io_context& io, Keywords keywords)
    : io_(io), keywords_(std::move(keywords)) {
    const auto names = find(keywords_, "host");
    if (names.empty() || !find(keywords_, "hostaddr").empty()) return;
    const auto ports = split(find(keywords_, "port"));
    const auto list = split(names);
    if (ports.size() != 1 && ports.size() != list.size()) return;  // libpq reports it
    for (std::size_t i = 0; i < list.size(); ++i) {
        ErrorCode error;
        asio::ip::make_address(list[i], error);
        const bool is_name = !list[i].empty() && list[i].front() != '/' && list[i].front() != '@' && error;
        needed_ = needed_ || is_name;
        hosts_.push_back({list[i], ports.size() == 1 ? ports.front() : ports[i], is_name});
    }
}

void HostResolver::start() {
    running_ = std::make_shared<Lookup>(io_);
    Lookup::step(running_, hosts_);
}

asio::awaitable<Result<Keywords>> HostResolver::resolve(std::chrono::milliseconds limit) {
    if (!needed_) co_return keywords_;
    if (!running_ || running_->done) start();
    const auto lookup = running_;
    const auto timer = std::make_shared<asio::steady_timer>(io_, limit);
    lookup->joiners.emplace_back(timer);
    if (!lookup->done) {
        ErrorCode ignored;
        co_await timer->async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
    if (!lookup->done) co_return ErrorCode(asio::error::timed_out);
    if (lookup->error) co_return lookup->error;
    std::string names;
    std::string addresses;
    std::string ports;
    bool first = true;
    for (std::size_t i = 0; i < hosts_.size(); ++i) {
        // An address or a socket folder keeps its one place with an empty hostaddr.
        auto found = hosts_[i].is_name ? lookup->addresses[i] : std::vector<std::string>{""};
        for (const auto& address : found) {
            names = append(std::move(names), hosts_[i].name, first);
            addresses = append(std::move(addresses), address, first);
            ports = append(std::move(ports), hosts_[i].port, first);
            first = false;
        }
    }
    if (first) co_return ErrorCode(asio::error::host_not_found);
    Keywords result;
    for (const auto& [key, value] : keywords_) {
        if (key != "host" && key != "port") result.emplace_back(key, value);
    }
    result.emplace_back("host", names);
    result.emplace_back("hostaddr", addresses);
    result.emplace_back("port", ports);
    co_return result;
}

}  // namespace shared::pg
