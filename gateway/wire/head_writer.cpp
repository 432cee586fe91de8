#include "gateway/wire/head_writer.hpp"

#include <algorithm>
#include <array>

#include "gateway/wire/chars.hpp"
#include "shared/base/http_text.hpp"

namespace gateway::wire {
namespace {

bool same_name(const Addition& a, std::string_view name) {
    return a.name.size() == name.size() && equals_ignoring_case(a.name, name);
}

bool overridden(std::string_view name, std::span<const Addition> additions) {
    return std::any_of(additions.begin(), additions.end(), [name](const Addition& a) {
        return a.mode == Addition::Mode::set && same_name(a, name);
    });
}

bool named(std::string_view name, std::span<const Addition> lines) {
    return std::any_of(lines.begin(), lines.end(),
                       [name](const Addition& line) { return same_name(line, name) && !line.value.empty(); });
}

// The lines that stay, as "Name: value". Neighbours that are spelled like that already go out in one copy.
void kept_lines(Output& out, const HeadLines& head, std::span<const Addition> additions) {
    const char* run = nullptr;
    const char* run_end = nullptr;
    const auto flush = [&] {
        if (run != nullptr) out.text({run, static_cast<std::size_t>(run_end - run)});
        run = nullptr;
    };
    for (const auto& line : head.lines()) {
        const auto name = head.name(line);
        if (line.drop || (!additions.empty() && overridden(name, additions))) {
            flush();
            continue;
        }
        const auto value = head.value(line);
        if (line.canonical) {
            if (run_end != name.data()) flush();
            if (run == nullptr) run = name.data();
            run_end = value.data() + value.size() + 2;
            continue;
        }
        flush();
        out.text(name);
        out.text(": ");
        out.text(value);
        out.text("\r\n");
    }
    flush();
}

// `present`: whether there is a line of that name already.
template <class Present>
void additions_to(Output& out, std::span<const Addition> additions, Present&& present) {
    for (const auto& a : additions) {
        if (a.mode == Addition::Mode::set && a.value.empty()) continue;  // only removes
        if (a.mode == Addition::Mode::if_absent && present(a.name)) continue;
        out.header(a.name, a.value);
    }
}

bool kept(const HeadLines& head, std::string_view name) {
    const auto* line = head.find(name);
    return line != nullptr && !line->drop;
}

void own_lines(Output& out, std::span<const Addition> own, std::span<const Addition> additions) {
    for (const auto& line : own) {
        if (line.value.empty() || (!additions.empty() && overridden(line.name, additions))) continue;
        out.own_header(line.name, line.value);
    }
}

void status_line(Output& out, unsigned status, std::string_view upstream_reason) {
    out.text("HTTP/1.1 ");
    out.number(status);
    out.text(" ");
    const auto ours = reason_phrase(status);
    out.text(ours.empty() ? upstream_reason
                          : ours);  // the reader has checked the upstream's for control bytes
    out.text("\r\n");
}

void response_framing(Output& out, const ClientResponse& add) {
    if (add.upgrade_websocket) {
        out.text("Connection: Upgrade\r\nUpgrade: websocket\r\n");
    } else {
        if (add.body == BodyKind::chunked) {
            out.text("Transfer-Encoding: chunked\r\n");
        } else if (add.body == BodyKind::length || (add.body == BodyKind::none && add.write_content_length)) {
            out.text("Content-Length: ");
            out.number(add.content_length);
            out.text("\r\n");
        }
        if (!add.keep_alive || add.body == BodyKind::until_close)
            out.text("Connection: close\r\n");
        else if (add.client_version_minor == 0)
            out.text("Connection: keep-alive\r\n");
    }
    out.text("\r\n");
}

constexpr std::string_view kRequestId = "X-Request-Id";

bool fits(const Output& out) {
    return !out.overflow() && !out.rejected();
}

bool all_hex_lower(std::string_view text) {
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

}  // namespace

bool write_request_head(Output& out, const RequestHead& head, const UpstreamRequest& add) {
    out.text(to_string(head.method()));
    out.text(" ");
    out.text(add.path);
    if (add.has_query) {
        out.text("?");
        out.text(add.query);
    }
    out.text(" HTTP/1.1\r\n");
    out.line("Host: ", add.host);
    kept_lines(out, head, add.additions);
    const std::array<Addition, 9> own{{{"Via", kVia},
                                       {"X-Forwarded-For", add.forwarded_for},
                                       {"X-Forwarded-Proto", add.forwarded_proto},
                                       {"X-Forwarded-Host", add.forwarded_host},
                                       {"X-Real-IP", add.client_address},
                                       {"X-Client-Address", add.client_address},
                                       {"X-Request-Id", add.request_id},
                                       {"traceparent", add.traceparent},
                                       {"Forwarded", add.forwarded}}};
    own_lines(out, own, add.additions);
    out.text(add.identity_lines);
    additions_to(out, add.additions,
                 [&](std::string_view name) { return kept(head, name) || named(name, own); });
    if (add.upgrade_websocket) out.text("Connection: Upgrade\r\nUpgrade: websocket\r\n");
    if (add.expect_continue) out.text("Expect: 100-continue\r\n");
    if (add.body == BodyKind::chunked) {
        out.text("Transfer-Encoding: chunked\r\n");
    } else if (add.body == BodyKind::length || add.send_zero_length) {
        out.text("Content-Length: ");
        out.number(add.body == BodyKind::length ? add.content_length : 0);
        out.text("\r\n");
    }
    out.text("\r\n");
    return fits(out);
}

bool write_response_head(Output& out, const ResponseHead& head, const ClientResponse& add) {
    status_line(out, head.status(), head.reason());
    kept_lines(out, head, add.additions);
    const Addition id{kRequestId, add.request_id};
    own_lines(out, {&id, 1}, add.additions);
    additions_to(out, add.additions,
                 [&](std::string_view name) { return kept(head, name) || same_name(id, name); });
    response_framing(out, add);
    return fits(out);
}

bool write_own_response_head(Output& out, unsigned status, const ClientResponse& add) {
    status_line(out, status, "Unknown");
    const Addition id{kRequestId, add.request_id};
    own_lines(out, {&id, 1}, add.additions);
    additions_to(out, add.additions,
                 [&](std::string_view name) { return named(name, add.own) || same_name(id, name); });
    own_lines(out, add.own, add.additions);
    response_framing(out, add);
    return fits(out);
}

bool write_informational_head(Output& out, const ResponseHead& head, std::span<const Addition> overrides) {
    status_line(out, head.status(), head.reason());
    kept_lines(out, head, overrides);
    for (const auto& a : overrides) {
        if (a.mode == Addition::Mode::set && !a.value.empty() && kept(head, a.name))
            out.header(a.name, a.value);
    }
    out.text("\r\n");
    return fits(out);
}

std::string_view reason_phrase(unsigned status) {
    return shared::reason_phrase(status);
}

bool sane_request_id(std::string_view text) {
    if (text.empty() || text.size() > 128) return false;
    return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7F; });
}

bool valid_traceparent(std::string_view text) {
    if (text.size() != 55 || !text.starts_with("00-") || text[35] != '-' || text[52] != '-') return false;
    const auto trace = text.substr(3, 32);
    const auto parent = text.substr(36, 16);
    return all_hex_lower(trace) && all_hex_lower(parent) && all_hex_lower(text.substr(53)) &&
           trace.find_first_not_of('0') != std::string_view::npos &&
           parent.find_first_not_of('0') != std::string_view::npos;
}

}  // namespace gateway::wire
