# shellcheck shell=bash
# What deploy/local starts, with which settings, and how it is known to be well.
# Expects all other files of this folder and deploy/local's settings.

AUTH_DATABASE=auth       # the PostgreSQL user store
ACAD_DATABASE=acad
DOCUMENT_DATABASE=ferret # what mongo-wire keeps its documents in
SERVICE_USER=kampus      # who runs everything but PostgreSQL, where this is root
SOCKET_PATH_LIMIT=107    # bytes that the kernel takes for a unix socket's path

# state NAME: one value that was settled at the first start, such as a port.
state() { cat "$DATA_DIR/state/$1" 2>/dev/null || true; }
set_state() {
    mkdir -p "$DATA_DIR/state"
    printf '%s\n' "$2" >"$DATA_DIR/state/$1"
}

port_of() {
    case $1 in
    gateway) printf '%s' "$GATEWAY_PORT" ;;
    auth-service) printf '%s' "$AUTH_PORT" ;;
    acad-service) printf '%s' "$ACAD_PORT" ;;
    *) state "$1.port" ;;
    esac
}

# running_port NAME: where a process that runs was started, whatever is set now.
running_port() {
    local port
    port=$(state "$1.port")
    printf '%s' "${port:-$(port_of "$1")}"
}

memory_limit_mb() {
    case $1 in
    gateway) printf 20 ;;
    auth-service | acad-service) printf 40 ;;
    *) printf 0 ;;
    esac
}

uses_component() {
    case $1 in
    mongod | mongo-wire) [ "$(state user-store)" = "$1" ] ;;
    *) return 0 ;;
    esac
}

stop_component() {
    case $1 in
    postgres) stop postgres INT 30 ;; # INT: PostgreSQL's fast shutdown
    *) stop "$1" TERM 20 ;;
    esac
}

# place_services: SERVICE_DIR, a folder that only the services enter: signing keys, the user store's socket and files.
# As root they have a user of their own; what an older release has left to root becomes that user's.
place_services() {
    if is_root; then
        getent passwd "$SERVICE_USER" >/dev/null ||
            useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin "$SERVICE_USER"
    fi
    unprivileged AS_SERVICES "$SERVICE_USER"
    SERVICE_DIR=$(place_for "$SERVICE_USER" "$DATA_DIR/services" "$(fallback_dir)-services")
    [ "$SERVICE_DIR" = "$DATA_DIR/services" ] ||
        say "    the services' files are in $SERVICE_DIR, because the user $SERVICE_USER can not enter $DATA_DIR"
    # Before this folder there was one for mongod alone.
    if [ -d "$DATA_DIR/mongo" ] && [ ! -e "$SERVICE_DIR/mongo" ]; then
        stop_component mongod
        mv "$DATA_DIR/mongo" "$SERVICE_DIR/mongo"
    fi
    ! is_root || find "$SERVICE_DIR" ! -user "$SERVICE_USER" -exec chown -h "$SERVICE_USER:$SERVICE_USER" {} +
}

# Where things go that another user could not reach below DATA_DIR.
fallback_dir() { printf '/var/lib/kampus-local/%s' "$(printf %s "$DATA_DIR" | cksum | cut -d' ' -f1)"; }

