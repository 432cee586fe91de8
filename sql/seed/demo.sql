-- Demo data; running it again changes nothing. The same rows as the first release came with.
INSERT INTO mahasiswa (nim, nama, jurusan, angkatan) VALUES
    ('22001', 'Ahmad Fauzan', 'Sains Data', 2022),
    ('22002', 'Nisa Rahma', 'Sains Data', 2022)
ON CONFLICT DO NOTHING;

INSERT INTO mata_kuliah (kode_mk, nama_mk, sks) VALUES
    ('IF101', 'Pemrograman Dasar', 3),
    ('IF102', 'Basis Data', 3),
    ('IF103', 'Aljabar Matriks', 3)
ON CONFLICT DO NOTHING;

INSERT INTO krs (nim, kode_mk, semester, kode_semester, sks, nilai) VALUES
    ('22001', 'IF101', 1, 20221, 3, 'A'),
    ('22001', 'IF102', 1, 20221, 3, 'B+'),
    ('22001', 'IF103', 1, 20221, 3, 'B'),
    ('22002', 'IF101', 1, 20221, 3, 'A'),
    ('22002', 'IF102', 1, 20221, 3, 'A'),
    ('22002', 'IF103', 1, 20221, 3, 'B+')
ON CONFLICT DO NOTHING;
