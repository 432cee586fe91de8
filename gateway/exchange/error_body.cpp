#include "gateway/exchange/error_body.hpp"

#include "gateway/observe/access_log.hpp"
#include "gateway/wire/head_writer.hpp"

namespace gateway::exchange {

namespace {

struct Row {
    unsigned status;
    std::string_view code;
    std::string_view detail;
    unsigned retry_after_s;
    bool close;
};

// One row per Failed, in its order.
const Row& row(Failed what) {
    static constexpr std::string_view kDown =
        "Layanan sedang tidak dapat dihubungi. Silakan coba lagi beberapa saat lagi.";
    switch (what) {
        case Failed::route_not_found: {
            static constexpr Row r{404, "route_not_found", "Alamat yang diminta tidak ditemukan.", 0, false};
            return r;
        }
        case Failed::method_not_allowed: {
            static constexpr Row r{405, "method_not_allowed",
                                   "Metode ini tidak didukung untuk alamat tersebut.", 0, false};
            return r;
        }
        case Failed::body_too_large: {
            static constexpr Row r{413, "body_too_large", "Data yang dikirim terlalu besar.", 0, true};
            return r;
        }
        case Failed::body_timeout: {
            static constexpr Row r{408, "body_timeout", "Data permintaan terlalu lama tidak lengkap.", 0,
                                   true};
            return r;
        }
        case Failed::head_timeout: {
            static constexpr Row r{408, "head_timeout", "Permintaan terlalu lama tidak lengkap.", 0, true};
            return r;
        }
        case Failed::rate_limited: {
            static constexpr Row r{429, "rate_limited", "Terlalu banyak permintaan. Silakan coba lagi nanti.",
                                   0, false};
            return r;
        }
        case Failed::overloaded: {
            static constexpr Row r{503, "overloaded", "Layanan sedang sibuk. Silakan coba lagi nanti.", 1,
                                   false};
            return r;
        }
        case Failed::queue_timeout: {
            static constexpr Row r{503, "queue_timeout", "Layanan sedang sibuk. Silakan coba lagi nanti.", 1,
                                   false};
            return r;
        }
        case Failed::draining: {
            static constexpr Row r{503, "draining", "Layanan sedang dimulai ulang. Silakan coba lagi.", 1,
                                   true};
            return r;
        }
        case Failed::no_endpoint: {
            static constexpr Row r{503, "upstream_unavailable", kDown, 2, false};
            return r;
        }
        case Failed::circuit_open: {
            static constexpr Row r{503, "circuit_open", kDown, 2, false};
            return r;
        }
        case Failed::connect_failed: {
            static constexpr Row r{503, "upstream_unavailable", kDown, 2, false};
            return r;
        }
        case Failed::upstream_reset: {
            static constexpr Row r{502, "upstream_reset", "Layanan memutus sambungan sebelum menjawab.", 0,
                                   false};
            return r;
        }
        case Failed::upstream_timeout: {
            static constexpr Row r{504, "upstream_timeout", "Layanan tidak menjawab tepat waktu.", 0, false};
            return r;
        }
        case Failed::upstream_bad_answer: {
            static constexpr Row r{502, "upstream_bad_answer", "Layanan memberi jawaban yang tidak sah.", 0,
                                   false};
            return r;
        }
        case Failed::upgrade_refused: {
            static constexpr Row r{502, "upgrade_failed", "Sambungan WebSocket tidak dapat dibuka.", 0, true};
            return r;
        }
        case Failed::total_timeout: {
            static constexpr Row r{504, "total_timeout", "Permintaan melampaui batas waktu.", 0, false};
            return r;
        }
        case Failed::file_not_found: {
            static constexpr Row r{404, "not_found", "Halaman yang diminta tidak ditemukan.", 0, false};
            return r;
        }
        case Failed::file_unreadable: {
            static constexpr Row r{500, "file_unreadable", "Terjadi kesalahan pada server.", 0, false};
            return r;
        }
        case Failed::internal:
            break;
    }
    static constexpr Row r{500, "internal_error", "Terjadi kesalahan pada server.", 0, true};
    return r;
}

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
    const Row& r = row(what);
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
