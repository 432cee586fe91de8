-- Accounts, sessions, ended sessions, failed logins and audit records of the auth-service, for installations that keep
-- users in PostgreSQL. A schema of its own: the academic tables may live in the same database.
create schema if not exists auth_service;

create table auth_service.users (
    id                   text        primary key collate "C",  -- 24 hex digits, ascending with time
    username             text        not null,
    email                text        not null,
    username_key         text        not null,  -- case-folded, NFKC: what names are compared by
    email_key            text        not null,
    password             text        not null,  -- PHC string
    password_preparation text        not null,  -- what was done to the typed text before hashing
    role                 text        not null check (role in ('admin', 'dosen', 'mahasiswa')),
    nim                  text,
    disabled             boolean     not null default false,
    must_change_password boolean     not null default false,
    version              bigint      not null default 1,
    stamp                bigint      not null default 1,
    created_at           timestamptz not null,
    updated_at           timestamptz not null
);
create unique index users_username_key on auth_service.users (username_key);
create unique index users_email_key on auth_service.users (email_key);
create unique index users_nim on auth_service.users (nim) where nim is not null;

create table auth_service.sessions (
    sid            text        primary key collate "C",
    user_id        text        not null collate "C",  -- no foreign key: a deleted account's sessions end, they do not vanish
    gen            bigint      not null,
    grace_used     integer     not null default 0,
    created_at     timestamptz not null,
    last_used_at   timestamptz not null,
    expires_at     timestamptz not null,
    revoked_at     timestamptz,
    revoked_for    text,
    client_address text        not null,
    user_agent     text        not null
);
create index sessions_user on auth_service.sessions (user_id) where revoked_at is null;
create index sessions_last_used on auth_service.sessions (last_used_at);

-- Ended sessions that a token could still be alive of; read by the revocation feed several times a second.
create table auth_service.revocations (
    sid      text        primary key collate "C",
    ended_at timestamptz not null,
    until    timestamptz not null
);
create index revocations_ended_at on auth_service.revocations (ended_at);
create index revocations_until on auth_service.revocations (until);

create table auth_service.login_failures (
    key             text        primary key collate "C",
    failures        bigint      not null,
    last_failure_at timestamptz not null,
    blocked_until   timestamptz
);
create index login_failures_last on auth_service.login_failures (last_failure_at);

create table auth_service.audit (
    id             bigint generated always as identity primary key,
    at             timestamptz not null,
    event          text        not null,
    actor          text        not null,
    subject        text        not null,
    name           text        not null,
    client_address text        not null,
    request_id     text        not null,
    detail         text        not null
);
create index audit_at on auth_service.audit (at);
create index audit_subject on auth_service.audit (subject, at);
