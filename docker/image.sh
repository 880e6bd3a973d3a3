#!/bin/sh
# make image: builds the image `weir` with docker, podman or buildah, the first one that is there
# and has an engine that runs. `make image-test` needs none that runs.
#   ENGINE   which of them
#   BASE     the Debian to build on
set -eu
cd "$(dirname "$0")/.."

engine=${ENGINE:-}
for name in docker podman buildah; do
  if [ -z "$engine" ] && command -v "$name" >/dev/null && "$name" info >/dev/null 2>&1; then
    engine=$name
  fi
done
if [ -z "$engine" ]; then
  echo "make image: none of docker, podman and buildah is here and works for this user (on" \
    "Debian: apt-get install -y docker.io)" >&2
  exit 1
fi

# Of whomever the checkout is.
revision=$(git -c safe.directory="$PWD" rev-parse --short=12 HEAD 2>/dev/null || true)
set -- --build-arg "WEIR_REVISION=$revision" --file docker/Dockerfile --tag weir
[ -z "${BASE:-}" ] || set -- "$@" --build-arg "BASE=$BASE"
# The format that is usual elsewhere has no health check.
[ "$engine" = docker ] || set -- "$@" --format docker
exec "$engine" build "$@" .
