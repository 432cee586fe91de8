# shellcheck shell=bash
# What the tests on a swarm and on Kubernetes share. Expects common.sh, and WORK, LOGS (folders), URL (the gateway's).
E2E=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
passed=0
failed=0
# What a client does is done by "${CLIENT[@]}" COMMAND...: here, or in a container that sees these files.
CLIENT=()

# verdict CODE TITLE [LOG]
verdict() {
    if [ "$1" -eq 0 ]; then
        passed=$((passed + 1))
        say "ok    $2"
    else
        failed=$((failed + 1))
        say "FAIL  $2"
        [ -z "${3:-}" ] || tail -n 15 "$3" | sed 's/^/      /'
    fi
}

# need TITLE COMMAND...: as check, but without it nothing else can be tested.
need() {
    local before=$failed
    check "$@"
    [ "$failed" = "$before" ] || { result || true; exit 1; }
}

# check TITLE COMMAND...
check() {
    local title=$1 code=0
    shift
    "$@" >"$LOGS/check.log" 2>&1 || code=$?
    verdict "$code" "$title" "$LOGS/check.log"
}

accounts() {
    local separator=""
    printf '['
    for row in 22001:mahasiswa:'"22001"' 22002:mahasiswa:'"22002"' dosen:dosen:null admin:admin:null; do
        IFS=: read -r name role nim <<<"$row"
        printf '%s{"username":"%s","password":"%s","role":"%s","nim":%s}' "$separator" "$name" "$(random_password)" "$role" "$nim"
        separator=,
    done
    printf ']\n'
}

# wait_for SECONDS COMMAND...
wait_for() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$deadline" ] || return 1
        sleep 0.5
    done
}
answers() { [ "$("${CLIENT[@]}" curl -s -m 5 -o /dev/null -w '%{http_code}' "$URL$1" || true)" = "$2" ]; }

login_token() {
    "${CLIENT[@]}" curl -s -m 20 "$URL/api/auth/login" -H 'Content-Type: application/json' \
        -d "{\"username\":\"22001\",\"password\":\"$(jq -r '.[0].password' "$WORK/accounts.json")\"}" | jq -r '.access_token // ""'
}

# with_load NAME SECONDS COMMAND...: runs the command, with requests all the time from three
# seconds before its begin to eight after its end, but no longer than SECONDS. Says what became
# of them; FAILED_REQUESTS is how many failed. Returns the command's exit code.
LOAD_PID=""
with_load() {
    local name=$1 seconds=$2 report="$LOGS/load-$1.json" code=0
    shift 2
    login_token >"$WORK/token"
    [ -n "$(<"$WORK/token")" ] || die "no login for the load"
    rm -f "$WORK/enough"
    "${CLIENT[@]}" "$E2E/load" "$URL" "$seconds" --token-file "$WORK/token" --until "$WORK/enough" >"$report" &
    LOAD_PID=$!
    sleep 3
    "$@" >"$LOGS/$name.log" 2>&1 || code=$?
    sleep 8
    stop_load
    say "      $name: $(jq -r '"\(.requests) requests in \(.seconds) s, \(.failed) failed; p50 \(.p50_ms) ms, p99 \(.p99_ms) ms, longest \(.max_ms) ms"' "$report")"
    jq -r '.failures[:8][] | "        at \(.at_s) s, \(.path), kept connection: \(.kept): \(.what)"' "$report"
    # A load that did not run is no proof.
    FAILED_REQUESTS=$(jq 'if .requests < 300 or (.seconds | floor) >= $most then 999999 else .failed end' --argjson most "$seconds" "$report")
    return "$code"
}

# unnoticed TITLE NAME SECONDS COMMAND...: the command succeeds, and no request fails meanwhile.
unnoticed() {
    local title=$1 code=0
    shift
    with_load "$@" || code=$?
    verdict "$code" "$title: done" "$LOGS/$1.log"
    verdict "$((FAILED_REQUESTS != 0))" "$title: not one request failed"
}

stop_load() {
    : >"$WORK/enough"
    [ -z "$LOAD_PID" ] || wait "$LOAD_PID" || true
    LOAD_PID=""
}
contract() { "${CLIENT[@]}" "$E2E/contract" "$URL" "$WORK/accounts.json"; }

result() {
    say "$passed passed, $failed failed"
    [ "$failed" -eq 0 ]
}
