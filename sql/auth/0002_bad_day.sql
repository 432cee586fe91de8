-- What keeps a change of an account and the end of its sessions one fact, and the audit one can search.

-- The stamp that the account had when the session began: another one now means that the session is over, whatever
-- became of the writes that end it. Sessions from before this migration count as begun with today's stamp.
alter table auth_service.sessions add column stamp bigint not null default 0;  -- 0: not known, counts as current
update auth_service.sessions set stamp = users.stamp from auth_service.users where users.id = sessions.user_id;

-- The one session that outlived the last new stamp: its owner has changed the password in it.
alter table auth_service.users add column kept_session text not null default '';

create index audit_actor on auth_service.audit (actor, at);
create index audit_event on auth_service.audit (event, at);
