#include "services/acad/api/ips.hpp"

#include "services/acad/api/studi.hpp"
#include "shared/http/answers.hpp"

namespace acad::api {

Reply get_ips(Context& context, Request& request) {
    const auto pelaku = pelaku_of(request);
    shared::http::Query query(request);
    const auto semester = read_semester(query, request);
    std::string nim(request.query_value("nim").value_or(""));
    if (nim.empty()) nim = pelaku.nim;
    if (nim.empty() && domain::may_list_all(pelaku)) query.error("nim", "wajib diisi");
    if (!query.ok()) co_return query.refusal();
    if (nim.empty() && pelaku.is(domain::Peran::mahasiswa)) co_return no_nim();
    auto rekam = co_await readable_mahasiswa(context, request, std::move(nim));
    if (!rekam) co_return rekam.error();

    const auto& studi = rekam->studi;
    domain::Studi rows;
    if (semester) {
        rows = domain::of_semester(studi, *semester);
    } else if (const auto latest = domain::latest_graded_term(studi)) {
        rows = domain::of_term(studi, *latest);
    }
    const auto ips = domain::ip(rows, context.ketentuan.rounding).value_or(domain::Indeks{0});

    shared::json::Writer writer;
    writer.object([&] {
        writer.member("NIM", rekam->mahasiswa.nim);
        writer.member("Nama Mahasiswa", rekam->mahasiswa.nama);
        writer.member("Jurusan", rekam->mahasiswa.jurusan);
        write_indeks(writer, "IPS", ips);
    });
    co_return shared::http::private_json(200, writer.str());
}

}  // namespace acad::api
