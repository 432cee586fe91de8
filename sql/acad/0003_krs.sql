-- krs of the first release, without losing a row: trimmed grades, the sks at the time of enrolment, the term's
-- code, and duplicates that are marked instead of deleted.

-- Keys that came with an older database may delete along (ON DELETE CASCADE); ours, below, never do.
DO
$$
DECLARE
    kunci record;
BEGIN
    FOR kunci IN SELECT conname FROM pg_constraint WHERE conrelid = 'krs'::regclass AND contype = 'f'
    LOOP
        EXECUTE format('ALTER TABLE krs DROP CONSTRAINT %I', kunci.conname);
    END LOOP;
END
$$;

ALTER TABLE krs
    ALTER COLUMN nilai TYPE varchar(2) USING nullif(upper(btrim(nilai)), ''),
    ADD COLUMN kode_semester integer,
    ADD COLUMN sks integer,
    ADD COLUMN duplikat_dari bigint REFERENCES krs,
    ADD COLUMN dibuat timestamptz NOT NULL DEFAULT now();

COMMENT ON COLUMN krs.semester IS 'ordinal as the first release had it: 1..14';
COMMENT ON COLUMN krs.kode_semester IS 'YYYYS; from old rows derived from angkatan and ordinal';
COMMENT ON COLUMN krs.sks IS 'copied from mata_kuliah at enrolment, so that the catalogue may change';
COMMENT ON COLUMN krs.duplikat_dari IS 'row of the first release that says the same as another one; counts nowhere';

UPDATE krs k
SET sks           = (SELECT mk.sks FROM mata_kuliah mk WHERE mk.kode_mk = k.kode_mk),
    kode_semester = (SELECT (m.angkatan + (k.semester - 1) / 2) * 10 + CASE k.semester % 2 WHEN 1 THEN 1 ELSE 2 END
                     FROM mahasiswa m
                     WHERE m.nim = k.nim AND m.angkatan BETWEEN 1900 AND 2900 AND k.semester BETWEEN 1 AND 14);

-- Of rows for the same student, course and semester the graded one stays, and of those the newest.
UPDATE krs k
SET duplikat_dari = d.pertama
FROM (SELECT id_krs,
             first_value(id_krs) OVER (PARTITION BY nim, kode_mk, semester
                                       ORDER BY nilai IS NULL, id_krs DESC) AS pertama
      FROM krs
      WHERE nim IS NOT NULL AND kode_mk IS NOT NULL) d
WHERE d.id_krs = k.id_krs AND d.pertama <> k.id_krs;

CREATE UNIQUE INDEX krs_sekali ON krs (nim, kode_mk, coalesce(semester, 0), coalesce(kode_semester, 0))
    WHERE duplikat_dari IS NULL;
CREATE INDEX krs_per_kelas ON krs (kode_mk, kode_semester);

INSERT INTO temuan_migrasi (tabel, kunci, temuan)
SELECT 'krs', id_krs::text, 'sama dengan krs ' || duplikat_dari FROM krs WHERE duplikat_dari IS NOT NULL
UNION ALL
SELECT 'krs', id_krs::text, 'mahasiswa tidak ada: ' || coalesce(nim, 'NULL')
FROM krs WHERE NOT EXISTS (SELECT FROM mahasiswa m WHERE m.nim = krs.nim)
UNION ALL
SELECT 'krs', id_krs::text, 'mata kuliah tidak ada: ' || coalesce(kode_mk, 'NULL')
FROM krs WHERE NOT EXISTS (SELECT FROM mata_kuliah mk WHERE mk.kode_mk = krs.kode_mk)
UNION ALL
SELECT 'krs', id_krs::text, 'nilai di luar skala: ' || nilai
FROM krs WHERE nilai IS NOT NULL AND NOT EXISTS (SELECT FROM skala_nilai_butir b WHERE b.nilai = krs.nilai)
UNION ALL
SELECT 'krs', id_krs::text, 'semester di luar 1 sampai 14: ' || coalesce(semester::text, 'NULL')
FROM krs WHERE semester IS NULL OR semester NOT BETWEEN 1 AND 14;

