# shellcheck shell=bash
# What deploy/local starts, with which settings, and how it is known to be well.
# Expects all other files of this folder and deploy/local's settings.

AUTH_DATABASE=auth       # the PostgreSQL user store
ACAD_DATABASE=acad
DOCUMENT_DATABASE=ferret # what mongo-wire keeps its documents in

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
    mongod) have mongod || die "the accounts are in a mongod, which is not on PATH any more" ;;
    mongo-wire) build_wire "$LOG_DIR" || [ -x "$WIRE_BINARY" ] ||
        die "the accounts are in mongo-wire, and it can not be built (Go 1.24 or newer is needed)" ;;
    postgresql) ;;
    *)
        if have mongod; then
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
    postgresql) say "    user store: PostgreSQL, because neither mongod nor Go 1.24 is here; a MONGO_URI would be used instead" ;;
    esac
}

# Everything secret is made at the first start and only read afterwards.
make_secrets() {
    local file=$DATA_DIR/secrets.env name
    if [ ! -f "$file" ]; then
        {
            printf '# Made by deploy/local at the first start. Whoever reads this can sign tokens.\n'
            printf 'JWT_SECRET=%s\n' "$(random_hex 32)"
            for name in POSTGRES_PASSWORD ACAD_DB_PASSWORD AUTH_DB_PASSWORD DOCUMENT_DB_PASSWORD; do
                printf '%s=%s\n' "$name" "$(random_hex 24)"
            done
        } >"$file.new"
        chmod 600 "$file.new"
        mv "$file.new" "$file"
    fi
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
        data=$(pg_place "$DATA_DIR/postgres" "/var/lib/kampus-local/$(printf %s "$DATA_DIR" | cksum | cut -d' ' -f1)")
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
    local name=$1 postgres_port=$2 port
    if [ "$name" = mongo-wire ]; then
        pg_owned_database "$postgres_port" "$POSTGRES_PASSWORD" "$DOCUMENT_DATABASE" "$DOCUMENT_DB_PASSWORD"
    fi
    if ! pid_of "$name" >/dev/null; then
        step "starting $name"
        port=$(state "$name.port")
        if [ -z "$port" ] || port_taken "$port"; then port=$(free_port); fi
        set_state "$name.port" "$port"
        if [ "$name" = mongod ]; then
            launch_mongod mongod "$port" "$DATA_DIR/mongo"
        else
            export MONGO_WIRE_POSTGRESQL_URL="postgres://$DOCUMENT_DATABASE:$DOCUMENT_DB_PASSWORD@127.0.0.1:$postgres_port/$DOCUMENT_DATABASE?pool_max_conns=20"
            launch_wire mongo-wire "$port"
            unset MONGO_WIRE_POSTGRESQL_URL
        fi
    fi
    wait_port "$name" "$(state "$name.port")" 60 || show_failure "$name" "$name did not start"
    USER_STORE_URI="mongodb://127.0.0.1:$(state "$name.port")/auth"
}

# service_settings NAME: exports what the service reads; call it in a subshell. Secrets
# go through the environment, which only the owner can see, never through arguments.
service_settings() {
    # What happens to be set in the caller's shell must not contradict what is set here.
    [ -n "${SIGNING_KEYS_DIR:-}" ] || unset SIGNING_KEYS_DIR JWKS_URL
    unset JWKS JWKS_FILE JWKS_URL_FILE SIGNING_KEYS_DIR_FILE
    unset JWT_SECRET_FILE MONGO_URI_FILE DB_PASSWORD_FILE DATABASE_URL DATABASE_URL_FILE
    export LOG_LEVEL=${LOG_LEVEL:-info} JWT_SECRET LISTEN_ADDRESS=127.0.0.1
    case $1 in
    auth-service)
        # Open, so that one can try it; elsewhere it is closed where nothing is said.
        export PORT=$AUTH_PORT MONGO_URI=$USER_STORE_URI SQL_DIR=$ROOT/sql/auth REGISTRATION=${REGISTRATION:-open}
        ;;
    acad-service)
        export PORT=$ACAD_PORT DB_HOST=127.0.0.1 DB_NAME=$ACAD_DATABASE DB_USER=$ACAD_DATABASE \
            DB_PASSWORD=$ACAD_DB_PASSWORD SQL_DIR=$ROOT/sql/acad SEED_DIR=$ROOT/sql/seed \
            AUTH_FEED_URL=http://127.0.0.1:$AUTH_PORT/internal/revocations
        DB_PORT=$(state postgres.port)
        export DB_PORT
        ;;
    gateway)
        unset LISTEN_ADDRESS MONGO_URI
        export GATEWAY_PORT ADMIN_PORT AUTH_SERVICE=127.0.0.1:$AUTH_PORT ACAD_SERVICE=127.0.0.1:$ACAD_PORT \
            PORTAL_DIR=$ROOT/services/portal DOCS_DIR=$ROOT/docs/openapi
        ;;
    esac
}

# The first keys, where tokens are to be signed with key files.
make_signing_keys() {
    [ -n "${SIGNING_KEYS_DIR:-}" ] || return 0
    case $SIGNING_KEYS_DIR in /*) ;; *) SIGNING_KEYS_DIR=$PWD/$SIGNING_KEYS_DIR ;; esac
    export SIGNING_KEYS_DIR JWKS_URL=http://127.0.0.1:$AUTH_PORT/.well-known/jwks.json
    [ ! -e "$SIGNING_KEYS_DIR/keys.json" ] || return 0
    step "making the first signing keys in $SIGNING_KEYS_DIR"
    (service_settings auth-service && "$BUILD_DIR/services/auth/auth-service" rotate-key) >>"$LOG_DIR/keys.log" 2>&1 ||
        show_failure keys "the signing keys could not be made"
}

start_services() {
    make_signing_keys
    start_service auth-service "$BUILD_DIR/services/auth/auth-service"
    start_service acad-service "$BUILD_DIR/services/acad/acad-service"
    seed
    start_service gateway "$BUILD_DIR/gateway/gateway" run --config "$ROOT/deploy/config/gateway.json"
}

start_service() {
    local name=$1 pid
    shift
    if pid=$(pid_of "$name"); then
        case $(readlink "/proc/$pid/exe") in
        *'(deleted)') warn "$name runs an older build; deploy/local down and up starts the new one" ;;
        esac
    else
        step "starting $name on port $(port_of "$name")"
        (service_settings "$name" && launch "$name" "$@")
        set_state "$name.port" "$(port_of "$name")"
    fi
    wait_port "$name" "$(port_of "$name")" 60 || show_failure "$name" "$name did not start"
}

# The demo data, once for each data folder; both commands may be repeated.
seed() {
    if [ -z "$(state accounts-seeded)" ]; then
        step "creating the demo accounts"
        (service_settings auth-service && "$BUILD_DIR/services/auth/auth-service" seed-demo "$DATA_DIR/demo-accounts.json") \
            >>"$LOG_DIR/seed.log" 2>&1 || show_failure seed "the demo accounts could not be created"
        set_state accounts-seeded yes
    fi
    if [ -z "$(state grades-seeded)" ]; then
        step "loading the demo data"
        (service_settings acad-service && "$BUILD_DIR/services/acad/acad-service" seed-demo) \
            >>"$LOG_DIR/seed.log" 2>&1 || show_failure seed "the demo data could not be loaded"
        set_state grades-seeded yes
    fi
}

wait_ready() {
    local url="http://127.0.0.1:$GATEWAY_PORT/ready" deadline=$((SECONDS + 60)) status name
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
    local url="http://127.0.0.1:$GATEWAY_PORT" password
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
