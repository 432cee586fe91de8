// Tables skala_nilai and skala_nilai_butir: what grades mean, for whom and since when.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "services/acad/domain/indeks.hpp"
#include "services/acad/store/write.hpp"

namespace acad::store {

struct Butir {
    std::string nilai;
    std::optional<domain::Indeks> bobot;
    bool lulus = false;
    bool masuk_ip = false;
};

struct Skala {
    std::optional<std::string> jurusan;  // nullopt: everybody without a scale of their own
    int berlaku_dari = 0;                // term; 0: always
    std::optional<int> sebelum;          // the term with which the next scale of the same jurusan begins
    std::vector<Butir> butir;            // best first
};

enum class SkalaResult { done, grade_in_use };

class SkalaStore {
  public:
    explicit SkalaStore(shared::pg::Pool& pool) : pool_(pool) {}

    boost::asio::awaitable<shared::Result<std::vector<Skala>>> list();
    // Makes or replaces the scale of (jurusan, berlaku_dari), unless a grade that was given would lose its
    // meaning.
    boost::asio::awaitable<shared::Result<SkalaResult>> put(domain::Pelaku pelaku, Skala skala);

  private:
    shared::pg::Pool& pool_;
};

}  // namespace acad::store