-- NOT VALID: every new or changed row is checked, and rows of the first release that break a rule stay.
ALTER TABLE krs
    ADD CONSTRAINT krs_mahasiswa FOREIGN KEY (nim) REFERENCES mahasiswa ON UPDATE CASCADE NOT VALID,
    ADD CONSTRAINT krs_mata_kuliah FOREIGN KEY (kode_mk) REFERENCES mata_kuliah ON UPDATE CASCADE NOT VALID,
    ADD CONSTRAINT krs_lengkap CHECK (nim IS NOT NULL AND kode_mk IS NOT NULL AND sks BETWEEN 0 AND 24
                                      AND sks IS NOT NULL) NOT VALID,
    ADD CONSTRAINT krs_semester CHECK (semester IS NOT NULL AND semester BETWEEN 1 AND 14) NOT VALID;
ALTER TABLE mahasiswa
    ADD CONSTRAINT mahasiswa_lengkap CHECK (nama IS NOT NULL AND nama <> '' AND jurusan IS NOT NULL
                                            AND angkatan BETWEEN 1900 AND 2900 AND angkatan IS NOT NULL) NOT VALID;
ALTER TABLE mata_kuliah
    ADD CONSTRAINT mata_kuliah_lengkap CHECK (nama_mk IS NOT NULL AND nama_mk <> '' AND sks IS NOT NULL
                                              AND sks BETWEEN 0 AND 24) NOT VALID,
    -- Places in a term; NULL: no limit.
    ADD COLUMN kuota integer CHECK (kuota >= 0);

DO
$$
DECLARE
    aturan record;
BEGIN
    FOR aturan IN SELECT conrelid::regclass AS tabel, conname FROM pg_constraint
                  WHERE NOT convalidated AND conrelid IN ('krs'::regclass, 'mahasiswa'::regclass, 'mata_kuliah'::regclass)
    LOOP
        BEGIN
            EXECUTE format('ALTER TABLE %s VALIDATE CONSTRAINT %I', aturan.tabel, aturan.conname);
        EXCEPTION WHEN foreign_key_violation OR check_violation THEN
            NULL;  -- stays NOT VALID; temuan_migrasi says which rows
        END;
    END LOOP;
END
$$;

-- Rows that were loaded with their own ids leave the sequence behind.
DO
$$
DECLARE
    urutan text := pg_get_serial_sequence('krs', 'id_krs');
BEGIN
    IF urutan IS NULL THEN
        CREATE SEQUENCE krs_id_krs_baru OWNED BY krs.id_krs;
        ALTER TABLE krs ALTER COLUMN id_krs SET DEFAULT nextval('krs_id_krs_baru');
        urutan := 'krs_id_krs_baru';
    END IF;
    PERFORM setval(urutan, greatest((SELECT coalesce(max(id_krs), 0) FROM krs) + 1, nextval(urutan)), false);
END
$$;

-- A grade outside the scale of its jurusan and term cannot be stored.
CREATE FUNCTION krs_nilai_periksa() RETURNS trigger
    LANGUAGE plpgsql AS
$$
BEGIN
    IF NEW.nilai IS NULL THEN
        RETURN NEW;
    END IF;
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
CREATE TRIGGER krs_nilai_periksa BEFORE INSERT OR UPDATE OF nilai ON krs
    FOR EACH ROW EXECUTE FUNCTION krs_nilai_periksa();

-- When students may change their own krs.
CREATE TABLE periode_krs (
    kode_semester integer PRIMARY KEY CHECK (kode_semester BETWEEN 19000 AND 29993 AND kode_semester % 10 BETWEEN 1 AND 3),
    buka          timestamptz NOT NULL,
    tutup         timestamptz NOT NULL,
    CHECK (buka < tutup)
);
