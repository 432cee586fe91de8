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

# fetch_go LOG_DIR: bookworm's own Go is 1.19. Debian's next release has 1.24 as packages
# that need nothing of that release, so they are downloaded with apt (which checks the
# signatures) and unpacked below build/tools; the system's packages stay as they are.
fetch_go() {
    local tools=$ROOT/build/tools apt=$ROOT/build/tools/apt mirror options package
    have apt-get || return 1
    # shellcheck disable=SC2016  # apt's own placeholder, not the shell's
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Codename: bookworm' 'Component: main' | head -n 1)
    [ -n "$mirror" ] || return 1
    mkdir -p "$apt/lists/partial" "$apt/archives/partial" "$apt/packages" "$tools/go" "$1"
    printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s trixie main\n' "$mirror" >"$apt/sources.list"
    options=(-o "Dir::Etc::SourceList=$apt/sources.list" -o Dir::Etc::SourceParts=/dev/null
        -o "Dir::State::Lists=$apt/lists" -o "Dir::Cache=$apt" -o APT::Sandbox::User= -o Acquire::Languages=none)
    with_progress "reading the package lists that have Go 1.24" "$1/go-lists.log" apt-get "${options[@]}" update || return 1
    with_progress "downloading Go 1.24" "$1/go-download.log" \
        env -C "$apt/packages" apt-get "${options[@]}" download golang-1.24-go golang-1.24-src || return 1
    for package in "$apt"/packages/*.deb; do dpkg-deb -x "$package" "$tools/go" || return 1; done
    rm -rf "$apt"
    find_go >/dev/null
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
    mkdir -p "$1"
    (umask 022 && mkdir -p "${WIRE_BINARY%/*}")
    (
        flock 8
        ! wire_current || exit 0
        with_progress "building deploy/mongo-wire (once, about a minute)" "$log" \
            env GOTOOLCHAIN=local GOWORK=off CGO_ENABLED=0 "$go" build -C "$WIRE_SOURCE" -trimpath -buildvcs=false -ldflags="-s -w" \
            -o "$WIRE_BINARY.new" . && mv -f "$WIRE_BINARY.new" "$WIRE_BINARY"
    ) 8>"${WIRE_BINARY%/*}/.build-lock"
}

# launch_wire NAME ADDRESS: HOST:PORT, where port 0 takes a free one, or unix:PATH. The database's URL is in
# MONGO_WIRE_POSTGRESQL_URL, so that its password is in no process list.
launch_wire() {
    guard TERM
    launch "$1" "${AS_SERVICES[@]}" "${GUARD[@]}" "$WIRE_BINARY" --listen "$2"
}

# launch_mongod NAME PORT DATA [OPTION...]
launch_mongod() {
    local name=$1 port=$2 data=$3
    shift 3
    mkdir -p "$data"
    guard TERM
    launch "$name" "${AS_SERVICES[@]}" "${GUARD[@]}" mongod --bind_ip 127.0.0.1 --port "$port" --dbpath "$data" \
        --nounixsocket "$@"
}

# mongo_shell: the client that makes users; a mongod without one is of no use to deploy/local.
mongo_shell() { command -v mongosh || command -v mongo; }

# mongod_users PORT ADMIN_PASSWORD PASSWORD: the user `admin` while there is none (MongoDB lets the first one be
# made without signing in, from this machine), and `auth`, who reads and writes the database `auth` alone.
# The passwords are hexadecimal, so nothing in them has to be escaped; on stdin, so no process list has them.
mongod_users() {
    "$(mongo_shell)" --quiet "mongodb://127.0.0.1:$1/admin" <<JS | tail -n 20
try { db.createUser({user: "admin", pwd: "$2", roles: ["root"]}) } catch (error) { print("admin: " + error.codeName) }
db.auth("admin", "$2")
users = db.getSiblingDB("auth")
account = {pwd: "$3", roles: [{role: "readWrite", db: "auth"}]}
if (users.getUser("auth") === null) { users.createUser(Object.assign({user: "auth"}, account)) } else { users.updateUser("auth", account) }
JS
}

# wait_port NAME PORT SECONDS: until the process listens; fails when it ends before.
wait_port() {
    local deadline=$((SECONDS + $3))
    until port_taken "$2"; do
        pid_of "$1" >/dev/null && [ "$SECONDS" -lt "$deadline" ] || return 1
        sleep 0.2
    done
}
# wait_socket NAME PATH SECONDS: the same for a unix socket.
wait_socket() {
    local deadline=$((SECONDS + $3))
    until [ -S "$2" ]; do
        pid_of "$1" >/dev/null && [ "$SECONDS" -lt "$deadline" ] || return 1
        sleep 0.2
    done
}
