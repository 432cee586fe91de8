#include "services/acad/api/studi.hpp"

#include "shared/http/answers.hpp"

namespace acad::api {

using shared::json::Writer;

namespace {

void write_head(Writer& writer, const store::Mahasiswa& row) {
    writer.member("nim", row.nim);
    writer.member("nama", row.nama);
    writer.member("jurusan", row.jurusan);
    writer.member("angkatan", row.angkatan);
}

// `mutu` is sks × bobot, what the average is made of.
void write_course(Writer& writer, const domain::Pengambilan& row, bool with_semester) {
    writer.object([&] {
        writer.member("id_krs", row.id_krs);
        writer.member("kode_mk", row.kode_mk);
        writer.member("nama_mk", row.nama_mk);
        if (with_semester) write_semester(writer, row.semester);
        writer.member("sks", row.sks);
        writer.member("nilai", row.nilai);
        std::optional<domain::Indeks> bobot;
        std::optional<domain::Indeks> mutu;
        if (row.counts()) {
            bobot = domain::Indeks{*row.bobot_ratus};
            mutu = domain::Indeks{*row.bobot_ratus * *row.sks};
        }
        write_indeks(writer, "bobot", bobot);
        write_indeks(writer, "mutu", mutu);
        writer.member("lulus", row.lulus);
    });
}

}  // namespace

boost::asio::awaitable<shared::http::Refused<store::Rekam>> readable_mahasiswa(Context& context,
                                                                               Request& request,
                                                                               std::string nim) {
    if (!domain::may_read(pelaku_of(request), nim)) co_return shared::http::forbidden();
    if (!plausible_key(nim, shared::domain::Nim::kMaxLength)) co_return mahasiswa_not_found();
    auto rekam = co_await context.studi.find(std::move(nim));
    if (!rekam) co_return database_failed(rekam.error());
    if (!*rekam) co_return mahasiswa_not_found();
    co_return std::move(**rekam);
}

Reply get_khs(Context& context, Request& request) {
    shared::http::Query query(request);
    const auto asked = read_semester(query, request);
    if (!query.ok()) co_return query.refusal();
    auto rekam = co_await readable_mahasiswa(context, request, request.param("nim"));
    if (!rekam) co_return rekam.error();
    const auto tables = co_await context.studi.tables();
    if (!tables) co_return database_failed(tables.error());

    const auto& studi = rekam->studi;
    // Without ?semester: the latest with a grade, else the latest at all.
    domain::Semester last;
    domain::Studi rows;
    if (asked) {
        rows = domain::of_semester(studi, *asked);
    } else if (const auto graded = domain::latest_graded_term(studi)) {
        rows = domain::of_term(studi, *graded);
    } else if (const auto all = domain::terms(studi); !all.empty()) {
        rows = domain::of_term(studi, all.back());
    }
    if (rows.empty() && asked)
        co_return shared::http::not_found("not_found", "Tidak ada mata kuliah pada semester ini");
    if (const auto all = domain::terms(rows); !all.empty()) last = all.back();
    const auto so_far = domain::until(studi, last);
    const auto ips = domain::ip(rows, context.ketentuan.rounding);

    Writer writer;
    writer.object([&] {
        write_head(writer, rekam->mahasiswa);
        write_semester(writer, last);
        writer.member_array("mata_kuliah", [&] {
            for (const auto& row : rows) write_course(writer, row, false);
        });
        writer.member("sks", domain::sks_taken(rows));
        write_indeks(writer, "ips", ips);
        write_indeks(writer, "ipk", domain::ipk(so_far, context.ketentuan));
        writer.member("sks_lulus", domain::sks_lulus(so_far, context.ketentuan.repeat));
        writer.member("batas_sks_berikutnya", domain::sks_limit(tables->batas_sks, ips));
    });
    co_return shared::http::private_json(200, writer.str());
}

Reply get_transkrip(Context& context, Request& request) {
    auto rekam = co_await readable_mahasiswa(context, request, request.param("nim"));
    if (!rekam) co_return rekam.error();
    const auto tables = co_await context.studi.tables();
    if (!tables) co_return database_failed(tables.error());
    const auto rows = domain::without_repeats(rekam->studi, context.ketentuan.repeat);
    const auto ipk = domain::ip(rows, context.ketentuan.rounding);
    int sks_ip = 0;
    for (const auto& row : rows) sks_ip += row.counts() ? *row.sks : 0;

    Writer writer;
    writer.object([&] {
        write_head(writer, rekam->mahasiswa);
        writer.member_array("mata_kuliah", [&] {
            for (const auto& row : rows) write_course(writer, row, true);
        });
        writer.member("sks_total", domain::sks_lulus(rekam->studi, context.ketentuan.repeat));
        writer.member("sks_ip", sks_ip);
        write_indeks(writer, "ipk", ipk);
        writer.member("predikat", domain::predikat(tables->predikat, ipk));
    });
    co_return shared::http::private_json(200, writer.str());
}

Reply get_riwayat(Context& context, Request& request) {
    auto rekam = co_await readable_mahasiswa(context, request, request.param("nim"));
    if (!rekam) co_return rekam.error();
    const auto& studi = rekam->studi;

    Writer writer;
    writer.object([&] {
        write_head(writer, rekam->mahasiswa);
        writer.member_array("semester", [&] {
            for (const auto& term : domain::terms(studi)) {
                const auto rows = domain::of_term(studi, term);
                const auto so_far = domain::until(studi, term);
                writer.object([&] {
                    write_semester(writer, term);
                    writer.member("sks", domain::sks_taken(rows));
                    write_indeks(writer, "ips", domain::ip(rows, context.ketentuan.rounding));
                    write_indeks(writer, "ipk", domain::ipk(so_far, context.ketentuan));
                    writer.member("sks_lulus", domain::sks_lulus(so_far, context.ketentuan.repeat));
                });
            }
        });
    });
    co_return shared::http::private_json(200, writer.str());
}

}  // namespace acad::api
