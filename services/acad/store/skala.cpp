#include "services/acad/store/skala.hpp"

#include "services/acad/store/text.hpp"

namespace asio = boost::asio;
namespace pg = shared::pg;
using shared::Result;

namespace acad::store {
namespace {

constexpr pg::Statement kList(
    "SELECT s.jurusan, s.berlaku_dari,"
    " (SELECT min(n.berlaku_dari) FROM skala_nilai n"
    "  WHERE n.jurusan IS NOT DISTINCT FROM s.jurusan AND n.berlaku_dari > s.berlaku_dari),"
    " b.nilai, (b.bobot * 100)::int, b.lulus, b.masuk_ip"
    " FROM skala_nilai s LEFT JOIN skala_nilai_butir b USING (id_skala)"
    " ORDER BY s.jurusan NULLS FIRST, s.berlaku_dari, b.masuk_ip DESC, b.bobot DESC NULLS LAST, b.nilai");
// The number is the one in sql/acad/0005: whoever gives a grade holds it shared.
constexpr pg::Statement kLock("SELECT pg_advisory_xact_lock(7316842501173)");
// Grades that have no meaning (rows of the first release may). Counted by groups, which are few.
constexpr pg::Statement kMeaningless(
    "SELECT coalesce(sum(g.banyak), 0) FROM"
    " (SELECT m.jurusan, k.kode_semester, k.nilai, count(*) AS banyak FROM krs k JOIN mahasiswa m USING (nim)"
    "  WHERE k.nilai IS NOT NULL AND k.duplikat_dari IS NULL GROUP BY 1, 2, 3) g"
    " WHERE NOT EXISTS (SELECT FROM skala_nilai_butir b"
    "                   WHERE b.nilai = g.nilai AND b.id_skala = skala_untuk(g.jurusan, g.kode_semester))");
constexpr pg::Statement kHead(
    "INSERT INTO skala_nilai (jurusan, berlaku_dari) VALUES ($1, $2)"
    " ON CONFLICT (coalesce(jurusan, ''), berlaku_dari) DO UPDATE SET berlaku_dari = excluded.berlaku_dari"
    " RETURNING id_skala");
constexpr pg::Statement kClear("DELETE FROM skala_nilai_butir WHERE id_skala = $1");
constexpr pg::Statement kFill(
    "INSERT INTO skala_nilai_butir (id_skala, nilai, bobot, lulus, masuk_ip)"
    " SELECT $1, t.nilai, t.bobot::numeric / 100, t.lulus, t.masuk_ip"
    " FROM unnest($2::text[], $3::int[], $4::bool[], $5::bool[]) AS t (nilai, bobot, lulus, masuk_ip)");

}  // namespace

asio::awaitable<Result<std::vector<Skala>>> SkalaStore::list() {
    pg::Params none;
    const auto rows = co_await pool_.query(kList, std::move(none));
    if (!rows) co_return rows.error();
    std::vector<Skala> result;
    for (int i = 0; i < rows->size(); ++i) {
        const auto jurusan = rows->value(i, 0);
        const auto from = static_cast<int>(rows->integer(i, 1));
        if (result.empty() || result.back().jurusan != jurusan || result.back().berlaku_dari != from) {
            Skala skala;
            skala.jurusan = jurusan;
            skala.berlaku_dari = from;
            if (!rows->is_null(i, 2)) skala.sebelum = static_cast<int>(rows->integer(i, 2));
            result.push_back(std::move(skala));
        }
        if (rows->is_null(i, 3)) continue;
        Butir butir;
        butir.nilai = rows->text(i, 3);
        if (!rows->is_null(i, 4)) butir.bobot = domain::Indeks{static_cast<int>(rows->integer(i, 4))};
        butir.lulus = rows->boolean(i, 5);
        butir.masuk_ip = rows->boolean(i, 6);
        result.back().butir.push_back(std::move(butir));
    }
    co_return result;
}

asio::awaitable<Result<SkalaResult>> SkalaStore::put(domain::Pelaku pelaku, Skala skala) {
    auto transaction = co_await begin_as(pool_, std::move(pelaku));
    if (!transaction) co_return transaction.error();
    const pg::Params none;
    const auto locked = co_await transaction->query(kLock, none);
    if (!locked) co_return locked.error();
    const auto before = co_await transaction->query(kMeaningless, none);
    if (!before) co_return before.error();

    pg::Params head{skala.jurusan, std::to_string(skala.berlaku_dari)};
    const auto id = co_await transaction->query(kHead, std::move(head));
    if (!id) co_return id.error();
    pg::Params key{std::string(id->text(0, 0))};
    const auto cleared = co_await transaction->query(kClear, key);
    if (!cleared) co_return cleared.error();

    std::vector<std::optional<std::string>> nilai;
    std::vector<std::optional<std::string>> bobot;
    std::vector<std::optional<std::string>> lulus;
    std::vector<std::optional<std::string>> masuk_ip;
    for (const auto& butir : skala.butir) {
        nilai.emplace_back(butir.nilai);
        bobot.push_back(butir.bobot ? std::optional(std::to_string(butir.bobot->ratus)) : std::nullopt);
        lulus.emplace_back(butir.lulus ? "t" : "f");
        masuk_ip.emplace_back(butir.masuk_ip ? "t" : "f");
    }
    pg::Params items{key.front(), array_literal(nilai), array_literal(bobot), array_literal(lulus),
                     array_literal(masuk_ip)};
    const auto filled = co_await transaction->query(kFill, std::move(items));
    if (!filled) co_return filled.error();

    const auto after = co_await transaction->query(kMeaningless, none);
    if (!after) co_return after.error();
    if (after->integer(0, 0) > before->integer(0, 0)) co_return SkalaResult::grade_in_use;
    const auto committed = co_await transaction->commit();
    if (!committed) co_return committed.error();
    co_return SkalaResult::done;
}

}  // namespace acad::store
