# shellcheck shell=bash
# What the tests with Compose share: the client, the project, its settings, its checks.
# Expects `set -euo pipefail`. COMPOSE chooses the command (default: docker compose if it is
# there, else docker-compose).
# shellcheck source=test/e2e/checks.sh
. "$(dirname "${BASH_SOURCE[0]}")/checks.sh"
for part in common packages process mongo; do
    # shellcheck source=/dev/null
    . "$E2E/../../deploy/lib/$part.sh"
done
WORK=$ROOT/build/e2e
LOGS=$WORK/logs
export RUN_DIR=$WORK/run LOG_DIR=$LOGS
mkdir -p "$LOGS"
PROJECT=kampus-e2e
ENV_FILE=$WORK/env
URL=""
FILES=(-f "$ROOT/deploy/compose.yml")

choose_client() {
    local client found=""
    if [ -z "${COMPOSE:-}" ]; then
        if docker compose version >/dev/null 2>&1; then COMPOSE="docker compose"; else COMPOSE=docker-compose; fi
    fi
    read -ra COMPOSE_COMMAND <<<"$COMPOSE"
    # BuildKit needs a client that can drive it; a client without its plugin is passed over.
    for client in "$(command -v docker)" /usr/bin/docker; do
        case $("$client" --version 2>/dev/null) in
        *" 20."* | *" 19."*) found=1 ;;
        *) "$client" buildx version >/dev/null 2>&1 && found=1 || found="" ;;
        esac
        [ -z "$found" ] || { PATH=$(dirname "$client"):$PATH; break; }
    done
    # BUILDKIT=0 tries the classic builder.
    export DOCKER_BUILDKIT=${BUILDKIT:-1}
    [ -n "$found" ] || DOCKER_BUILDKIT=0
    export COMPOSE_DOCKER_CLI_BUILD=$DOCKER_BUILDKIT
}

compose() { "${COMPOSE_COMMAND[@]}" -p "$PROJECT" --env-file "$ENV_FILE" "${FILES[@]}" "$@"; }
# compose_step TITLE LOG ARGUMENT...: the same with progress.
compose_step() {
    local title=$1 log=$2
    shift 2
    with_progress "$title" "$LOGS/$log.log" "${COMPOSE_COMMAND[@]}" -p "$PROJECT" --env-file "$ENV_FILE" "${FILES[@]}" "$@"
}

finish() {
    local code=$?
    trap - EXIT
    if [ -f "$ENV_FILE" ]; then
        compose logs --no-color >"$LOGS/containers.log" 2>&1 || true
        compose down -v --remove-orphans -t 5 >/dev/null 2>&1 || true
    fi
    rm -f "$ENV_FILE" "$WORK/accounts.json"
    "$E2E/dockerd" stop || true
    exit "$code"
}

# begin: packages, engine, base images; whatever is made is removed when the script ends.
begin() {
    install_missing "$LOGS" "$ROOT/deploy/packages.txt" "$ROOT/deploy/packages-test.txt" "$ROOT/deploy/packages-e2e.txt"
    choose_client
    trap finish EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    "$E2E/dockerd" start
    "$E2E/images/build"
}

# A block of COUNT free ports after one another.
free_ports() {
    local first offset
    while :; do
        first=$(free_port)
        for ((offset = 1; offset < $1; offset++)); do ! port_taken $((first + offset)) || continue 2; done
        printf '%s' "$first"
        return
    done
}
setting() { sed -n "s/^$1=//p" "$ENV_FILE"; }
change_setting() { sed -i "s/^$1=.*/$1=$2/" "$ENV_FILE"; }

# Ports of this run, so that a running system is left alone; secrets as deploy/init-env makes them.
make_env() {
    local dir=$WORK/make-env
    rm -rf "$dir" && mkdir -p "$dir" && cp "$ROOT/deploy/init-env" "$ROOT/deploy/.env.example" "$dir/"
    "$dir/init-env" >/dev/null
    mv "$dir/.env" "$ENV_FILE"
    for name in GATEWAY_PORT AUTH_PORT ACAD_PORT AUTH_DB_PORT ACAD_DB_PORT; do change_setting "$name" "$(free_ports 3)"; done
    # The contract registers an account.
    change_setting REGISTRATION open
    URL=http://127.0.0.1:$(setting GATEWAY_PORT)
    # What a run left that was killed.
    compose down -v --remove-orphans -t 5 >/dev/null 2>&1 || true
}

# With CI=true the build before this one has left its compiler cache; the images' build stage
# begins with it, because compiling everything twice would take most of the time there is.
build_images() {
    local cache=${CCACHE_DIR:-$ROOT/build/ccache} options=()
    if [ "${CI:-}" = true ] && [ -d "$cache" ]; then
        printf 'FROM debian:bookworm-slim\nCOPY . /var/cache/ccache\nENV CCACHE_DIR=/var/cache/ccache CCACHE_BASEDIR=/src CCACHE_NOHASHDIR=1 CCACHE_SLOPPINESS=locale\n' >"$WORK/cache.Dockerfile"
        with_progress "handing the compiler cache over" "$LOGS/image-cache.log" \
            docker build -t "$PROJECT/build" -f "$WORK/cache.Dockerfile" "$cache"
        options=(--build-arg "BUILD_IMAGE=$PROJECT/build" --build-arg CMAKE_OPTIONS=-DWARNINGS_AS_ERRORS=ON)
    fi
    compose_step "building the images (one build for all three)" compose-build build "${options[@]}"
}

containers() { docker ps -aq --filter "label=com.docker.compose.project=$PROJECT" --filter "label=com.docker.compose.service=$1"; }
container() { containers "$1" | head -n 1; }
# crash CONTAINER: as a fault would, not as `docker kill`, after which the engine restarts nothing.
crash() { kill -s KILL "$(docker inspect -f '{{.State.Pid}}' "$1")"; }

# light_load SECONDS FILE TOKEN: the status of one authorized read after the other.
light_load() {
    local end=$((SECONDS + $1))
    while [ "$SECONDS" -lt "$end" ]; do
        curl -s -m 10 -o /dev/null -w '%{http_code}\n' -H "Authorization: Bearer $3" "$URL/api/acad/ips" >>"$2" || true
        sleep 0.1
    done
}
# only FILE STATUS...: nothing else is in the file, and something is.
only() {
    local file=$1 pattern
    shift
    sort "$file" | uniq -c
    pattern=$(printf '|%s' "$@")
    [ "$(wc -l <"$file")" -ge 20 ] && ! grep -qvE "^(${pattern:1})$" "$file"
}

seed() {
    docker exec -i "$(container auth-service)" auth-service seed-demo /dev/stdin <"$WORK/accounts.json" &&
        docker exec "$(container acad-service)" acad-service seed-demo
}
