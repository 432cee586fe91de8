#include "services/acad/api/mahasiswa.hpp"

#include "shared/http/answers.hpp"

namespace acad::api {

Reply list_mahasiswa(Context& context, Request& request) {
    const auto pelaku = pelaku_of(request);
    auto filter = read_filter(request, kMahasiswa.table);
    if (!filter) co_return filter.error();
    if (!domain::may_list_all(pelaku)) {
        if (!pelaku.is(domain::Peran::mahasiswa)) co_return shared::http::forbidden();
        if (pelaku.nim.empty()) co_return shared::http::private_json(200, "[]");
        auto& nim = filter_value(*filter, kMahasiswa.table, "nim");
        if (nim && *nim != pelaku.nim) co_return shared::http::forbidden();
        nim = pelaku.nim;
    }
    co_return co_await list_page(context, request, kMahasiswa, std::move(*filter));
}

Reply get_mahasiswa(Context& context, Request& request) {
    if (!domain::may_read(pelaku_of(request), request.param("nim"))) co_return shared::http::forbidden();
    co_return co_await get_row(context, request, kMahasiswa);
}

}  // namespace acad::api
