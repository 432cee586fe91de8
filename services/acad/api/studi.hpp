// /api/acad/mahasiswa/{nim}/…: KHS of a semester, transcript, and averages over time.
#pragma once

#include "services/acad/api/common.hpp"
#include "services/acad/api/context.hpp"
#include "shared/http/refused.hpp"

namespace acad::api {

// The record of a student that the caller may read, or the refusal.
boost::asio::awaitable<shared::http::Refused<store::Rekam>> readable_mahasiswa(Context& context,
                                                                               Request& request,
                                                                               std::string nim);

Reply get_khs(Context& context, Request& request);
Reply get_transkrip(Context& context, Request& request);
Reply get_riwayat(Context& context, Request& request);

}  // namespace acad::api
