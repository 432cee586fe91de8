-- Run once by PostgreSQL's container when its volume is new (/docker-entrypoint-initdb.d).
-- Tables are not made here: acad-service applies sql/acad whenever it starts, to new and to old volumes alike.

-- A client that dies inside a transaction must not hold its locks for ever.
do $$ begin
    execute format('alter database %I set idle_in_transaction_session_timeout = %L', current_database(), '60s');
    execute format('alter database %I set timezone = %L', current_database(), 'UTC');
end $$;
