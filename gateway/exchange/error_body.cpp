#include "gateway/exchange/error_body.hpp"

#include <array>

#include "gateway/observe/access_log.hpp"
#include "gateway/wire/head_writer.hpp"

namespace gateway::exchange {

namespace {

struct Row {
    Failed what;
    unsigned status;
    std::string_view code;
    std::string_view detail;
    unsigned retry_after_s;
    bool close;
};

constexpr std::string_view kDown =
    "Layanan sedang tidak dapat dihubungi. Silakan coba lagi beberapa saat lagi.";
constexpr std::string_view kBusy = "Layanan sedang sibuk. Silakan coba lagi nanti.";
constexpr std::string_view kOurFault = "Terjadi kesalahan pada server.";

constexpr std::array kRows{
    Row{Failed::route_not_found, 404, "route_not_found", "Alamat yang diminta tidak ditemukan.", 0, false},
    Row{Failed::method_not_allowed, 405, "method_not_allowed",
        "Metode ini tidak didukung untuk alamat tersebut.", 0, false},
    Row{Failed::body_too_large, 413, "body_too_large", "Data yang dikirim terlalu besar.", 0, true},
    Row{Failed::body_timeout, 408, "body_timeout", "Data permintaan terlalu lama tidak lengkap.", 0, true},
    Row{Failed::head_timeout, 408, "head_timeout", "Permintaan terlalu lama tidak lengkap.", 0, true},
    Row{Failed::rate_limited, 429, "rate_limited", "Terlalu banyak permintaan. Silakan coba lagi nanti.", 0,
        false},
    Row{Failed::overloaded, 503, "overloaded", kBusy, 1, false},
    Row{Failed::queue_timeout, 503, "queue_timeout", kBusy, 1, false},
    Row{Failed::no_endpoint, 503, "upstream_unavailable", kDown, 2, false},
    Row{Failed::circuit_open, 503, "circuit_open", kDown, 2, false},
    Row{Failed::connect_failed, 503, "upstream_unavailable", kDown, 2, false},
    Row{Failed::upstream_reset, 502, "upstream_reset", "Layanan memutus sambungan sebelum menjawab.", 0,
        false},
    Row{Failed::upstream_timeout, 504, "upstream_timeout", "Layanan tidak menjawab tepat waktu.", 0, false},
    Row{Failed::upstream_bad_answer, 502, "upstream_bad_answer", "Layanan memberi jawaban yang tidak sah.", 0,
        false},
    Row{Failed::upgrade_refused, 502, "upgrade_failed", "Sambungan WebSocket tidak dapat dibuka.", 0, true},
    Row{Failed::total_timeout, 504, "total_timeout", "Permintaan melampaui batas waktu.", 0, false},
    Row{Failed::loop_detected, 508, "loop_detected", "Permintaan berputar di antara server.", 0, false},
    Row{Failed::file_not_found, 404, "not_found", "Halaman yang diminta tidak ditemukan.", 0, false},
    Row{Failed::precondition_failed, 412, "precondition_failed", "Berkas sudah berubah.", 0, false},
    Row{Failed::file_unreadable, 500, "file_unreadable", kOurFault, 0, false},
    Row{Failed::internal, 500, "internal_error", kOurFault, 0, true},
};

// A row for each enumerator, at its place.
static_assert(kRows.size() == static_cast<std::size_t>(Failed::count_));
static_assert([] {
    for (std::size_t i = 0; i < kRows.size(); ++i)
        if (kRows[i].what != static_cast<Failed>(i)) return false;
    return true;
}());

void member(std::string& out, std::string_view name, std::string_view value) {
    out += ",\"";
    out += name;
    out += "\":";
    observe::append_json_string(out, value);
}

}  // namespace

void append_problem(std::string& out, unsigned status, std::string_view code, std::string_view detail,
                    std::string_view instance, std::string_view request_id) {
    out += "{\"type\":\"about:blank\"";
    member(out, "title", wire::reason_phrase(status));
    out += ",\"status\":";
    out += std::to_string(status);
    member(out, "detail", detail);
    member(out, "instance", instance);
    member(out, "code", code);
    member(out, "request_id", request_id);
    out += "}";
}

Answer answer_for(Failed what) {
    const Row& r = kRows[static_cast<std::size_t>(what)];
    Answer answer;
    answer.status = r.status;
    answer.code = r.code;
    answer.detail = r.detail;
    answer.reason = r.code;
    answer.retry_after_s = r.retry_after_s;
    answer.close = r.close;
    return answer;
}

Answer answer_for(wire::Refusal refusal) {
    const wire::RefusalInfo& info = wire::describe(refusal);
    Answer answer;
    answer.status = info.status;
    answer.code = info.code;
    answer.detail = info.detail;
    answer.reason = info.code;
    answer.close = true;
    return answer;
}

}  // namespace gateway::exchange
