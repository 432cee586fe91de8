#include "gateway/wire/header_name.hpp"

#include "gateway/wire/chars.hpp"

namespace gateway::wire {
namespace {

struct Known {
    std::string_view name;
    Header id;
};

// Sorted by nothing in particular; the index below groups them by length and first letter.
constexpr Known kKnown[] = {
    {"accept", Header::accept},
    {"accept-encoding", Header::accept_encoding},
    {"accept-ranges", Header::accept_ranges},
    {"access-control-request-headers", Header::access_control_request_headers},
    {"access-control-request-method", Header::access_control_request_method},
    {"age", Header::age},
    {"allow", Header::allow},
    {"authorization", Header::authorization},
    {"cache-control", Header::cache_control},
    {"connection", Header::connection},
    {"content-encoding", Header::content_encoding},
    {"content-length", Header::content_length},
    {"content-type", Header::content_type},
    {"cookie", Header::cookie},
    {"date", Header::date},
    {"etag", Header::etag},
    {"expect", Header::expect},
    {"forwarded", Header::forwarded},
    {"host", Header::host},
    {"http2-settings", Header::http2_settings},
    {"if-match", Header::if_match},
    {"if-modified-since", Header::if_modified_since},
    {"if-none-match", Header::if_none_match},
    {"if-range", Header::if_range},
    {"if-unmodified-since", Header::if_unmodified_since},
    {"keep-alive", Header::keep_alive},
    {"last-modified", Header::last_modified},
    {"link", Header::link},
    {"location", Header::location},
    {"origin", Header::origin},
    {"proxy", Header::proxy},
    {"proxy-authenticate", Header::proxy_authenticate},
    {"proxy-authorization", Header::proxy_authorization},
    {"proxy-connection", Header::proxy_connection},
    {"range", Header::range},
    {"referer", Header::referer},
    {"retry-after", Header::retry_after},
    {"sec-websocket-accept", Header::sec_websocket_accept},
    {"sec-websocket-extensions", Header::sec_websocket_extensions},
    {"sec-websocket-key", Header::sec_websocket_key},
    {"sec-websocket-protocol", Header::sec_websocket_protocol},
    {"sec-websocket-version", Header::sec_websocket_version},
    {"server", Header::server},
    {"set-cookie", Header::set_cookie},
    {"te", Header::te},
    {"traceparent", Header::traceparent},
    {"tracestate", Header::tracestate},
    {"trailer", Header::trailer},
    {"transfer-encoding", Header::transfer_encoding},
    {"upgrade", Header::upgrade},
    {"user-agent", Header::user_agent},
    {"vary", Header::vary},
    {"via", Header::via},
    {"www-authenticate", Header::www_authenticate},
    {"x-client-address", Header::x_client_address},
    {"x-forwarded-for", Header::x_forwarded_for},
    {"x-forwarded-host", Header::x_forwarded_host},
    {"x-forwarded-port", Header::x_forwarded_port},
    {"x-forwarded-proto", Header::x_forwarded_proto},
    {"x-overloaded", Header::x_overloaded},
    {"x-real-ip", Header::x_real_ip},
    {"x-request-id", Header::x_request_id},
    {"x-session-id", Header::x_session_id},
};
constexpr std::size_t kKnownCount = sizeof kKnown / sizeof kKnown[0];

// Open-addressed table over (length, first letter, last letter): mostly one candidate for each name looked
// up.
constexpr std::size_t kSlots = 256;
constexpr std::size_t slot_of(std::size_t length, char first, char last) {
    return (length * 31 + static_cast<unsigned char>(first) * 7 + static_cast<unsigned char>(last) * 13) %
           kSlots;
}

constexpr auto kTable = [] {
    std::array<std::uint8_t, kSlots> table{};  // 1-based index into kKnown; 0: empty
    for (std::size_t i = 0; i < kKnownCount; ++i) {
        const auto name = kKnown[i].name;
        auto slot = slot_of(name.size(), name.front(), name.back());
        while (table[slot] != 0) slot = (slot + 1) % kSlots;
        table[slot] = static_cast<std::uint8_t>(i + 1);
    }
    return table;
}();

}  // namespace

bool equals_lower(std::string_view text, std::string_view lower) {
    if (text.size() != lower.size()) return false;
    std::size_t i = 0;
#if defined(__SSE2__)
    for (; text.size() - i > 16; i += 16)
        if (!chars::same(chars::lowered(chars::load(&text[i])), chars::load(&lower[i]))) return false;
    const std::size_t left = text.size() - i;
    if (left >= 4)
        return chars::same(chars::lowered(chars::load_short(&text[i], left)),
                           chars::load_short(&lower[i], left));
#endif
    for (; i < text.size(); ++i)
        if (chars::lower(text[i]) != lower[i]) return false;
    return true;
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i)
        if (chars::lower(a[i]) != chars::lower(b[i])) return false;
    return true;
}

Header classify(std::string_view name) {
    if (name.size() < 2) return Header::other;
    const char first = chars::lower(name.front());
    for (auto slot = slot_of(name.size(), first, chars::lower(name.back())); kTable[slot] != 0;
         slot = (slot + 1) % kSlots) {
        const auto& known = kKnown[kTable[slot] - 1U];
        if (known.name.front() == first && equals_lower(name, known.name)) return known.id;
    }
    if (first == 'a' && name.size() > 15 && equals_lower(name.substr(0, 15), "access-control-"))
        return Header::access_control;
    if (first == 'x') {
        if (name.size() > 7 && equals_lower(name.substr(0, 7), "x-user-")) return Header::x_user;
        if (name.size() > 12 && equals_lower(name.substr(0, 12), "x-forwarded-"))
            return Header::x_forwarded_other;
    }
    return Header::other;
}

}  // namespace gateway::wire
