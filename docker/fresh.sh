#!/usr/bin/env bash
# make fresh SUITE=bookworm|trixie: whether a bare Debian builds Weir, runs it and passes its tests,
# as root and as a user without any rights. What is committed is what is tried.
#   MIRROR   where Debian's packages come from; else where this system has its own from
#   TMPDIR   where the system is put up (/var/tmp); it takes some 5 GB, and is gone afterwards
# Needs root: it puts up a system in a folder, and goes into it by chroot.
set -euo pipefail

# shellcheck source=docker/bare_debian.sh
. "$(dirname "$0")/bare_debian.sh"

# --- outside -----------------------------------------------------------------------------------

put_up_and_try() {
  local suite=$1 mirror=$2
  make_folder weir-fresh
  mkdir "$folder/root"
  git bundle create -q "$folder/weir.bundle" HEAD
  run_apart "$0" --in-namespace "$suite" "$mirror" "$folder"
}

# --- in the namespaces -------------------------------------------------------------------------

fill_root() {
  local suite=$1 mirror=$2 folder=$3 root=$3/root
  put_up_debian "$suite" "$root" "$mirror"
  mount -t proc proc "$root/proc"
  mount --rbind /dev "$root/dev"
  cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
  cp "$folder/weir.bundle" "$root/srv/"
  cp "$0" "$(dirname "$0")/bare_debian.sh" "$root/srv/"
  chmod 755 "$root" "$root/srv/fresh.sh"
}

# Runs a step of this script within the root, with nothing of this environment but the proxies.
within() {
  local root=$1 user=$2 name proxies=()
  shift 2
  for name in http_proxy https_proxy no_proxy; do
    [ -z "${!name:-}" ] || proxies+=("$name=${!name}")
  done
  chroot "$root" setpriv --reuid="$user" --regid="$user" --init-groups \
    env -i "${proxies[@]}" PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
    HOME="$(chroot "$root" getent passwd "$user" | cut -d: -f6)" /srv/fresh.sh "$@"
}

try_suite() {
  local suite=$1 mirror=$2 folder=$3 root=$3/root user
  echo "== $suite: putting up a bare system"
  fill_root "$suite" "$mirror" "$folder"
  within "$root" root --prepare
  for user in root visitor; do
    echo "== $suite, as $user"
    within "$root" "$user" --try
  done
  echo "== $suite: all well"
}

# --- within the root ---------------------------------------------------------------------------

# What README.md tells the owner of a bare system to do first.
prepare() {
  apt-get -qq update
  DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install git make >/dev/null
  useradd --create-home --user-group visitor
}

# `make run` answers: the second request for a page is a hit.
ask_running() {
  local url='' log=$HOME/run.log make_pid status=0
  make run LISTEN=127.0.0.1:0 >"$log" 2>&1 &
  make_pid=$!
  while [ -z "$url" ] && kill -0 "$make_pid" 2>/dev/null; do
    url=$(sed -nE 's/^Weir is at (http:[^ ,]*),.*/\1/p' "$log")
    sleep 1
  done
  if [ -z "$url" ] || ! curl -sSf -o /dev/null "$url/" ||
     ! curl -sSf -o /dev/null -D - "$url/" | grep -i '^cache-status: weir; hit'; then
    tail -n 40 "$log" >&2
    status=1
  fi
  kill "$make_pid" 2>/dev/null || true
  wait "$make_pid" || true
  return "$status"
}

try() {
  cd "$HOME"
  git -c init.defaultBranch=main -c advice.detachedHead=false clone -q /srv/weir.bundle weir
  cd weir
  ask_running
  make test >"$HOME/test.log" 2>&1 || {
    tail -n 120 "$HOME/test.log" >&2
    return 1
  }
  grep -E 'tests passed|Total Test time' "$HOME/test.log"
  [ "$(id -u)" -ne 0 ] || make clean >/dev/null  # room for the next
}

case ${1:-} in
  --in-namespace) shift; try_suite "$@" ;;
  --prepare)      prepare ;;
  --try)          try ;;
  bookworm|trixie)
    expect_root "make fresh SUITE=$1"
    mirror=${MIRROR:-$(mirror_of_this_system Debian)}
    [ -n "$mirror" ] || refuse "apt has no list of Debian's here: apt-get update, or MIRROR=URL"
    put_up_and_try "$1" "$mirror" ;;
  *) refuse "SUITE=${1:-}: which Debian? (SUITE=bookworm or SUITE=trixie)" ;;
esac
