#include "services/acad/api/skala.hpp"

#include <algorithm>

#include "shared/http/answers.hpp"

namespace acad::api {

using shared::json::FieldError;
using shared::json::ObjectReader;

namespace {

constexpr std::size_t kMaxButir = 40;

void write(shared::json::Writer& writer, const store::Skala& skala) {
    writer.object([&] {
        writer.member("jurusan", skala.jurusan);
        writer.member("berlaku_dari", skala.berlaku_dari);
        writer.member("sebelum", skala.sebelum);
        writer.member_array("butir", [&] {
            for (const auto& butir : skala.butir) {
                writer.object([&] {
                    writer.member("nilai", butir.nilai);
                    write_indeks(writer, "bobot", butir.bobot);
                    writer.member("lulus", butir.lulus);
                    writer.member("masuk_ip", butir.masuk_ip);
                });
            }
        });
    });
}

bool is_nilai(const std::string& text) {
    return std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' || c == '-';
    });
}

store::Butir read_butir(const rapidjson::Value& value, const std::string& pointer,
                        std::vector<FieldError>& errors) {
    store::Butir butir;
    ObjectReader in(value, errors, pointer);
    butir.nilai = in.required_text("nilai", {.max_length = 2});
    if (!is_nilai(butir.nilai)) in.error("nilai", "hanya huruf besar, angka, + dan -");
    if (!in.take_null("bobot")) {
        if (const auto bobot = in.optional_hundredths("bobot", 0, 400)) {
            butir.bobot = domain::Indeks{static_cast<int>(*bobot)};
        }
    }
    if (!in.has("lulus")) in.error("lulus", "wajib diisi");
    if (!in.has("masuk_ip")) in.error("masuk_ip", "wajib diisi");
    butir.lulus = in.optional_boolean("lulus").value_or(false);
    butir.masuk_ip = in.optional_boolean("masuk_ip").value_or(false);
    if (butir.masuk_ip && !butir.bobot) in.error("bobot", "wajib diisi karena nilai ini masuk IP");
    in.finish();
    return butir;
}

store::Skala read(const rapidjson::Value& body, std::vector<FieldError>& errors) {
    store::Skala skala;
    ObjectReader in(body, errors);
    if (!in.take_null("jurusan")) skala.jurusan = in.optional_text("jurusan", {.max_length = 50});
    skala.berlaku_dari = static_cast<int>(in.optional_integer("berlaku_dari", 0, 99999).value_or(0));
    if (skala.berlaku_dari != 0 && !domain::is_kode_semester(skala.berlaku_dari)) {
        in.error("berlaku_dari", "harus 0 atau kode seperti 20241");
    }
    if (const auto* list = in.required_array("butir")) {
        if (list->Empty() || list->Size() > kMaxButir) {
            in.error("butir", "harus berisi 1 sampai " + std::to_string(kMaxButir) + " nilai");
        } else {
            for (rapidjson::SizeType i = 0; i < list->Size(); ++i) {
                const auto pointer = "/butir/" + std::to_string(i);
                auto butir = read_butir((*list)[i], pointer, errors);
                const bool twice = std::any_of(skala.butir.begin(), skala.butir.end(),
                                               [&](const auto& other) { return other.nilai == butir.nilai; });
                if (twice) errors.push_back({pointer + "/nilai", "nilai ini sudah ada"});
                skala.butir.push_back(std::move(butir));
            }
        }
    }
    in.finish();
    return skala;
}

}  // namespace

Reply list_skala(Context& context, Request&) {
    const auto scales = co_await context.skala.list();
    if (!scales) co_return database_failed(scales.error());
    shared::json::Writer writer;
    writer.array([&] {
        for (const auto& skala : *scales) write(writer, skala);
    });
    co_return shared::http::json_response(200, writer.str());
}

Reply put_skala(Context& context, Request& request) {
    auto body = shared::http::read_json_body(request);
    if (body.refusal) co_return std::move(*body.refusal);
    std::vector<FieldError> errors;
    auto skala = read(body.document, errors);
    if (!errors.empty()) co_return shared::http::validation_failed(std::move(errors));
    const auto copy = skala;
    const auto result = co_await context.skala.put(pelaku_of(request), std::move(skala));
    if (!result) co_return database_failed(result.error());
    if (*result == store::SkalaResult::grade_in_use) {
        co_return shared::http::conflict("grade_in_use",
                                         "Ada nilai yang sudah diberikan dan tidak ada dalam skala baru ini");
    }
    shared::json::Writer writer;
    write(writer, copy);
    co_return shared::http::json_response(200, writer.str());
}

}  // namespace acad::api