# place_programs: PROGRAMS and FILES, from where programs are started and what they read. That is the tree itself
# unless the services' user cannot enter it; then a copy, made anew at each start.
place_programs() {
    local copy
    PROGRAMS=("$BUILD_DIR/gateway/gateway" "$BUILD_DIR/services/auth/auth-service" "$BUILD_DIR/services/acad/acad-service")
    FILES=$ROOT
    [ "$(state user-store)" != mongo-wire ] || PROGRAMS+=("$WIRE_BINARY")
    ! readable_by_services "${PROGRAMS[@]}" "$ROOT"/deploy/config "$ROOT"/sql "$ROOT"/services/portal "$ROOT"/docs/openapi ||
        { PROGRAM_DIR=""; return; }
    copy=$(fallback_dir)-programs
    say "    the user $SERVICE_USER can not read $ROOT: programs run from a copy in $copy"
    rm -rf "$copy.new"
    (
        umask 022
        mkdir -p "$copy.new/bin" "$copy.new/deploy" "$copy.new/services" "$copy.new/docs"
        cp "${PROGRAMS[@]}" "$copy.new/bin/"
        cp -r "$ROOT/deploy/config" "$copy.new/deploy/"
        cp -r "$ROOT/sql" "$copy.new/"
        cp -r "$ROOT/services/portal" "$copy.new/services/"
        cp -r "$ROOT/docs/openapi" "$copy.new/docs/"
        chmod -R a+rX "$copy.new"
    )
    # Programs that run from an equal copy are no older build.
    if diff -rq "$copy" "$copy.new" >/dev/null 2>&1; then
        rm -rf "$copy.new"
    else
        rm -rf "$copy"
        mv "$copy.new" "$copy"
    fi
    FILES=$copy
    PROGRAM_DIR=$copy/bin
    WIRE_BINARY=$copy/bin/mongo-wire
}
readable_by_services() {
    [ -z "$(cd / && "${AS_SERVICES[@]}" find "$@" \( ! -readable -o -type d ! -executable \) 2>&1 | head -n 1)" ]
}
# program NAME: where it is started from.
program() {
    if [ -n "$PROGRAM_DIR" ]; then printf '%s/%s' "$PROGRAM_DIR" "$1"; return; fi
    case $1 in
    gateway) printf '%s/gateway/gateway' "$BUILD_DIR" ;;
    *) printf '%s/services/%s/%s' "$BUILD_DIR" "${1%-service}" "$1" ;;
    esac
}

# Ports of processes of ours that run already are ours; any other holder is an error.
check_ports() {
    local name setting port
    for name in gateway:GATEWAY_PORT auth-service:AUTH_PORT acad-service:ACAD_PORT gateway:ADMIN_PORT; do
        setting=${name#*:}
        name=${name%%:*}
        port=${!setting}
        if pid_of "$name" >/dev/null; then
            [ "$setting" = ADMIN_PORT ] || [ "$(state "$name.port")" = "$port" ] ||
                die "$name runs on port $(state "$name.port"), and $setting is $port" "deploy/local down first, then up"
        elif port_taken "$port"; then
            die "port $port is in use by $(port_holder "$port")" \
                "stop that, or choose another port, for example: $setting=$((port + 10000 > 65535 ? port - 1000 : port + 10000)) deploy/local up"
        fi
    done
}

# The user store is chosen once and then stays, because the accounts are in it.
# An explicit MONGO_URI always wins.
choose_user_store() {
    local chosen
    chosen=$(state user-store)
    if [ -n "${MONGO_URI:-}" ]; then
        if [ -n "$chosen" ] && [ "$chosen" != uri ]; then
            warn "MONGO_URI is given, so the accounts kept so far ($chosen) are not used now"
            rm -f "$DATA_DIR/state/accounts-seeded"
        fi
        set_state user-store uri
        say "    user store: MONGO_URI"
        return
    fi
    if [ "$chosen" = uri ]; then
        warn "earlier starts had a MONGO_URI, this one has none: choosing a user store here"
        rm -f "$DATA_DIR/state/accounts-seeded"
        chosen=""
    fi
    case $chosen in
    mongod)
        have mongod || die "the accounts are in a mongod, which is not on PATH any more"
        mongo_shell >/dev/null || die "mongosh (or mongo) is needed beside mongod: it makes mongod's users"
        ;;
    mongo-wire) build_wire "$LOG_DIR" || [ -x "$WIRE_BINARY" ] ||
        die "the accounts are in mongo-wire, and it can not be built (Go 1.24 or newer is needed)" ;;
    postgresql) ;;
    *)
        if have mongod && mongo_shell >/dev/null; then
            chosen=mongod
        elif find_go >/dev/null && build_wire "$LOG_DIR"; then
            chosen=mongo-wire
        else
            chosen=postgresql
        fi
        set_state user-store "$chosen"
        ;;
    esac
    case $chosen in
    mongod) say "    user store: mongod from PATH" ;;
    mongo-wire) say "    user store: deploy/mongo-wire (the MongoDB protocol on PostgreSQL)" ;;
    postgresql) say "    user store: PostgreSQL, because neither mongod (with mongosh) nor Go 1.24 is here; a MONGO_URI would be used instead" ;;
    esac
}

