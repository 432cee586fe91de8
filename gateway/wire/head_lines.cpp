#include "gateway/wire/head_lines.hpp"

namespace gateway::wire {

void HeadLines::clear_lines() {
    base_ = nullptr;
    count_ = 0;
    first_.fill(kNone);
}

std::string_view HeadLines::value(Header id) const {
    const auto index = first_[static_cast<std::size_t>(id)];
    return index == kNone ? std::string_view() : value(lines_[index]);
}

const HeaderLine* HeadLines::find(std::string_view wanted) const {
    for (const auto& line : lines())
        if (line.name_length == wanted.size() && equals_ignoring_case(name(line), wanted)) return &line;
    return nullptr;
}

std::optional<std::string_view> HeadLines::combined(std::string_view wanted, std::string& storage) const {
    std::optional<std::string_view> all;
    bool joined = false;
    for (const auto& line : lines()) {
        if (line.drop || line.name_length != wanted.size() || !equals_lower(name(line), wanted)) continue;
        if (!all) {
            all = value(line);
            continue;
        }
        if (!joined) storage.assign(*all);
        joined = true;
        storage.append(", ").append(value(line));
        all = storage;
    }
    return all;
}

std::size_t HeadLines::count(Header id) const {
    std::size_t n = 0;
    for (const auto& line : lines()) n += line.id == id ? 1 : 0;
    return n;
}

}  // namespace gateway::wire
