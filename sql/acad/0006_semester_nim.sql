-- The formula between angkatan, ordinal and code of a semester, the same as services/acad/domain/semester.cpp (a test
-- compares the two over the whole range). Statements use these functions and do not compute it themselves.
CREATE FUNCTION semester_ke(angkatan integer, kode integer) RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$
SELECT CASE WHEN ke BETWEEN 1 AND 14 THEN ke END
FROM (SELECT CASE WHEN angkatan BETWEEN 1900 AND 2900 AND kode BETWEEN 19001 AND 29993 AND kode % 10 BETWEEN 1 AND 3
                  THEN (kode / 10 - angkatan) * 2 + least(kode % 10, 2) END AS ke) AS hitungan
$$;

-- The regular term of an ordinal.
CREATE FUNCTION kode_semester(angkatan integer, ke integer) RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$
SELECT CASE WHEN angkatan BETWEEN 1900 AND 2900 AND ke BETWEEN 1 AND 14
            THEN (angkatan + (ke - 1) / 2) * 10 + CASE ke % 2 WHEN 1 THEN 1 ELSE 2 END END
$$;

-- Room for a NIM of 24 characters (shared/domain/nim.hpp); rows are not rewritten. Where somebody's own
-- view stands on one of the columns it keeps its width, and longer numbers are refused there.
DO
$$
DECLARE
    tabel text;
BEGIN
    FOREACH tabel IN ARRAY ARRAY ['mahasiswa', 'krs', 'riwayat_nilai']
    LOOP
        BEGIN
            EXECUTE format('ALTER TABLE %I ALTER COLUMN nim TYPE varchar(24)', tabel);
        EXCEPTION WHEN feature_not_supported THEN
            INSERT INTO temuan_migrasi (tabel, kunci, temuan)
            VALUES (tabel, 'nim', 'kolom tidak dilebarkan menjadi 24 karakter: ' || SQLERRM);
        END;
    END LOOP;
END
$$;
