# shellcheck shell=bash
# A server for the MongoDB protocol: a real mongod, or deploy/mongo-wire on PostgreSQL.
# Expects common.sh and process.sh.

WIRE_SOURCE=$ROOT/deploy/mongo-wire
WIRE_BINARY=$ROOT/build/mongo-wire/mongo-wire

# find_go: the first Go of at least 1.24 among the usual places; fails when there is none.
find_go() {
    local go version
    for go in "$(command -v go || true)" /usr/local/go/bin/go /usr/lib/go-*/bin/go \
        "$ROOT"/build/tools/go/usr/lib/go-*/bin/go; do
        [ -x "$go" ] || continue
        # In another folder, and without a newer toolchain that a go.mod may ask for.
        version=$(cd / && GOTOOLCHAIN=local "$go" env GOVERSION 2>/dev/null) || continue
        version=${version#go}
        version=${version%%[!0-9.]*}
        if [ "$(printf '%s\n' 1.24 "$version" | sort -V | head -n 1)" = 1.24 ]; then
            printf '%s' "$go"
            return
        fi
    done
    return 1
}

wire_current() {
    [ -x "$WIRE_BINARY" ] && [ -z "$(find "$WIRE_SOURCE" -type f -newer "$WIRE_BINARY" | head -n 1)" ]
}

# build_wire LOG_DIR: builds deploy/mongo-wire if it is not up to date; fails where Go
# is missing or the modules cannot be had.
build_wire() {
    local go log=$1/mongo-wire-build.log
    ! wire_current || return 0
    go=$(find_go) || return 1
    mkdir -p "$1" "${WIRE_BINARY%/*}"
    (
        flock 8
        ! wire_current || exit 0
        with_progress "building deploy/mongo-wire (once, about a minute)" "$log" \
            env GOTOOLCHAIN=local GOWORK=off "$go" build -C "$WIRE_SOURCE" -trimpath -buildvcs=false -ldflags="-s -w" \
            -o "$WIRE_BINARY.new" . && mv -f "$WIRE_BINARY.new" "$WIRE_BINARY"
    ) 8>"${WIRE_BINARY%/*}/.build-lock"
}

# launch_wire NAME PORT: PORT 0 takes a free one. The database's URL is in
# MONGO_WIRE_POSTGRESQL_URL, so that its password is in no process list.
launch_wire() {
    guard TERM
    launch "$1" "${GUARD[@]}" "$WIRE_BINARY" --listen "127.0.0.1:$2"
}

# launch_mongod NAME PORT DATA
launch_mongod() {
    mkdir -p "$3"
    guard TERM
    launch "$1" "${GUARD[@]}" mongod --bind_ip 127.0.0.1 --port "$2" --dbpath "$3" --nounixsocket
}

# wait_port NAME PORT SECONDS: until the process listens; fails when it ends before.
wait_port() {
    local deadline=$((SECONDS + $3))
    until port_taken "$2"; do
        pid_of "$1" >/dev/null && [ "$SECONDS" -lt "$deadline" ] || return 1
        sleep 0.2
    done
}
