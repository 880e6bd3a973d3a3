#!/usr/bin/env bash
# make image-test: builds the image and starts it, on a machine without an engine: with Debian's
# buildah, on a base image from the registry, or on Debian's own packages where none answers.
#   SUITE    on which Debian: bookworm, or trixie
#   MIRROR   where Debian's packages come from; else where this system has its own from
#   TMPDIR   where all of it is kept (/var/tmp); it takes some 3 GB, and is gone afterwards
# Needs root: it mounts and changes users. What runs, runs on a network of its own.
set -euo pipefail
shopt -s inherit_errexit
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=docker/bare_debian.sh
. "$here/bare_debian.sh"

readonly suite=${SUITE:-bookworm}
readonly own_base=localhost/weir-base

# Prints the name of the image to build on.
base_image() {
  local container root from_registry=docker.io/library/debian:$suite-slim
  if timeout 30 buildah pull --quiet "$from_registry" >/dev/null 2>&1; then
    echo "$from_registry"
    return
  fi
  echo "no registry answers: the base is made of Debian's packages" >&2
  container=$(buildah from scratch)
  root=$(buildah mount "$container")
  : "${root:?}"  # what follows writes below it, as root
  put_up_debian "$suite" "$root" "$MIRROR"
  {
    echo "deb $MIRROR $suite main"
    [ -z "$SECURITY_MIRROR" ] || echo "deb $SECURITY_MIRROR $suite-security main"
  } >"$root/etc/apt/sources.list"
  rm -f "$root"/var/cache/apt/archives/*.deb
  buildah commit --quiet --rm "$container" "$own_base" >/dev/null
  echo "$own_base"
}

build_and_try() {
  folder=$1
  local base started=$SECONDS
  # A store of its own, and no trace of it in the system's.
  export CONTAINERS_STORAGE_CONF=$folder/storage.conf BUILDAH_ISOLATION=chroot TMPDIR=$folder/tmp
  mkdir "$TMPDIR"
  printf '[storage]\ndriver = "vfs"\ngraphroot = "%s"\nrunroot = "%s"\n' "$folder/store" \
    "$folder/run" >"$CONTAINERS_STORAGE_CONF"
  base=$(base_image)
  echo "== building on $base"
  ENGINE=buildah BASE=$base "$here/image.sh" >"$folder/build.log" 2>&1 || {
    tail -n 60 "$folder/build.log" >&2
    exit 1
  }
  echo "== built after $((SECONDS - started)) s"
  unshare --net sh -c 'ip link set lo up && ip address add 192.0.2.1/32 dev lo && exec "$@"' sh \
    python3 "$here/../tests/image/image_test.py" weir
  echo "== all well after $((SECONDS - started)) s"
}

if [ "${1:-}" = --in-namespace ]; then
  build_and_try "$2"
  exit
fi
expect_root 'make image-test'
MIRROR=${MIRROR:-$(mirror_of_this_system Debian)}
SECURITY_MIRROR=$(mirror_of_this_system Debian-Security)
[ -n "$MIRROR" ] || refuse "apt has no list of Debian's here: apt-get update, or MIRROR=URL"
export MIRROR SECURITY_MIRROR
make_folder weir-image
run_apart "$here/image_test.sh" --in-namespace "$folder"
