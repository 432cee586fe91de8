# shellcheck shell=bash
# What the tests on a swarm and on Kubernetes share: a load, and whether anybody noticed. Expects
# what checks.sh expects.
# shellcheck source=test/e2e/checks.sh
. "$(dirname "${BASH_SOURCE[0]}")/checks.sh"

# with_load NAME SECONDS COMMAND...: runs the command, with requests all the time from three
# seconds before its begin to eight after its end, but no longer than SECONDS. Says what became
# of them; FAILED_REQUESTS is how many failed. Returns the command's exit code.
LOAD_PID=""
with_load() {
    local name=$1 seconds=$2 report="$LOGS/load-$1.json" code=0
    shift 2
    login_token 22001 >"$WORK/token"
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
