# shellcheck shell=bash
# Talking to the person at the terminal, and small things that every script here needs.
# Sourced by deploy/local and test/run; expects `set -euo pipefail`.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

say() { printf '%s\n' "$*"; }
step() { printf '==> %s\n' "$*"; }
warn() { printf 'warning: %s\n' "$*" >&2; }
die() {
    printf 'error: %s\n' "$1" >&2
    shift
    [ $# -eq 0 ] || printf '       %s\n' "$@" >&2
    exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }
is_root() { [ "$(id -u)" -eq 0 ]; }

# random_hex BYTES
random_hex() { od -An -N"$1" -tx1 /dev/urandom | tr -d ' \n'; }

# A password that can be read aloud: 16 letters and digits that look like no other
# ones, about 79 bits.
random_password() {
    local text=""
    while [ ${#text} -lt 16 ]; do
        text+=$(head -c 64 /dev/urandom | LC_ALL=C tr -dc 'a-km-np-z2-9' || true)
    done
    printf '%s-%s-%s-%s' "${text:0:4}" "${text:4:4}" "${text:8:4}" "${text:12:4}"
}

# with_progress TITLE LOG COMMAND...: runs the command with its output in LOG and
# shows that it lives: on a terminal the seconds and the last line of output, in one
# line; elsewhere a line every 20 s. A failure shows the end of the log.
with_progress() {
    local title=$1 log=$2 began=$SECONDS shown=0 code=0 line width
    shift 2
    step "$title"
    # Secrets here are made with umask 077, which packages and builds must not see.
    (umask 022 && exec "$@") </dev/null >"$log" 2>&1 9>&- &
    local pid=$!
    while kill -0 "$pid" 2>/dev/null; do
        sleep 0.5
        if [ -t 1 ]; then
            width=$(( ${COLUMNS:-80} - 16 ))
            line=$(tail -c 400 "$log" | tr '\r\t' '\n ' | grep -v '^ *$' | tail -n 1 || true)
            printf '\r\033[K    %4d s  %s' $((SECONDS - began)) "${line:0:width}"
        elif [ $((SECONDS - began - shown)) -ge 20 ]; then
            shown=$((SECONDS - began))
            line=$(tail -c 400 "$log" | tr '\r\t' '\n ' | grep -v '^ *$' | tail -n 1 || true)
            printf '    %4d s  %s\n' "$shown" "${line:0:100}"
        fi
    done
    [ ! -t 1 ] || printf '\r\033[K'
    wait "$pid" || code=$?
    if [ "$code" -ne 0 ]; then
        tail -n 40 "$log" >&2
        warn "$title: failed (exit code $code); the whole output is in $log"
        return "$code"
    fi
    say "    done in $((SECONDS - began)) s"
}

# build_jobs: one compiler for each core, but no more than memory allows
# (a translation unit of Asio coroutines takes up to 1.2 GB).
build_jobs() {
    local cores memory
    cores=$(nproc)
    memory=$(awk '/^MemAvailable:/ { print int($2 / 1200000) }' /proc/meminfo)
    [ "$memory" -ge 1 ] || memory=1
    [ "$cores" -le "$memory" ] || cores=$memory
    printf '%s' "$cores"
}

# build_tree DIR LOG_DIR CMAKE_OPTION... -- TARGET...: configures DIR as the preset
# $PRESET (`release`) does, unless another has configured it before, and builds the targets.
# One build at a time in a folder, because two copies of deploy/local may share it.
build_tree() {
    local dir=$1 logs=$2 options=()
    shift 2
    [ -f "$dir/CMakeCache.txt" ] || options=(--preset "${PRESET:-release}")
    while [ $# -gt 0 ] && [ "$1" != -- ]; do
        options+=("$1")
        shift
    done
    shift
    # Programs are read by the services' user.
    (umask 022 && mkdir -p "$dir")
    mkdir -p "$logs"
    (
        flock 8
        with_progress "configuring ${dir#"$ROOT"/}" "$logs/configure.log" \
            cmake -S "$ROOT" -B "$dir" "${options[@]}" || exit 1
        with_progress "building $* with $(build_jobs) jobs" "$logs/build.log" \
            cmake --build "$dir" -j "$(build_jobs)" --target "$@" || exit 1
    ) 8>"$dir/.build-lock" || die "the build failed" "the first 'error:' line above says where; $logs/build.log has all"
}
