#include "gateway/wire/output.hpp"

#include <charconv>

#include "gateway/wire/chars.hpp"

namespace gateway::wire {

bool valid_header_value(std::string_view value) {
    return !chars::has_control(value);
}

bool valid_header_name(std::string_view name) {
    if (name.empty()) return false;
    for (const char c : name)
        if (!chars::is(c, chars::kToken)) return false;
    return true;
}

void Output::number(std::uint64_t n) {
    char digits[20];
    const auto [end, problem] = std::to_chars(digits, digits + sizeof digits, n);
    static_cast<void>(problem);  // twenty digits hold every 64-bit number
    text({digits, static_cast<std::size_t>(end - digits)});
}

void Output::header(std::string_view name, std::string_view value) {
    if (!valid_header_name(name)) {
        rejected_ = true;
        return;
    }
    if (!takes(value, name.size() + value.size() + 4)) return;
    append(name);
    append(": ");
    append(value);
    append("\r\n");
}

}  // namespace gateway::wire
