# shellcheck shell=bash
# Installing what is missing with apt, and nothing else. Expects common.sh.

# missing_packages FILE...: the packages named in the files that dpkg does not have.
missing_packages() {
    local name
    sed -e 's/#.*//' "$@" | tr -s '[:space:]' '\n' | sort -u | while read -r name; do
        [ -n "$name" ] || continue
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || say "$name"
    done
}

# install_missing LOG_DIR FILE...
install_missing() {
    local logs=$1 missing=()
    shift
    [ -z "${SKIP_PACKAGES:-}" ] || return 0
    if ! have dpkg-query || ! have apt-get; then
        die "this is no Debian, so packages cannot be installed here" \
            "install by hand what these files name, then set SKIP_PACKAGES=1: $*"
    fi
    mapfile -t missing < <(missing_packages "$@")
    [ ${#missing[@]} -gt 0 ] || return 0
    is_root || die "these packages are missing, and only root can install them:" "${missing[*]}" \
        "run as root:  apt-get update && apt-get install --no-install-recommends ${missing[*]}"

    mkdir -p "$logs"
    export DEBIAN_FRONTEND=noninteractive
    with_progress "reading package lists" "$logs/apt-update.log" apt-get update ||
        die "apt-get update failed: are the package sources in /etc/apt reachable?"
    (
        trap release_clusters EXIT
        hold_back_clusters
        with_progress "installing ${#missing[@]} packages" "$logs/apt-install.log" \
            apt-get install -y --no-install-recommends "${missing[@]}"
    ) || die "apt-get install failed: $logs/apt-install.log has the reason"
}

# Debian's postgresql-15 makes and starts a cluster "main" when it is installed. Ours
# lives elsewhere, so that is switched off for the time of the installation. A cluster
# that exists already is not touched by this setting.
CLUSTER_SWITCH=/etc/postgresql-common/createcluster.d/kampus-no-main.conf
hold_back_clusters() {
    umask 022
    mkdir -p "${CLUSTER_SWITCH%/*}"
    printf 'create_main_cluster = false\n' >"$CLUSTER_SWITCH"
}
release_clusters() { rm -f "$CLUSTER_SWITCH"; }
