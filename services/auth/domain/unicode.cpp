#include "services/auth/domain/unicode.hpp"

#include <utf8proc.h>

#include <cstdlib>
#include <memory>

namespace auth::domain {
namespace {

std::optional<std::string> map(std::string_view utf8, int options) {
    utf8proc_uint8_t* mapped = nullptr;
    const auto length = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(utf8.data()),
                                     static_cast<utf8proc_ssize_t>(utf8.size()), &mapped,
                                     static_cast<utf8proc_option_t>(options));
    const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(mapped, &std::free);
    if (length < 0) return std::nullopt;
    return std::string(reinterpret_cast<const char*>(mapped), static_cast<std::size_t>(length));
}

}  // namespace

std::optional<std::string> to_nfc(std::string_view utf8) {
    if (utf8.empty()) return std::string();
    return map(utf8, UTF8PROC_STABLE | UTF8PROC_COMPOSE);
}

std::optional<std::string> fold_case(std::string_view utf8) {
    if (utf8.empty()) return std::string();
    return map(utf8,
               UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE);
}

}  // namespace auth::domain
