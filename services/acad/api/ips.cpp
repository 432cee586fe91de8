#include "services/acad/api/ips.hpp"

namespace acad::api {

using shared::http::Access;

void Ips::routes(Routes& routes) {
    routes.add("GET", "/api/acad/ips", Access::any_token(),
               [this](Request& request) { return get(request); });
}

Reply Ips::get(Request& request) {
    const auto pelaku = pelaku_of(request);
    Query query(request);
    const auto semester = query.semester("semester");
    if (!query.ok()) co_return query.refusal();

    std::string nim(request.query_value("nim").value_or(""));
    if (nim.empty()) {
        nim = pelaku.nim;
        if (nim.empty() && pelaku.is(domain::Peran::mahasiswa)) co_return no_nim();
        if (nim.empty() && domain::may_list_all(pelaku)) {
            co_return shared::http::parameters_invalid({{"nim", "wajib diisi"}});
        }
    }
    if (!domain::may_read(pelaku, nim)) co_return forbidden();
    if (!plausible_key(nim)) co_return mahasiswa_not_found();

    const auto rekam = co_await studi_.find(nim);
    if (!rekam) co_return database_failed(rekam.error());
    if (!*rekam) co_return mahasiswa_not_found();

    const auto& studi = (*rekam)->studi;
    domain::Studi rows;
    if (semester) {
        rows = domain::of_semester(studi, *semester);
    } else if (const auto latest = domain::latest_graded_term(studi)) {
        rows = domain::of_term(studi, *latest);
    }
    const auto ips = domain::ip(rows, ketentuan_.rounding).value_or(domain::Indeks{0});

    shared::json::Writer writer;
    writer.object([&] {
        writer.member("NIM", (*rekam)->mahasiswa.nim);
        writer.member("Nama Mahasiswa", (*rekam)->mahasiswa.nama);
        writer.member("Jurusan", (*rekam)->mahasiswa.jurusan);
        write_indeks(writer, "IPS", ips);
    });
    co_return private_json(200, writer.str());
}

}  // namespace acad::api
