# shellcheck shell=bash
# What every test with containers shares: checks, their result, and a client of the gateway.
# Expects deploy/lib/common.sh, and WORK, LOGS (folders), URL (the gateway's).
# shellcheck disable=SC2034 # used by those who source this
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

# check TITLE COMMAND...
check() {
    local title=$1 code=0
    shift
    "$@" >"$LOGS/check.log" 2>&1 || code=$?
    verdict "$code" "$title" "$LOGS/check.log"
}

# need TITLE COMMAND...: as check, but without it nothing else can be tested.
need() {
    local before=$failed
    check "$@"
    [ "$failed" = "$before" ] || { result || true; exit 1; }
}

result() {
    say "took $((SECONDS / 60)) min $((SECONDS % 60)) s"
    say "$passed passed, $failed failed"
    [ "$failed" -eq 0 ]
}

# wait_for SECONDS COMMAND...
wait_for() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$deadline" ] || return 1
        sleep 0.3
    done
}

# answers PATH STATUS
answers() { [ "$("${CLIENT[@]}" curl -s -m 5 -o /dev/null -w '%{http_code}' "$URL$1" || true)" = "$2" ]; }

# The accounts that seed-demo makes, with new passwords.
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

# login_token NAME [PASSWORD]: an access token, or nothing; without a password the one of accounts().
login_token() {
    local password=${2:-$(jq -r --arg name "$1" '.[] | select(.username == $name).password' "$WORK/accounts.json")}
    "${CLIENT[@]}" curl -s -m 20 "$URL/api/auth/login" -H 'Content-Type: application/json' \
        -d "{\"username\":\"$1\",\"password\":\"$password\"}" | jq -r '.access_token // ""'
}
