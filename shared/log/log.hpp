// One JSON object a line on stderr: {"ts","level","service","event",...fields}. `event` is a stable
// snake_case name that operators can search for; what varies goes into fields. Never pass a token or a
// password.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

namespace shared::log {

enum class Level { debug, info, warn, error };

class Field {
  public:
    Field(std::string_view name, std::string_view v) : key(name), value(v) {}
    Field(std::string_view name, const char* v) : key(name), value(std::string_view(v)) {}
    Field(std::string_view name, const std::string& v) : key(name), value(std::string_view(v)) {}
    Field(std::string_view name, bool v) : key(name), value(v) {}
    Field(std::string_view name, double v) : key(name), value(v) {}
    template <std::integral T>
    requires(!std::same_as<T, bool>) Field(std::string_view name, T v)
        : key(name), value(static_cast<std::int64_t>(v)) {}

    std::string_view key;
    std::variant<std::string_view, bool, double, std::int64_t> value;
};

using Fields = std::initializer_list<Field>;

// Called once by main before threads start. `level` is debug, info, warn or error (unknown: info).
void init(std::string_view service, std::string_view level);

// Waits until what was logged has been written.
void flush();

void write(Level level, std::string_view event, Fields fields = {});

inline void debug(std::string_view event, Fields fields = {}) {
    write(Level::debug, event, fields);
}
inline void info(std::string_view event, Fields fields = {}) {
    write(Level::info, event, fields);
}
inline void warn(std::string_view event, Fields fields = {}) {
    write(Level::warn, event, fields);
}
inline void error(std::string_view event, Fields fields = {}) {
    write(Level::error, event, fields);
}

}  // namespace shared::log
