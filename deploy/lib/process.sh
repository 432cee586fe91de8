# shellcheck shell=bash
# Background processes with a pid file each. Expects common.sh and
# RUN_DIR (pid files), LOG_DIR (logs).

# unprivileged ARRAY USER: sets ARRAY to a prefix for commands that are to have no rights: started by root they
# run as USER, otherwise as the caller, and never get more.
unprivileged() {
    local -n prefix=$1
    prefix=(setpriv --no-new-privs)
    ! is_root || prefix+=("--reuid=$2" "--regid=$2" --init-groups)
}
# What the user store is started with; deploy/local has a user for it.
# shellcheck disable=SC2034  # used by the other files of this folder
AS_SERVICES=()

# place_for USER DIR FALLBACK: makes DIR a folder that USER owns and reaches (the caller's, unless that is
# root). Below a folder that only root may enter (such as /root), DIR becomes a link to FALLBACK instead.
# Prints the folder that is really used.
place_for() {
    local user=$1 dir=$2 fallback=$3 as_user
    if [ -L "$dir" ] && [ -d "$dir" ]; then
        readlink -f "$dir"
        return
    fi
    mkdir -p "$dir"
    is_root || { chmod 700 "$dir"; printf '%s' "$dir"; return; }
    unprivileged as_user "$user"
    chown "$user:$user" "$dir"
    chmod 700 "$dir"
    if "${as_user[@]}" test -w "$dir" 2>/dev/null; then
        printf '%s' "$dir"
        return
    fi
    rmdir "$dir"
    (umask 022 && mkdir -p "$fallback")
    chown "$user:$user" "$fallback"
    chmod 700 "$fallback"
    ln -s "$fallback" "$dir"
    "${as_user[@]}" test -w "$fallback" || die "the user $user can reach neither $dir nor $fallback" \
        "set DATA_DIR to a folder that every user may enter"
    printf '%s' "$fallback"
}

# start_time PID: clock ticks after boot. With the id it names one process for good,
# because an id is given again after its process has ended.
start_time() {
    local stat
    { stat=$(<"/proc/$1/stat"); } 2>/dev/null || return 1
    stat=${stat##*) }
    # shellcheck disable=SC2086  # the fields are to be split
    set -- $stat
    [ "$1" != Z ] || return 1
    printf '%s' "${20}"
}

# pid_of NAME: prints the process id if the process of that name runs and is ours.
pid_of() {
    local pid began
    { read -r pid began <"$RUN_DIR/$1.pid"; } 2>/dev/null || return 1
    [ -n "$pid" ] && [ "$(start_time "$pid")" = "$began" ] || return 1
    printf '%s' "$pid"
}

# launch NAME COMMAND...: starts it detached from the terminal; output goes to the log.
launch() {
    local name=$1 log="$LOG_DIR/$1.log"
    shift
    mkdir -p "$RUN_DIR" "$LOG_DIR"
    # A log that has grown large is kept once.
    if [ -f "$log" ] && [ "$(stat -c %s "$log")" -gt 20000000 ]; then mv -f "$log" "$log.1"; fi
    # setsid does not fork here (we are no group leader), so $! is the command itself.
    # The lock on descriptor 9 belongs to this script, not to the service.
    setsid "$@" </dev/null >>"$log" 2>&1 9>&- &
    local pid=$!
    disown "$pid"
    printf '%s %s\n' "$pid" "$(start_time "$pid" || printf gone)" >"$RUN_DIR/$name.pid"
}

# guard SIGNAL: sets GUARD, a prefix for commands. Where DIE_WITH_STARTER is set (test/run
# does), the kernel sends such a command the signal when the script ends in any way.
GUARD=()
guard() {
    GUARD=()
    # shellcheck disable=SC2034  # used by the other files of this folder
    [ -z "${DIE_WITH_STARTER:-}" ] || GUARD=(setpriv --pdeathsig "$1")
}

# stop NAME SIGNAL SECONDS: asks first, then kills; returns when the process is gone.
stop() {
    local name=$1 signal=$2 patience=$3 pid deadline
    if pid=$(pid_of "$name"); then
        kill -s "$signal" "$pid" 2>/dev/null || true
        deadline=$((SECONDS + patience))
        while pid_of "$name" >/dev/null; do
            if [ "$SECONDS" -ge "$deadline" ]; then
                warn "$name (pid $pid) did not end within $patience s: killing it"
                kill -s KILL "$pid" 2>/dev/null || true
                deadline=$((SECONDS + 5))
            fi
            sleep 0.1
        done
    fi
    rm -f "$RUN_DIR/$name.pid"
}

# listening_inodes PORT: socket inodes that listen on this TCP port on any address.
listening_inodes() {
    local hex
    printf -v hex '%04X' "$1"
    cat /proc/net/tcp /proc/net/tcp6 2>/dev/null |
        awk -v port=":$hex" '$4 == "0A" && substr($2, length($2) - 4) == port { print $10 }'
}

port_taken() { [ -n "$(listening_inodes "$1")" ]; }

# port_holder PORT: "name (pid N)" of who listens there, as far as we may look.
port_holder() {
    local inode link pid
    for inode in $(listening_inodes "$1"); do
        for link in /proc/[0-9]*/fd/*; do
            if [ "$(readlink "$link" 2>/dev/null)" = "socket:[$inode]" ]; then
                pid=${link#/proc/}
                pid=${pid%%/*}
                printf '%s (pid %s)' "$(cat "/proc/$pid/comm" 2>/dev/null)" "$pid"
                return
            fi
        done
    done
    printf 'another program'
}

# free_port: a port that nobody listens on, below the range that the kernel hands out
# to outgoing connections.
free_port() {
    local port
    for _ in $(seq 200); do
        port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
        if ! port_taken "$port"; then
            printf '%s' "$port"
            return
        fi
    done
    die "no free port found between 20000 and 32000"
}

# resident_kb PID: resident memory of the process; with children (PostgreSQL's) the sum
# of what each adds, because they share most of it.
resident_kb() {
    local total=0 pid kb children
    children=$(cat "/proc/$1/task/$1/children" 2>/dev/null || true)
    if [ -z "$children" ]; then
        awk '/^VmRSS:/ { print $2; found = 1 } END { if (!found) print 0 }' "/proc/$1/status" 2>/dev/null || printf 0
        return
    fi
    for pid in "$1" $children; do
        kb=$(awk '/^Pss:/ { print $2 }' "/proc/$pid/smaps_rollup" 2>/dev/null || true)
        total=$((total + ${kb:-0}))
    done
    printf '%s' "$total"
}