# Everything secret is made at the first start and only read afterwards.
make_secrets() {
    local file=$DATA_DIR/secrets.env name
    if [ ! -f "$file" ]; then
        {
            printf '# Made by deploy/local at the first start. Whoever reads this can sign tokens.\n'
            printf 'JWT_SECRET=%s\n' "$(random_hex 32)"
        } >"$file.new"
        chmod 600 "$file.new"
        mv "$file.new" "$file"
    fi
    # Each that a file of an earlier release does not have is added.
    for name in POSTGRES_PASSWORD ACAD_DB_PASSWORD AUTH_DB_PASSWORD DOCUMENT_DB_PASSWORD FEED_TOKEN MONGO_ADMIN_PASSWORD; do
        grep -q "^$name=" "$file" || printf '%s=%s\n' "$name" "$(random_hex 24)" >>"$file"
    done
    # shellcheck source=/dev/null
    . "$file"
    [ ${#JWT_SECRET} -ge 32 ] || die "JWT_SECRET in $file is shorter than 32 bytes"

    file=$DATA_DIR/demo-accounts.json
    [ -f "$file" ] || {
        {
            printf '[\n'
            printf '  {"username": "22001", "password": "%s", "role": "mahasiswa", "nim": "22001"},\n' "$(random_password)"
            printf '  {"username": "22002", "password": "%s", "role": "mahasiswa", "nim": "22002"},\n' "$(random_password)"
            printf '  {"username": "dosen", "password": "%s", "role": "dosen", "nim": null},\n' "$(random_password)"
            printf '  {"username": "admin", "password": "%s", "role": "admin", "nim": null}\n' "$(random_password)"
            printf ']\n'
        } >"$file.new"
        chmod 600 "$file.new"
        mv "$file.new" "$file"
    }
}

# show_failure NAME MESSAGE: the end of that component's log, then an error.
show_failure() {
    printf -- '--- the end of %s\n' "$LOG_DIR/$1.log" >&2
    tail -n 25 "$LOG_DIR/$1.log" >&2 || true
    die "$2" "deploy/local logs $1 shows more"
}

start_databases() {
    local data port name
    if pid_of postgres >/dev/null; then
        port=$(state postgres.port)
    else
        step "starting PostgreSQL"
        # Below a folder that only root may enter, the user postgres could not reach it.
        data=$(pg_place "$DATA_DIR/postgres" "$(fallback_dir)")
        [ "$data" = "$DATA_DIR/postgres" ] ||
            say "    its files are in $data, because the user postgres can not enter $DATA_DIR"
        [ -d "$data/cluster" ] || pg_init "$data" "$POSTGRES_PASSWORD" "$LOG_DIR/initdb.log"
        port=$(state postgres.port)
        if [ -z "$port" ] || port_taken "$port"; then
            # Whoever still runs with the old port has to learn the new one.
            for name in acad-service auth-service mongo-wire; do stop_component "$name"; done
            port=$(free_port)
        fi
        set_state postgres.port "$port"
        pg_launch postgres "$data" "$port" max_connections=120
    fi
    pg_wait postgres "$port" "$POSTGRES_PASSWORD" || show_failure postgres "PostgreSQL did not start"
    pg_owned_database "$port" "$POSTGRES_PASSWORD" "$ACAD_DATABASE" "$ACAD_DB_PASSWORD"
    USER_STORE_URI=${MONGO_URI:-}
    case $(state user-store) in
    postgresql)
        pg_owned_database "$port" "$POSTGRES_PASSWORD" "$AUTH_DATABASE" "$AUTH_DB_PASSWORD"
        USER_STORE_URI="postgresql://$AUTH_DATABASE:$AUTH_DB_PASSWORD@127.0.0.1:$port/$AUTH_DATABASE"
        ;;
    mongo-wire | mongod) start_document_store "$(state user-store)" "$port" ;;
    esac
    # An auth-service that runs on another store than the one chosen now has to change.
    # Only a checksum is kept, because the URI holds a password.
    if [ "$(state user-store.sum)" != "$(printf %s "$USER_STORE_URI" | sha256sum)" ]; then
        if pid_of auth-service >/dev/null; then
            say "    the user store has changed: auth-service is restarted"
            stop_component auth-service
        fi
        set_state user-store.sum "$(printf %s "$USER_STORE_URI" | sha256sum)"
    fi
}

