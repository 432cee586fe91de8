#include "services/acad/domain/akses.hpp"

namespace acad::domain {

Peran parse_peran(std::string_view role) {
    if (role == "admin") return Peran::admin;
    if (role == "dosen") return Peran::dosen;
    if (role == "mahasiswa") return Peran::mahasiswa;
    return Peran::lain;
}

bool may_list_all(const Pelaku& pelaku) {
    return pelaku.is(Peran::admin) || pelaku.is(Peran::dosen);
}

bool may_read(const Pelaku& pelaku, std::string_view nim) {
    return may_list_all(pelaku) || pelaku.owns(nim);
}

bool may_enrol(const Pelaku& pelaku, std::string_view nim) {
    return pelaku.is(Peran::admin) || pelaku.owns(nim);
}

}  // namespace acad::domain
