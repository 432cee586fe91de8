#include "shared/log/log.hpp"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>
#include <spdlog/async.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <array>
#include <chrono>
#include <cmath>
#include <ctime>

namespace shared::log {
namespace {

// The logger is the process's one stderr; everything else in the tree is passed in.
std::shared_ptr<spdlog::logger> g_logger;
std::string g_service = "-";

constexpr std::array<std::string_view, 4> kLevelNames{"debug", "info", "warn", "error"};

spdlog::level::level_enum to_spdlog(Level level) {
    switch (level) {
        case Level::debug:
            return spdlog::level::debug;
        case Level::info:
            return spdlog::level::info;
        case Level::warn:
            return spdlog::level::warn;
        case Level::error:
            return spdlog::level::err;
    }
    return spdlog::level::info;
}

// RFC 3339 in UTC with milliseconds.
std::string timestamp() {
    const auto now = std::chrono::system_clock::now();
    const auto seconds = std::chrono::system_clock::to_time_t(now);
    const auto ms =
        std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count() % 1000;
    std::tm utc{};
    gmtime_r(&seconds, &utc);
    std::array<char, 40> text{};
    const auto length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &utc);
    std::array<char, 8> fraction{};
    std::snprintf(fraction.data(), fraction.size(), ".%03dZ", static_cast<int>(ms));
    return std::string(text.data(), length) + fraction.data();
}

using JsonWriter = rapidjson::Writer<rapidjson::StringBuffer>;

void put_text(JsonWriter& writer, std::string_view text) {
    writer.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
}

}  // namespace

void init(std::string_view service, std::string_view level) {
    g_service = service;
    // A full queue drops the oldest lines rather than block a request: a stuck terminal must not stop the
    // service.
    spdlog::init_thread_pool(8192, 1);
    auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    g_logger = std::make_shared<spdlog::async_logger>("log", sink, spdlog::thread_pool(),
                                                      spdlog::async_overflow_policy::overrun_oldest);
    g_logger->set_pattern("%v");
    g_logger->flush_on(spdlog::level::warn);
    g_logger->set_level(spdlog::level::info);
    for (std::size_t i = 0; i < kLevelNames.size(); ++i)
        if (level == kLevelNames[i]) g_logger->set_level(to_spdlog(static_cast<Level>(i)));
    spdlog::flush_every(std::chrono::seconds(1));
}

void flush() {
    if (!g_logger) return;
    // Joins the writing thread, so what was queued is out; logging afterwards goes nowhere.
    g_logger.reset();
    spdlog::shutdown();
}

void write(Level level, std::string_view event, Fields fields) {
    const auto logger = g_logger;
    if (!logger || !logger->should_log(to_spdlog(level))) return;
    rapidjson::StringBuffer buffer;
    JsonWriter writer(buffer);
    writer.StartObject();
    writer.Key("ts");
    put_text(writer, timestamp());
    writer.Key("level");
    put_text(writer, kLevelNames[static_cast<std::size_t>(level)]);
    writer.Key("service");
    put_text(writer, g_service);
    writer.Key("event");
    put_text(writer, event);
    for (const auto& field : fields) {
        writer.Key(field.key.data(), static_cast<rapidjson::SizeType>(field.key.size()));
        if (const auto* text = std::get_if<std::string_view>(&field.value))
            put_text(writer, *text);
        else if (const auto* flag = std::get_if<bool>(&field.value))
            writer.Bool(*flag);
        else if (const auto* number = std::get_if<double>(&field.value))
            std::isfinite(*number) ? writer.Double(*number) : writer.Null();
        else
            writer.Int64(std::get<std::int64_t>(field.value));
    }
    writer.EndObject();
    logger->log(to_spdlog(level), spdlog::string_view_t(buffer.GetString(), buffer.GetSize()));
}

}  // namespace shared::log
