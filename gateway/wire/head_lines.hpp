// The header lines of a head, as offsets into the bytes they were read from.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "gateway/wire/header_name.hpp"
#include "gateway/wire/rules.hpp"

namespace gateway::wire {

struct HeaderLine {
    std::uint16_t name_at;
    std::uint16_t name_length;
    std::uint16_t value_at;  // without white space around the value
    std::uint16_t value_length;
    Header id;
    bool drop;       // never copied to the other side: hop-by-hop, framing, or written anew by the gateway
    bool canonical;  // the bytes are exactly "Name: value\r\n", so that runs of lines are copied in one piece
};

// Part of RequestHead and ResponseHead. The offsets are relative to base(): the head is usable for as long as
// the bytes live there.
class HeadLines {
  public:
    std::span<const HeaderLine> lines() const { return {lines_.data(), count_}; }
    std::string_view name(const HeaderLine& line) const { return {base_ + line.name_at, line.name_length}; }
    std::string_view value(const HeaderLine& line) const {
        return {base_ + line.value_at, line.value_length};
    }

    bool has(Header id) const { return first_[static_cast<std::size_t>(id)] != kNone; }
    // Value of the first line with that name; empty if there is none. Not for Header::other, x_user, …_other.
    std::string_view value(Header id) const;
    // First line with that name, for names that are Header::other too; case-insensitive. nullptr if absent.
    const HeaderLine* find(std::string_view name) const;
    // The value of that name (lower-case) as the other side will see it: what is dropped is not there,
    // several lines are one list (RFC 9110 section 5.3), put together in `storage`.
    std::optional<std::string_view> combined(std::string_view name, std::string& storage) const;
    // How many lines have that name.
    std::size_t count(Header id) const;

    const char* base() const { return base_; }
    // For filters: a line that is not to be forwarded.
    void drop(const HeaderLine& line) { lines_[static_cast<std::size_t>(&line - lines_.data())].drop = true; }

  protected:
    friend class HeadReader;
    static constexpr std::uint8_t kNone = 0xFF;

    void clear_lines();
    std::span<HeaderLine> lines_as_mutable() { return {lines_.data(), count_}; }

    const char* base_ = nullptr;
    std::uint8_t count_ = 0;
    std::array<std::uint8_t, kHeaderCount> first_;
    std::array<HeaderLine, kMaxHeaderLines> lines_;
};

// Outcome of feeding a reader.
enum class ReadStatus : std::uint8_t {
    incomplete,  // feed the same bytes again with more behind them
    complete,
    refused,
};

enum class BodyKind : std::uint8_t {
    none,
    length,  // content_length bytes follow
    chunked,
    until_close,  // answers only
};

}  // namespace gateway::wire
