-- The academic database as the first release left it: no foreign keys, grades padded to two
-- characters, grades that are not given yet, the same enrolment twice.
CREATE TABLE mahasiswa (nim varchar(10) PRIMARY KEY, nama varchar(100), jurusan varchar(50), angkatan integer);
CREATE TABLE mata_kuliah (kode_mk varchar(10) PRIMARY KEY, nama_mk varchar(100), sks integer);
CREATE TABLE krs (id_krs bigserial PRIMARY KEY, nim varchar(10), kode_mk varchar(10), nilai char(2), semester integer);
CREATE TABLE bobot_nilai (nilai char(2) PRIMARY KEY, bobot double precision);

INSERT INTO mahasiswa VALUES
    ('22001', 'Ahmad Fauzan', 'Sains Data', 2022),
    ('22002', 'Nisa Rahma', 'Sains Data', 2022),
    ('22003', 'Budi Santoso', 'Sains Data', 2022);
INSERT INTO mata_kuliah VALUES
    ('IF101', 'Pemrograman Dasar', 3), ('IF102', 'Basis Data', 3), ('IF103', 'Aljabar Matriks', 3);
INSERT INTO bobot_nilai VALUES ('A', 4), ('A-', 3.75), ('B+', 3.5), ('B', 3), ('B-', 2.75), ('C+', 2.5), ('C', 2), ('D', 1), ('E', 0);
INSERT INTO krs (nim, kode_mk, nilai, semester) VALUES
    ('22001', 'IF101', 'A', 1), ('22001', 'IF102', 'B+', 1), ('22001', 'IF103', 'B', 1),
    ('22002', 'IF101', 'A', 1), ('22002', 'IF102', 'A', 1), ('22002', 'IF103', 'B+', 1),
    -- (4 + 2.5) / 2 = 3.25: of the two rows for IF101 the graded one counts, IF103 has no grade.
    ('22003', 'IF101', NULL, 1), ('22003', 'IF101', 'A', 1), ('22003', 'IF102', 'C+', 1), ('22003', 'IF103', NULL, 1);
