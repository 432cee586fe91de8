#include "services/acad/api/ekspor.hpp"

#include <memory>

#include "services/acad/api/csv.hpp"
#include "services/acad/store/mahasiswa.hpp"
#include "shared/http/body_writer.hpp"
#include "shared/log/log.hpp"

namespace acad::api {

using boost::asio::awaitable;
using shared::Result;
using shared::http::BodyWriter;

namespace {

// Read page by page, so that one export neither holds a snapshot of the table nor a long statement, and no
// more than a page of it in memory.
constexpr int kPage = 2000;
constexpr int kStudentsPage = 200;

enum class More { yes, no };

template <class Rows>
More more_after(const Rows& rows, int page) {
    return rows.size() < static_cast<std::size_t>(page) ? More::no : More::yes;
}

std::string number(std::optional<int> value) {
    return value && *value != 0 ? std::to_string(*value) : "";
}

class Pages {
  public:
    virtual ~Pages() = default;
    // Writes the next page; `no` after the last one.
    virtual awaitable<Result<More>> next(CsvWriter& writer) = 0;
};

class TablePages final : public Pages {
  public:
    TablePages(Context& context, const store::Table& table) : context_(context), table_(table) {
        filter_.limit = kPage;
    }

    awaitable<Result<More>> next(CsvWriter& writer) override {
        const auto rows = co_await context_.records.list(table_, filter_);
        if (!rows) co_return rows.error();
        for (const auto& row : *rows) {
            for (std::size_t i = 0; i < table_.columns.size(); ++i) {
                const auto text = row.values[i].value_or("");
                table_.columns[i].kind == store::Kind::text ? writer.text(text) : writer.value(text);
            }
            writer.end_row();
        }
        if (!rows->empty()) filter_.after = rows->back().key();
        co_return more_after(*rows, kPage);
    }

  private:
    Context& context_;
    const store::Table& table_;
    store::RecordFilter filter_;
};

class KrsPages final : public Pages {
  public:
    explicit KrsPages(Context& context) : context_(context) { filter_.limit = kPage; }

    awaitable<Result<More>> next(CsvWriter& writer) override {
        const auto rows = co_await context_.krs.list(filter_);
        if (!rows) co_return rows.error();
        for (const auto& row : *rows) {
            writer.value(row.nim).value(row.kode_mk);
            writer.value(number(row.semester.ke)).value(number(row.semester.kode));
            writer.value(row.nilai.value_or("")).end_row();
        }
        if (!rows->empty()) filter_.after = rows->back().id_krs;
        co_return more_after(*rows, kPage);
    }

  private:
    Context& context_;
    store::KrsFilter filter_;
};

class AkmPages final : public Pages {
  public:
    explicit AkmPages(Context& context) : context_(context) { filter_.limit = kStudentsPage; }

    awaitable<Result<More>> next(CsvWriter& writer) override {
        const auto students = co_await context_.records.list(store::kMahasiswa, filter_);
        if (!students) co_return students.error();
        std::vector<std::string> page;
        for (const auto& row : *students) page.push_back(row.key());
        const auto records = co_await context_.studi.find_many(page);
        if (!records) co_return records.error();
        for (const auto& rekam : *records) write(writer, rekam);
        if (!students->empty()) filter_.after = students->back().key();
        co_return more_after(*students, kStudentsPage);
    }

  private:
    void write(CsvWriter& writer, const store::Rekam& rekam) const {
        const auto& ketentuan = context_.ketentuan;
        for (const auto& term : domain::terms(rekam.studi)) {
            const auto rows = domain::of_term(rekam.studi, term);
            const auto so_far = domain::until(rekam.studi, term);
            const auto ips = domain::ip(rows, ketentuan.rounding);
            const auto ipk = domain::ipk(so_far, ketentuan);
            writer.value(rekam.mahasiswa.nim).text(rekam.mahasiswa.nama).text(rekam.mahasiswa.jurusan);
            writer.value(number(term.ke)).value(number(term.kode));
            writer.value(ips ? domain::to_decimal(*ips) : "").value(std::to_string(domain::sks_taken(rows)));
            writer.value(ipk ? domain::to_decimal(*ipk) : "");
            writer.value(std::to_string(domain::sks_lulus(so_far, ketentuan.repeat))).end_row();
        }
    }

    Context& context_;
    store::RecordFilter filter_;
};

struct Export {
    std::unique_ptr<Pages> pages;
    CsvWriter page;  // read, not sent yet
    More more = More::yes;
};

awaitable<bool> send(std::shared_ptr<Export> state, BodyWriter& out) {
    while (true) {
        const auto text = state->page.take();
        const bool written = co_await out.write(text);
        if (!written) co_return false;
        if (state->more == More::no) co_return true;
        state->page = CsvWriter();
        const auto more = co_await state->pages->next(state->page);
        if (!more) {
            shared::log::warn("export_cut_off", {{"reason", more.error().message()}});
            co_return false;
        }
        state->more = *more;
    }
}

// The first page is read before the answer begins, so that an outage is a 503 and not half a file.
Reply stream(std::string name, CsvWriter head, std::unique_ptr<Pages> pages) {
    auto state = std::make_shared<Export>();
    state->pages = std::move(pages);
    state->page = std::move(head);
    const auto more = co_await state->pages->next(state->page);
    if (!more) co_return database_failed(more.error());
    state->more = *more;
    auto response = shared::http::streamed(200, "text/csv; charset=utf-8; header=present",
                                           [state](BodyWriter& out) { return send(state, out); });
    response.with("Cache-Control", "no-store");
    response.with("Content-Disposition", "attachment; filename=\"" + name + ".csv\"");
    co_return response;
}

}  // namespace

Reply export_csv(Context& context, const store::Table& table) {
    CsvWriter head;
    for (const auto& column : table.columns) head.value(column.name);
    head.end_row();
    return stream(std::string(table.name), std::move(head), std::make_unique<TablePages>(context, table));
}

Reply export_krs(Context& context, Request&) {
    CsvWriter head;
    head.value("nim").value("kode_mk").value("semester").value("kode_semester").value("nilai").end_row();
    return stream("krs", std::move(head), std::make_unique<KrsPages>(context));
}

Reply export_akm(Context& context, Request&) {
    CsvWriter head;
    head.value("nim").value("nama").value("jurusan").value("semester").value("kode_semester").value("ips");
    head.value("sks_semester").value("ipk").value("sks_total").end_row();
    return stream("akm", std::move(head), std::make_unique<AkmPages>(context));
}

}  // namespace acad::api
