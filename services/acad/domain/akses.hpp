// Who may do what to whose data. The roles come from a verified token.
#pragma once

#include <string>
#include <string_view>

namespace acad::domain {

enum class Peran { admin, dosen, mahasiswa, lain };
Peran parse_peran(std::string_view role);

struct Pelaku {
    std::string sub;  // the account
    Peran peran = Peran::lain;
    std::string nim;  // empty: the account has none
    std::string request_id;

    bool is(Peran p) const { return peran == p; }
    bool owns(std::string_view other_nim) const {
        return is(Peran::mahasiswa) && !nim.empty() && nim == other_nim;
    }
};

// Data of one student: the student, every dosen, every admin.
bool may_read(const Pelaku& pelaku, std::string_view nim);
// The list of all students; a mahasiswa sees the own row only.
bool may_list_all(const Pelaku& pelaku);
// Enrolment of one student; for the student only while the term is open, which is checked where it is known.
bool may_enrol(const Pelaku& pelaku, std::string_view nim);

}  // namespace acad::domain
