// Passwords that attackers try first: common ones worldwide and in Indonesia, in lower case and sorted. With
// the default minimum of 12 only the longer ones can occur; the short ones serve installations that ask for
// less.
#include <algorithm>
#include <iterator>
#include <string_view>

#include "services/auth/domain/password_policy.hpp"

namespace auth::domain {
namespace {

// clang-format off
constexpr std::string_view kCommon[] = {
    "000000", "00000000", "0123456789", "0123456789012", "111111", "11111111", "112233", "11223344",
    "1122334455", "112233445566", "121212", "123123", "123123123", "123123123123", "123321", "123454321",
    "1234554321", "123456", "1234567", "12345678", "123456789", "1234567890", "123456789012",
    "1234567890123", "12345678910", "131313", "147147", "147258369", "159753", "1q2w3e", "1q2w3e4r",
    "1q2w3e4r5t", "1q2w3e4r5t6y", "1qaz2wsx", "1qaz2wsx3edc", "654321", "666666", "696969", "7654321",
    "777777", "88888888", "987654321", "9876543210", "999999", "a123456", "a1234567", "a12345678",
    "a123456789", "a1b2c3", "a1b2c3d4", "a1b2c3d4e5", "a1b2c3d4e5f6", "aa123456", "aaaaaa", "abc123",
    "abc12345", "abcd1234", "abcd12345", "abcdef", "abcdef123456", "abcdefg", "abcdefgh", "abcdefghi",
    "abcdefghij", "abcdefghijk", "abcdefghijkl", "access", "access14", "accessdenied", "aceh", "acmilan",
    "admin", "admin1", "admin12", "admin123", "admin1234", "admin12345", "admin123456", "adminadmin",
    "adminadminadmin", "administrator", "administrator1", "administrator123", "akademik", "akademik123",
    "akubisa", "akucintakamu", "akulupa", "akusayangkamu", "alhamdulillah", "alhamdulillah1",
    "alhamdulillah123", "allahuakbar", "anakku", "anaksoleh", "andrew", "android", "anjing", "anjing123",
    "apaaja", "apasaja", "apple123", "arema", "aremania", "arsenal", "arsenal123", "arsenalfc", "asdfgh",
    "asdfghjk", "asdfghjkl", "asdfghjkl123", "asdfghjklqwerty", "ashley", "assalamualaikum",
    "astaghfirullah", "august2024", "autumn2023", "ayahbunda", "ayahibu", "ayahibu123", "azerty",
    "azertyuiop", "babygirl", "babygirl1", "bahagia", "bahagiaselalu", "bali", "bali123", "bandung",
    "bandung1", "bandung123", "barcelona", "barcelona1", "barcelona123", "baseball", "baseball1",
    "basketball", "basketball1", "batman", "batman123", "battery", "bekasi", "bismillah", "bismillah1",
    "bismillah12", "bismillah123", "bismillah1234", "bismillah12345", "bismillahbisa",
    "bismillahirrahmanirrahim", "bismillahlancar", "bismillahlulus", "bismillahsukses", "boboho", "bogor",
    "bonek", "bundaayah", "callofduty", "cantik", "cantik123", "cantikbanget", "changeme", "changeme123",
    "changeme1234", "changemenow", "charlie", "chelsea", "chelsea123", "chelseafc", "cinta", "cinta123",
    "cintakamu", "cintaku", "cintaku123", "cintasejati", "cisco123", "company123", "computer", "computer1",
    "correct", "correct horse battery staple", "correcthorsebatterystaple", "cumlaude", "cumlaude123",
    "daniel", "database", "database1", "database123", "datascience", "datascience1", "default",
    "defaultpassword", "demo", "demo123", "demo1234", "denpasar", "depok", "doraemon", "doraemon1",
    "doraemon123", "dosen", "dosen123", "dosen1234", "dosendosen", "dragon", "dragon123", "facebook",
    "facebook1", "facebook123", "fakultas", "fakultas123", "fakultasteknik", "february2024", "football",
    "football1", "football123", "forever", "forever21", "foreverlove", "fortnite", "freedom", "freedom1",
    "gajah", "galau", "galau123", "ganteng", "ganteng123", "gantengbanget", "gantipassword", "garuda",
    "garuda123", "goodluck", "goodluck123", "goodmorning", "google", "google123", "guest", "guest123",
    "haleluya", "harapan", "harapanku", "harimau", "hello", "hello123", "hellohello", "helloworld",
    "helloworld1", "hockey", "horse", "hunter", "hunter2", "ibuayah", "ihatepasswords", "ilmukomputer",
    "ilovegod", "ilovemom", "ilovemyself", "iloveyou", "iloveyou1", "iloveyou12", "iloveyou123",
    "iloveyou2", "iloveyouforever", "iloveyousomuch", "indonesia", "indonesia1", "indonesia12",
    "indonesia123", "indonesia1234", "indonesia1945", "indonesia45", "indonesiaku", "indonesiaraya",
    "informatika", "informatika123", "instagram", "instagram123", "insyaallah", "intermilan", "internet",
    "internet1", "internet123", "iphone", "ipk4", "ipkempat", "islam123", "jakarta", "jakarta1",
    "jakarta123", "jakmania", "january2024", "jennifer", "jessica", "jesus", "jesuschrist", "jesuslovesme",
    "jogja", "jogja123", "jogjaistimewa", "jomblo", "jomblo123", "jomblobahagia", "jordan", "jordan23",
    "joshua", "juventus", "juventus123", "jwt_secret", "jwtsecret", "kalimantan", "kambing", "kampus",
    "kampus1", "kampus123", "kampusku", "kampusmerdeka", "kangen", "kata sandi rahasia", "kata-sandi",
    "katasandi", "katasandi1", "katasandi123", "katasandibaru", "keluarga", "keluarga123",
    "keluargabahagia", "keluargaku", "kenangan", "kenangan123", "killer", "killer123", "komputer",
    "komputer123", "koperasi", "kucing", "kucing123", "laboratorium", "lampung", "letmein", "letmein123",
    "letmein1234", "letmeinplease", "linux", "liverpool", "liverpool1", "liverpool123", "liverpoolfc",
    "login", "login123", "loginlogin", "lovelove", "lovely", "loveyou", "lulus123", "lulustepatwaktu",
    "lupalagi", "lupapassword", "lupapasswordlagi", "mahasiswa", "mahasiswa1", "mahasiswa123",
    "mahasiswa2020", "mahasiswa2021", "mahasiswa2022", "mahasiswa2023", "mahasiswa2024", "mahasiswabaru",
    "makassar", "malang", "mamapapa", "mamapapa123", "manchester", "manchester1", "manchesterunited",
    "manutd", "master", "master123", "masyaallah", "matthew", "medan", "medan123", "merdeka",
    "merdeka17845", "merdeka1945", "merdeka45", "merdekabelajar", "michael", "michaeljordan", "microsoft",
    "minecraft", "minecraft123", "mongodb", "mongodb123", "monkey", "monkey123", "monyet", "muhammad",
    "muhammad123", "muhammadsaw", "mypassword", "mypassword1", "mypassword123", "mysecret", "mysecretkey",
    "mysecretpassword", "mysql123", "naruto", "narutouzumaki", "newpassword", "newpassword1", "nopassword",
    "nusantara", "office123", "onepiece", "opensesame", "oracle123", "osis123", "p4ssw0rd", "p@ssw0rd",
    "p@ssword", "padang", "palembang", "pancasila", "papamama", "papua", "passw0rd", "password",
    "password1", "password12", "password123", "password1234", "password12345", "password123456",
    "passwordispassword", "passwordku", "passwordku123", "passwordpassword", "passwordsaya", "pastibisa",
    "perpustakaan", "persebaya", "persib", "persib1933", "persibbandung", "persija", "persijajakarta",
    "pokemon", "pokemon123", "postgres", "postgres123", "pramuka", "pramuka123", "princess", "princess1",
    "princess123", "q1w2e3r4", "q1w2e3r4t5", "q1w2e3r4t5y6", "qazwsx", "qazwsxedc", "qazwsxedcrfv",
    "qwerty", "qwerty1", "qwerty12", "qwerty123", "qwerty1234", "qwerty12345", "qwerty123456", "qwertyuiop",
    "qwertyuiop1", "qwertyuiop123", "qwertyuiop[]", "qwertyuiopas", "qwertyuiopasdf", "rahasia", "rahasia1",
    "rahasia12", "rahasia123", "rahasia1234", "rahasia12345", "rahasiabanget", "rahasianegara",
    "rahasiasekali", "raspberry", "raspberrypi", "realmadrid", "realmadrid123", "rindu", "roblox", "root",
    "rootpassword", "rootroot", "sahabat", "sahabat123", "sahabatselamanya", "sainsdata", "sainsdata123",
    "samsung", "samsung123", "sandi123", "sandirahasia", "sangatrahasia", "sayang", "sayang1", "sayang12",
    "sayang123", "sayang1234", "sayang12345", "sayang123456", "sayangibu", "sayangkamu", "sayangku",
    "sayangku123", "sayangmama", "sayangselalu", "secret", "secret1", "secret123", "secret_key",
    "secretkey", "secretsecret", "sekolah", "sekolah123", "semangat", "semangat123", "semangat45",
    "semarang", "semester1", "semester123", "server", "server123", "service", "service123", "shadow",
    "siakad", "siakad123", "siakad2023", "siakad2024", "sinchan", "singoedan", "sistem123",
    "sisteminformasi", "skripsi", "skripsi123", "skripsiselesai", "sman1", "smkbisa", "smkn1", "soccer",
    "spiderman", "spring2023", "spring2024", "staple", "starwars", "starwars123", "subhanallah", "sukses",
    "sukses123", "suksesselalu", "sulawesi", "sumatera", "summer2020", "summer2021", "summer2022",
    "summer2023", "summer2024", "sunshine", "sunshine1", "sunshine123", "superman", "superman1",
    "superman123", "supersecret", "supersecret1", "supersecretkey", "superuser", "surabaya", "surabaya1",
    "surabaya123", "tangerang", "teknik", "teknik123", "teknikinformatika", "temanku", "temp", "temp1234",
    "temporary", "temporary1", "terserah", "terserah123", "test", "test123", "test1234", "testing",
    "testing123", "testpassword", "testtest", "thepassword", "this is a password", "thisisapassword",
    "thisismypassword", "thomas", "tidaktahu", "toor", "topsecret", "trustno1", "tuhanyesus", "twitter",
    "ubnt", "ubuntu", "universitas", "universitas1", "universitas123", "upinipin", "user", "user123",
    "user1234", "username", "viking", "vikingpersib", "welcome", "welcome1", "welcome12", "welcome123",
    "welcome1234", "welcome12345", "whatever", "whatever1", "whatsapp", "windows", "windows10",
    "winter2022", "winter2023", "winter2024", "wisuda", "wisuda2023", "wisuda2024", "wisuda2025",
    "yesuskristus", "yogyakarta", "yourpassword", "zaq12wsx", "zaq1zaq1", "zxcvbn", "zxcvbnm", "zxcvbnm123",
};
// clang-format on

static_assert(std::is_sorted(std::begin(kCommon), std::end(kCommon)));

}  // namespace

bool is_common_password(std::string_view folded) {
    return std::binary_search(std::begin(kCommon), std::end(kCommon), folded);
}

}  // namespace auth::domain
