-- The tables as the first release made them. An existing database keeps its tables (and rows); an empty one gets
-- the same shape, so that the following files meet one starting point only.
CREATE TABLE IF NOT EXISTS mahasiswa (
    nim      varchar(10) PRIMARY KEY,
    nama     varchar(100),
    jurusan  varchar(50),
    angkatan integer
);

CREATE TABLE IF NOT EXISTS mata_kuliah (
    kode_mk varchar(10) PRIMARY KEY,
    nama_mk varchar(100),
    sks     integer
);

CREATE TABLE IF NOT EXISTS krs (
    id_krs   bigserial PRIMARY KEY,
    nim      varchar(10),
    kode_mk  varchar(10),
    nilai    char(2),
    semester integer
);

-- Superseded by skala_nilai in 0002; kept as it is.
CREATE TABLE IF NOT EXISTS bobot_nilai (
    nilai char(2) PRIMARY KEY,
    bobot double precision
);

-- What the take-over found and could not decide for the university. Nothing is thrown away.
CREATE TABLE temuan_migrasi (
    id_temuan bigserial PRIMARY KEY,
    tabel     text NOT NULL,
    kunci     text NOT NULL,
    temuan    text NOT NULL,
    dicatat   timestamptz NOT NULL DEFAULT now()
);
