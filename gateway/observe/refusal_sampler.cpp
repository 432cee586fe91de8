#include "gateway/observe/refusal_sampler.hpp"

#include <algorithm>

namespace gateway::observe {

namespace {

std::string name_of(const wire::IpAddress& client) {
    const std::size_t counted = client.counted_bytes().size();
    if (counted == client.bytes.size()) return client.to_string();
    wire::IpAddress network = client;
    std::fill(network.bytes.begin() + static_cast<std::ptrdiff_t>(counted), network.bytes.end(),
              std::uint8_t{0});
    return network.to_string() + "/" + std::to_string(counted * 8);
}

}  // namespace

bool RefusalSampler::take(const wire::IpAddress& client, unsigned status, std::string_view reason,
                          std::chrono::system_clock::time_point when, Clock::time_point now) {
    const std::string_view address = client.counted_bytes();
    const auto start_key = [&] {
        key_.clear();
        key_ += static_cast<char>(status >> 8);
        key_ += static_cast<char>(status & 0xFF);
    };
    start_key();
    key_ += static_cast<char>(address.size());
    key_.append(address).append(reason);
    auto kind = kinds_.find(key_);
    if (kind == kinds_.end()) {
        const bool own = kinds_.size() < kMostKinds;
        if (!own) start_key();
        const auto [place, fresh] = kinds_.try_emplace(key_);
        kind = place;
        if (fresh) {
            kind->second.began = now;
            kind->second.counted.status = status;
            if (own) {
                kind->second.counted.client = name_of(client);
                kind->second.counted.reason = reason;
            }
        }
    }
    Kind& found = kind->second;
    if (found.written < kWhole) {
        ++found.written;
        return true;
    }
    ++found.counted.more;
    found.counted.last = when;
    return false;
}

}  // namespace gateway::observe
