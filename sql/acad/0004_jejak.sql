-- Who changed what. Triggers do it, so that no path around the service's own code is left out. The service says who
-- acts by settings of the transaction (acad.pelaku, acad.peran, acad.alasan, acad.request_id); without them it is the
-- database user.
CREATE FUNCTION pelaku() RETURNS text LANGUAGE sql STABLE AS
$$ SELECT coalesce(nullif(current_setting('acad.pelaku', true), ''), 'db:' || session_user) $$;

CREATE TABLE riwayat_nilai (
    id_riwayat bigserial PRIMARY KEY,
    id_krs     bigint NOT NULL,   -- no foreign key: outlives its row
    nim        varchar(10),
    kode_mk    varchar(10),
    lama       varchar(2),
    baru       varchar(2),
    alasan     text,
    oleh       text NOT NULL,
    waktu      timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX riwayat_nilai_krs ON riwayat_nilai (id_krs, id_riwayat);

CREATE FUNCTION krs_nilai_catat() RETURNS trigger
    LANGUAGE plpgsql AS
$$
DECLARE
    nilai_lama varchar(2) := CASE WHEN TG_OP = 'UPDATE' THEN OLD.nilai END;
BEGIN
    IF nilai_lama IS DISTINCT FROM NEW.nilai THEN
        INSERT INTO riwayat_nilai (id_krs, nim, kode_mk, lama, baru, alasan, oleh)
        VALUES (NEW.id_krs, NEW.nim, NEW.kode_mk, nilai_lama, NEW.nilai,
                nullif(current_setting('acad.alasan', true), ''), pelaku());
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER krs_nilai_catat AFTER INSERT OR UPDATE OF nilai ON krs
    FOR EACH ROW EXECUTE FUNCTION krs_nilai_catat();

CREATE TABLE audit (
    id_audit   bigserial PRIMARY KEY,
    waktu      timestamptz NOT NULL DEFAULT clock_timestamp(),
    pelaku     text NOT NULL,
    peran      text,
    request_id text,
    tabel      text NOT NULL,
    tindakan   text NOT NULL,
    lama       jsonb,
    baru       jsonb
);
CREATE INDEX audit_waktu ON audit (waktu);

CREATE FUNCTION catat_audit() RETURNS trigger
    LANGUAGE plpgsql AS
$$
BEGIN
    INSERT INTO audit (pelaku, peran, request_id, tabel, tindakan, lama, baru)
    VALUES (pelaku(), nullif(current_setting('acad.peran', true), ''), nullif(current_setting('acad.request_id', true), ''),
            TG_TABLE_NAME, TG_OP,
            CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END,
            CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END);
    RETURN NULL;
END
$$;

-- The version of a row, for ETag. From a sequence, so that a row that was deleted and made again has another one.
CREATE SEQUENCE versi_baris;
ALTER TABLE mahasiswa ADD COLUMN versi bigint NOT NULL DEFAULT nextval('versi_baris');
ALTER TABLE mata_kuliah ADD COLUMN versi bigint NOT NULL DEFAULT nextval('versi_baris');
ALTER TABLE krs ADD COLUMN versi bigint NOT NULL DEFAULT nextval('versi_baris');

CREATE FUNCTION naikkan_versi() RETURNS trigger LANGUAGE plpgsql AS
$$
BEGIN
    NEW.versi := nextval('versi_baris');
    RETURN NEW;
END
$$;

DO
$$
DECLARE
    tabel text;
BEGIN
    FOREACH tabel IN ARRAY ARRAY ['mahasiswa', 'mata_kuliah', 'krs']
    LOOP
        EXECUTE format('CREATE TRIGGER %I BEFORE UPDATE ON %I FOR EACH ROW EXECUTE FUNCTION naikkan_versi()',
                       tabel || '_versi', tabel);
    END LOOP;
    FOREACH tabel IN ARRAY ARRAY ['mahasiswa', 'mata_kuliah', 'krs', 'skala_nilai', 'skala_nilai_butir', 'batas_sks',
                                  'predikat', 'periode_krs']
    LOOP
        EXECUTE format('CREATE TRIGGER %I AFTER INSERT OR UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION catat_audit()',
                       tabel || '_audit', tabel);
    END LOOP;
END
$$;
