# shellcheck shell=bash
# A PostgreSQL cluster of our own: made, started and stopped without touching the
# system's. Expects common.sh and process.sh.

# pg_bin [DATA]: the folder with the programs: those of the version that made DATA,
# else the newest that is installed.
pg_bin() {
    local version dir
    if [ -n "${1:-}" ] && version=$(cat "$1/PG_VERSION" 2>/dev/null); then
        dir=/usr/lib/postgresql/$version/bin
        [ -x "$dir/postgres" ] || die "the database in $1 was made by PostgreSQL $version, which is not installed" \
            "install postgresql-$version, or start anew with: deploy/local reset"
    else
        dir=$(find /usr/lib/postgresql/*/bin -maxdepth 0 2>/dev/null | sort -V | tail -n 1)
        [ -n "$dir" ] || { have postgres && dir=$(dirname "$(command -v postgres)"); } ||
            die "PostgreSQL's programs were not found under /usr/lib/postgresql"
    fi
    printf '%s' "$dir"
}

# PostgreSQL refuses to run as root; then it runs as the user that Debian's package made.
# AS_DATABASE is the prefix of such a command.
unprivileged AS_DATABASE postgres

# pg_place DIR FALLBACK: see place_for.
pg_place() { place_for postgres "$1" "$2"; }

# pg_init DATA PASSWORD LOG: makes the cluster. Only TCP on the loopback address, only
# with a password; no socket file, so no length limit on the path.
pg_init() {
    local data=$1 password=$2 log=$3 bin file
    bin=$(pg_bin)
    file=$(mktemp)
    printf '%s\n' "$password" >"$file"
    ! is_root || chown postgres "$file"
    # A half-made cluster of an interrupted start is of no use to anybody.
    rm -rf "$data/cluster.new"
    (cd / && "${AS_DATABASE[@]}" "$bin/initdb" -D "$data/cluster.new" --username=postgres --pwfile="$file" \
        --auth=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 --no-instructions) >"$log" 2>&1 || {
        rm -f "$file"
        tail -n 20 "$log" >&2
        die "initdb failed; $log has the whole output"
    }
    rm -f "$file"
    mv "$data/cluster.new" "$data/cluster"
}

# pg_launch NAME DATA PORT OPTION...: starts the server, further options are -c settings.
pg_launch() {
    local name=$1 data=$2 port=$3 options=() setting bin
    shift 3
    bin=$(pg_bin "$data/cluster")
    for setting in listen_addresses=127.0.0.1 unix_socket_directories= "port=$port" logging_collector=off "$@"; do
        options+=(-c "$setting")
    done
    guard INT
    # The working directory must be one that the database's user may read.
    launch "$name" env -C / "${AS_DATABASE[@]}" "${GUARD[@]}" "$bin/postgres" -D "$data/cluster" "${options[@]}"
}
# pg_wait NAME PORT PASSWORD: until the server answers; dies with its log if it does not.
pg_wait() {
    local name=$1 port=$2 deadline=$((SECONDS + 60))
    until PGPASSWORD=$3 PGCONNECT_TIMEOUT=3 psql -h 127.0.0.1 -p "$port" -U postgres -d postgres -Atqc 'select 1' >/dev/null 2>&1; do
        if ! pid_of "$name" >/dev/null; then return 1; fi
        if [ "$SECONDS" -ge "$deadline" ]; then return 1; fi
        sleep 0.2
    done
}

# pg_owned_database PORT PASSWORD NAME ROLE_PASSWORD: a role and a database of the same
# name; repeating it sets the password again and changes nothing else.
pg_owned_database() {
    local port=$1 name=$3
    PGPASSWORD=$2 psql -h 127.0.0.1 -p "$port" -U postgres -d postgres -Atq -v ON_ERROR_STOP=1 <<SQL
do \$\$ begin
  if not exists (select from pg_roles where rolname = '$name') then create role "$name" login; end if;
end \$\$;
alter role "$name" password '$4';
select 'create database "$name" owner "$name"' where not exists (select from pg_database where datname = '$name') \gexec
revoke connect on database "$name" from public;
SQL
}
