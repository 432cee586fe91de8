// Append-only text into a caller's memory. Never writes past the end: overflow() says that something did not
// fit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace gateway::wire {

// Header value without control bytes (horizontal tab allowed).
bool valid_header_value(std::string_view value);
bool valid_header_name(std::string_view name);  // a token, RFC 9110 section 5.6.2

class Output {
  public:
    Output(char* data, std::size_t capacity) : data_(data), capacity_(capacity) {}

    void text(std::string_view t) {
        if (t.size() > capacity_ - size_) {
            overflow_ = true;
            return;
        }
        append(t);
    }
    void number(std::uint64_t n);

    // A whole header line. In the one place that all values the gateway adds go through: a name that is no
    // token or a value with CR, LF, NUL or another control byte makes the line vanish and rejected() true.
    void header(std::string_view name, std::string_view value);

    // The same with a constant for the name, spelled "Name: ": only the value needs a look.
    void line(std::string_view name_and_colon, std::string_view value) {
        if (!takes(value, name_and_colon.size() + value.size() + 2)) return;
        append(name_and_colon);
        append(value);
        append("\r\n");
    }

    // A name that is a constant of ours.
    void own_header(std::string_view name, std::string_view value) {
        if (!takes(value, name.size() + value.size() + 4)) return;
        append(name);
        append(": ");
        append(value);
        append("\r\n");
    }

    std::string_view view() const { return {data_, size_}; }
    std::size_t size() const { return size_; }
    std::size_t room() const { return capacity_ - size_; }
    bool overflow() const { return overflow_; }
    bool rejected() const { return rejected_; }
    // For bytes that were written to room() directly.
    char* end() { return data_ + size_; }
    void advance(std::size_t bytes) { size_ += bytes; }

  private:
    // A line of `size` bytes with this value may be written; else rejected() or overflow() says why not.
    bool takes(std::string_view value, std::size_t size) {
        if (!valid_header_value(value))
            rejected_ = true;
        else if (size > room())
            overflow_ = true;
        else
            return true;
        return false;
    }
    void append(std::string_view t) {
        // memcpy with a null source is undefined even for no bytes
        if (!t.empty()) std::memcpy(data_ + size_, t.data(), t.size());
        size_ += t.size();
    }

    char* data_;
    std::size_t capacity_;
    std::size_t size_ = 0;
    bool overflow_ = false;
    bool rejected_ = false;
};

}  // namespace gateway::wire