start_document_store() {
    case $1 in
    mongo-wire) start_wire "$2" ;;
    mongod) start_mongod ;;
    esac
}

# mongo-wire knows no passwords: it listens on a socket in a folder that only the services enter.
start_wire() {
    local postgres_port=$1 socket=$SERVICE_DIR/wire/mongo.sock
    [ ${#socket} -le "$SOCKET_PATH_LIMIT" ] || die "DATA_DIR is too long for the user store's socket: $socket" \
        "the kernel takes at most $SOCKET_PATH_LIMIT bytes; choose a shorter DATA_DIR"
    pg_owned_database "$postgres_port" "$POSTGRES_PASSWORD" "$DOCUMENT_DATABASE" "$DOCUMENT_DB_PASSWORD"
    # One that an older release has started listens on a port instead.
    if [ ! -S "$socket" ]; then stop_component mongo-wire; fi
    if ! pid_of mongo-wire >/dev/null; then
        step "starting mongo-wire"
        "${AS_SERVICES[@]}" mkdir -p "$SERVICE_DIR/wire"
        rm -f "$socket" "$DATA_DIR/state/mongo-wire.port"
        export MONGO_WIRE_POSTGRESQL_URL="postgres://$DOCUMENT_DATABASE:$DOCUMENT_DB_PASSWORD@127.0.0.1:$postgres_port/$DOCUMENT_DATABASE?pool_max_conns=20"
        launch_wire mongo-wire "unix:$socket"
        unset MONGO_WIRE_POSTGRESQL_URL
    fi
    wait_socket mongo-wire "$socket" 60 || show_failure mongo-wire "mongo-wire did not start"
    USER_STORE_URI="mongodb://${socket//\//%2F}/auth"
}

start_mongod() {
    local port
    # One that an older release has started asks for no password.
    if [ -z "$(state mongod.users)" ]; then stop_component mongod; fi
    if ! pid_of mongod >/dev/null; then
        step "starting mongod"
        port=$(state mongod.port)
        if [ -z "$port" ] || port_taken "$port"; then port=$(free_port); fi
        set_state mongod.port "$port"
        "${AS_SERVICES[@]}" mkdir -p "$SERVICE_DIR/mongo"
        launch_mongod mongod "$port" "$SERVICE_DIR/mongo" --auth
    fi
    port=$(state mongod.port)
    wait_port mongod "$port" 60 || show_failure mongod "mongod did not start"
    mongod_users "$port" "$MONGO_ADMIN_PASSWORD" "$AUTH_DB_PASSWORD" >>"$LOG_DIR/mongod-users.log" 2>&1 ||
        show_failure mongod-users "mongod's users could not be made"
    set_state mongod.users made
    USER_STORE_URI="mongodb://auth:$AUTH_DB_PASSWORD@127.0.0.1:$port/auth"
}

# service_settings NAME: exports what the service reads; call it in a subshell. Secrets
# go through the environment, which only the owner can see, never through arguments.
service_settings() {
    # What happens to be set in the caller's shell must not contradict what is set here.
    unset JWKS JWKS_FILE JWKS_URL JWKS_URL_FILE SIGNING_KEYS_DIR_FILE JWT_SECRET_FILE FEED_TOKEN_FILE
    unset MONGO_URI_FILE DB_PASSWORD_FILE DATABASE_URL DATABASE_URL_FILE
    export LOG_LEVEL=${LOG_LEVEL:-info} FEED_TOKEN
    if [ "$SIGNING" = secret ]; then
        unset SIGNING_KEYS_DIR
        export JWT_SECRET
    elif [ "$1" = auth-service ]; then
        # Access tokens are signed with the key files; from this secret comes the key of refresh tokens.
        export SIGNING_KEYS_DIR JWT_SECRET
    else
        unset SIGNING_KEYS_DIR JWT_SECRET
        export JWKS_URL=http://127.0.0.1:$AUTH_PORT/.well-known/jwks.json
    fi
    case $1 in
    auth-service)
        # Open, so that one can try it; elsewhere it is closed where nothing is said.
        export PORT=$AUTH_PORT LISTEN_ADDRESS=127.0.0.1 MONGO_URI=$USER_STORE_URI SQL_DIR=$FILES/sql/auth \
            REGISTRATION=${REGISTRATION:-open}
        ;;
    acad-service)
        export PORT=$ACAD_PORT LISTEN_ADDRESS=127.0.0.1 DB_HOST=127.0.0.1 DB_NAME=$ACAD_DATABASE DB_USER=$ACAD_DATABASE \
            DB_PASSWORD=$ACAD_DB_PASSWORD SQL_DIR=$FILES/sql/acad SEED_DIR=$FILES/sql/seed \
            AUTH_FEED_URL=http://127.0.0.1:$AUTH_PORT/internal/revocations
        DB_PORT=$(state postgres.port)
        export DB_PORT
        ;;
    gateway)
        unset MONGO_URI
        export LISTEN_ADDRESS GATEWAY_PORT ADMIN_PORT AUTH_SERVICE=127.0.0.1:$AUTH_PORT ACAD_SERVICE=127.0.0.1:$ACAD_PORT \
            PORTAL_DIR=$FILES/services/portal DOCS_DIR=$FILES/docs/openapi
        ;;
    esac
}

