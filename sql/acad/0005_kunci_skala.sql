-- A grade is checked against the scale while nobody changes the scale: writers of grades share a lock that the
-- change of a scale takes alone (the same number as in services/acad/store/skala.cpp).
CREATE OR REPLACE FUNCTION krs_nilai_periksa() RETURNS trigger
    LANGUAGE plpgsql AS
$$
BEGIN
    IF NEW.nilai IS NULL THEN
        RETURN NEW;
    END IF;
    PERFORM pg_advisory_xact_lock_shared(7316842501173);
    NEW.nilai := upper(btrim(NEW.nilai));
    IF NOT EXISTS (SELECT
                   FROM skala_nilai_butir b
                   WHERE b.nilai = NEW.nilai
                     AND b.id_skala = skala_untuk((SELECT m.jurusan FROM mahasiswa m WHERE m.nim = NEW.nim),
                                                  NEW.kode_semester)) THEN
        RAISE EXCEPTION 'nilai di luar skala' USING ERRCODE = 'check_violation', CONSTRAINT = 'krs_nilai_skala';
    END IF;
    RETURN NEW;
END
$$;
