-- The grade scale: data, never code. A scale holds for one jurusan (NULL: all that have none of their own) from a
-- term on, until the next scale of the same jurusan begins. Terms are codes YYYYS (20241 ganjil, 20242 genap, 20243
-- pendek); 0 is "always".
CREATE TABLE skala_nilai (
    id_skala     bigserial PRIMARY KEY,
    jurusan      text,
    berlaku_dari integer NOT NULL CHECK (berlaku_dari = 0 OR (berlaku_dari BETWEEN 19000 AND 29993
                                                              AND berlaku_dari % 10 BETWEEN 1 AND 3))
);
CREATE UNIQUE INDEX skala_nilai_masa ON skala_nilai (coalesce(jurusan, ''), berlaku_dari);

CREATE TABLE skala_nilai_butir (
    id_skala bigint NOT NULL REFERENCES skala_nilai ON DELETE CASCADE,
    nilai    varchar(2) NOT NULL CHECK (nilai <> '' AND nilai = upper(btrim(nilai))),
    bobot    numeric(3, 2) CHECK (bobot BETWEEN 0 AND 4),
    lulus    boolean NOT NULL,   -- gives the credits
    masuk_ip boolean NOT NULL,   -- counts in IPS and IPK
    PRIMARY KEY (id_skala, nilai),
    CHECK (NOT masuk_ip OR bobot IS NOT NULL)
);

INSERT INTO skala_nilai (jurusan, berlaku_dari) VALUES (NULL, 0);

-- A scale that is there already is the university's own, and goes first.
INSERT INTO skala_nilai_butir (id_skala, nilai, bobot, lulus, masuk_ip)
SELECT s.id_skala, b.nilai, b.bobot, b.bobot >= 1, true
FROM skala_nilai s,
     (SELECT DISTINCT ON (upper(btrim(nilai))) upper(btrim(nilai)) AS nilai, round(bobot::numeric, 2) AS bobot
      FROM bobot_nilai
      WHERE btrim(nilai) <> '' AND bobot BETWEEN 0 AND 4
      ORDER BY upper(btrim(nilai)), bobot DESC) b;

INSERT INTO temuan_migrasi (tabel, kunci, temuan)
SELECT 'bobot_nilai', coalesce(nilai, ''), 'bobot di luar 0 sampai 4: tidak dipakai'
FROM bobot_nilai
WHERE bobot IS NULL OR NOT (bobot BETWEEN 0 AND 4);

INSERT INTO skala_nilai_butir (id_skala, nilai, bobot, lulus, masuk_ip)
SELECT s.id_skala, d.nilai, d.bobot, d.bobot >= 1, true
FROM skala_nilai s,
     (VALUES ('A', 4), ('A-', 3.75), ('B+', 3.5), ('B', 3), ('B-', 2.75), ('C+', 2.5), ('C', 2), ('D', 1), ('E', 0))
         AS d (nilai, bobot)
WHERE NOT EXISTS (SELECT FROM skala_nilai_butir);

-- Pass or fail without a weight, and the marks for "no grade yet".
INSERT INTO skala_nilai_butir (id_skala, nilai, bobot, lulus, masuk_ip)
SELECT s.id_skala, d.nilai, NULL, d.lulus, false
FROM skala_nilai s, (VALUES ('L', true), ('TL', false), ('T', false), ('BL', false), ('K', false)) AS d (nilai, lulus)
ON CONFLICT DO NOTHING;

-- The scale of a jurusan in a term; an unknown term takes the newest.
CREATE FUNCTION skala_untuk(untuk_jurusan text, untuk_semester integer) RETURNS bigint
    LANGUAGE sql STABLE AS
$$
SELECT id_skala
FROM skala_nilai
WHERE (jurusan = untuk_jurusan OR jurusan IS NULL) AND berlaku_dari <= coalesce(untuk_semester, 99999)
ORDER BY jurusan IS NULL, berlaku_dari DESC
LIMIT 1
$$;

-- sks that may be taken, by the IPS of the last term; ips_min = -1: no IPS yet.
CREATE TABLE batas_sks (
    ips_min  numeric(3, 2) PRIMARY KEY CHECK (ips_min = -1 OR ips_min BETWEEN 0 AND 4),
    sks_maks integer NOT NULL CHECK (sks_maks BETWEEN 0 AND 60)
);
INSERT INTO batas_sks VALUES (-1, 20), (0, 12), (1.5, 15), (2, 18), (2.5, 21), (3, 24);

-- By the IPK as it is shown (two decimals): "> 3.50" is "from 3.51".
CREATE TABLE predikat (
    ipk_min numeric(3, 2) PRIMARY KEY CHECK (ipk_min BETWEEN 0 AND 4),
    nama    text NOT NULL
);
INSERT INTO predikat VALUES (2.76, 'memuaskan'), (3.01, 'sangat memuaskan'), (3.51, 'pujian');