# Services that run with other settings than those chosen now are stopped, to be started with them.
stop_changed() {
    local name now
    for name in auth-service acad-service gateway; do
        now="$SIGNING ${SIGNING_KEYS_DIR:-} $(is_root && printf %s "$SERVICE_USER")"
        [ "$name" != gateway ] || now+=" $LISTEN_ADDRESS"
        if [ "$(state "$name.settings")" != "$now" ]; then
            if pid_of "$name" >/dev/null; then
                say "    the settings of $name have changed: it is restarted"
                stop_component "$name"
            fi
            set_state "$name.settings" "$now"
        fi
    done
}

# The folder of the key files, for auth-service to make the first ones. What an earlier start, or rotate-key by
# root, has left there becomes the services'.
own_signing_keys() {
    [ "$SIGNING" = files ] || return 0
    SIGNING_KEYS_DIR=${SIGNING_KEYS_DIR:-$SERVICE_DIR/keys}
    case $SIGNING_KEYS_DIR in /*) ;; *) SIGNING_KEYS_DIR=$PWD/$SIGNING_KEYS_DIR ;; esac
    mkdir -p "$SIGNING_KEYS_DIR"
    [ -e "$SIGNING_KEYS_DIR/keys.json" ] || [ -z "$(ls -A "$SIGNING_KEYS_DIR")" ] ||
        die "SIGNING_KEYS_DIR ($SIGNING_KEYS_DIR) holds files, and no keys.json" "name a new folder"
    ! is_root || chown -R "$SERVICE_USER:$SERVICE_USER" "$SIGNING_KEYS_DIR"
    "${AS_SERVICES[@]}" test -w "$SIGNING_KEYS_DIR" || die "the services' user can not write to SIGNING_KEYS_DIR ($SIGNING_KEYS_DIR)"
}

start_services() {
    own_signing_keys
    stop_changed
    start_service auth-service
    start_service acad-service
    seed
    start_service gateway run --config "$FILES/deploy/config/gateway.json"
}

start_service() {
    local name=$1 pid ports=()
    shift
    # The one thing for which root's rights were of use; the port may be one below 1024.
    if is_root && [ "$(port_of "$name")" -lt 1024 ]; then
        ports=(setpriv --inh-caps=+net_bind_service --ambient-caps=+net_bind_service)
    fi
    if pid=$(pid_of "$name"); then
        case $(readlink "/proc/$pid/exe") in
        *'(deleted)') warn "$name runs an older build; deploy/local down and up starts the new one" ;;
        esac
    else
        step "starting $name on port $(port_of "$name")"
        (service_settings "$name" && launch "$name" "${AS_SERVICES[@]}" "${ports[@]}" "$(program "$name")" "$@")
        set_state "$name.port" "$(port_of "$name")"
    fi
    wait_port "$name" "$(port_of "$name")" 60 || show_failure "$name" "$name did not start"
}

# The demo data, once for each data folder; both commands may be repeated.
seed() {
    local accounts=$SERVICE_DIR/demo-accounts.json
    if [ -z "$(state accounts-seeded)" ]; then
        step "creating the demo accounts"
        cp "$DATA_DIR/demo-accounts.json" "$accounts"
        ! is_root || chown "$SERVICE_USER" "$accounts"
        (service_settings auth-service && "${AS_SERVICES[@]}" "$(program auth-service)" seed-demo "$accounts") \
            >>"$LOG_DIR/seed.log" 2>&1 || show_failure seed "the demo accounts could not be created"
        rm -f "$accounts"
        set_state accounts-seeded yes
    fi
    if [ -z "$(state grades-seeded)" ]; then
        step "loading the demo data"
        (service_settings acad-service && "${AS_SERVICES[@]}" "$(program acad-service)" seed-demo) \
            >>"$LOG_DIR/seed.log" 2>&1 || show_failure seed "the demo data could not be loaded"
        set_state grades-seeded yes
    fi
}

# The address that reaches the gateway from this machine.
gateway_host() {
    case $LISTEN_ADDRESS in
    0.0.0.0 | 127.*) printf 127.0.0.1 ;;
    *:*) [ "$LISTEN_ADDRESS" = :: ] && printf '[::1]' || printf '[%s]' "$LISTEN_ADDRESS" ;;
    *) printf '%s' "$LISTEN_ADDRESS" ;;
    esac
}

wait_ready() {
    local url deadline=$((SECONDS + 60)) status name
    url="http://$(gateway_host):$GATEWAY_PORT/ready"
    step "waiting until $url answers 200"
    until status=$(curl -s -m 3 -o "$RUN_DIR/ready.json" -w '%{http_code}' "$url" || true) && [ "$status" = 200 ]; do
        for name in gateway auth-service acad-service; do
            pid_of "$name" >/dev/null || show_failure "$name" "$name has ended"
        done
        if [ "$SECONDS" -ge "$deadline" ]; then
            warn "the last answer was $status: $(head -c 500 "$RUN_DIR/ready.json" 2>/dev/null)"
            for name in auth-service acad-service; do
                curl -sf -m 3 -o /dev/null "http://127.0.0.1:$(port_of "$name")/health" ||
                    show_failure "$name" "$name does not answer that it is healthy"
            done
            show_failure gateway "the gateway did not get ready within 60 s"
        fi
        sleep 0.3
    done
}

print_how_to() {
    local url password
    url="http://$(gateway_host):$GATEWAY_PORT"
    password=$(sed -n 's/.*"username": "22001", "password": "\([^"]*\)".*/\1/p' "$DATA_DIR/demo-accounts.json")
    cat <<TEXT

The system runs:  $url

Demo accounts (also in $DATA_DIR/demo-accounts.json):
$(sed -n 's/.*"username": "\([^"]*\)", "password": "\([^"]*\)", "role": "\([^"]*\)".*/  \1\t\2\t\3/p' "$DATA_DIR/demo-accounts.json")

Try it:
  TOKEN=\$(curl -s $url/api/auth/login -H 'Content-Type: application/json' -d '{"username":"22001","password":"$password"}' | sed 's/.*"access_token": *"\([^"]*\)".*/\1/')
  curl -s $url/api/auth/me -H "Authorization: Bearer \$TOKEN"
  curl -s $url/api/acad/ips -H "Authorization: Bearer \$TOKEN"

deploy/local status, logs, down and help tell and do the rest.
TEXT
}
