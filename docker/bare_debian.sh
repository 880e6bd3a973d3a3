# Sourced by those who put up a Debian in a folder and try something there, as root: fresh.sh,
# image_test.sh. What they start and mount ends with them, however they end; the folder stays where
# they are killed by SIGKILL.
# shellcheck shell=bash

refuse() {
  echo "${0##*/}: $*" >&2
  exit 2
}

expect_root() {
  [ "$(id -u)" -eq 0 ] || refuse "only root may put up a system: sudo $1"
}

# LABEL: where this system has Debian's packages from.
mirror_of_this_system() {
  # shellcheck disable=SC2016  # apt fills it in
  apt-get indextargets --format '$(REPO_URI)' \
    'Created-By: Packages' "Label: $1" 'Component: main' | sort -u | sed -n 1p
}

# How this system's apt gets to its mirror: proxies, certificates, clocks that are not believed.
apt_settings_of_this_system() {
  apt-config dump |
    grep -iE '^Acquire::(http|https|ftp|Retries|ForceIPv[46]|Check-)[^ ]* "..*"' || true
}

# NAME: makes `folder`, which goes with this script.
make_folder() {
  folder=$(mktemp -d -p "${TMPDIR:-/var/tmp}" "$1.XXXXXX")
  trap clean_up EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  chmod 755 "$folder"
}

# COMMAND...: all mounts and processes are of namespaces of their own. They end with the one process
# below, so that what is deleted then is only the folder.
folder='' apart=''
run_apart() {
  local status=0
  set -m  # a group of its own: a job of a script has Ctrl-C switched off, and tests send it
  setpriv --pdeathsig KILL \
    unshare --mount --pid --fork --kill-child --mount-proc "$@" </dev/null &
  apart=$!
  wait "$apart" || status=$?
  apart=''
  return "$status"
}

# shellcheck disable=SC2317  # called by the trap
clean_up() {
  trap '' INT TERM HUP
  # KILL: unshare blocks the others while its child lives, and the child, first of its processes,
  # takes all of them along.
  [ -z "$apart" ] || kill -KILL "$apart" 2>/dev/null || true
  wait
  rm -rf --one-file-system "$folder"
}

# SUITE FOLDER MIRROR; with what apt needs for a mirror behind TLS.
put_up_debian() {
  debootstrap --variant=minbase --include=ca-certificates "$1" "$2" "$3" \
    >"$folder/debootstrap.log" || {
    tail -n 20 "$folder/debootstrap.log" >&2
    exit 1
  }
  apt_settings_of_this_system >"$2/etc/apt/apt.conf.d/99settings"
}
