#!/bin/sh
# need.sh SET...: installs the Debian packages of these sets that are missing, and touches nothing
# when none is. One list for the Makefile, CI and the image.
#
#   build  the compiler and the libraries, enough for `make` and `make run`
#   test   what `make test` and the sanitizer builds add
#   check  clang's tools, for the format, tidy and fuzz targets; promtool, for the tests of metrics
#   bench  the servers that `make bench` compares Weir with, and the load generator
#   browser  a browser and what drives it, for `make dashboard-test` (some 400 MB)
#   fresh  what `make fresh` needs to put up a bare Debian in a directory
#   image  what `make image-test` needs to build and run the image without an engine
set -eu

packages_of() {
  case $1 in
    build) echo g++ cmake ninja-build pkg-config libevent-dev libcurl4-openssl-dev \
                libyaml-cpp-dev libre2-dev libxxhash-dev libfmt-dev libspdlog-dev libcli11-dev \
                nlohmann-json3-dev prometheus-cpp-dev libssl-dev libhiredis-dev libgtest-dev \
                libgmock-dev python3 curl ca-certificates ;;
    # Node.js, for the JavaScript client's tests: of whatever source. openssl makes certificates.
    test)  echo ccache lld redis-server redis-sentinel openssl
           command -v node >/dev/null || echo nodejs ;;
    check) echo clang-19 clang-tidy-19 clang-format-19 libclang-rt-19-dev prometheus ;;
    bench) echo nginx haproxy varnish wrk strace redis-server ;;
    # Node.js of another source than Debian's has npm with it, and may not stand beside Debian's.
    browser) echo chromium chromium-sandbox
             command -v node >/dev/null || echo nodejs
             command -v npm >/dev/null || echo npm ;;
    fresh) echo debootstrap git curl ;;
    image) echo buildah debootstrap docker-compose iproute2 redis-server openssl git \
                python3 ;;
    *)     echo "need.sh: no such set: $1 (build, test, check, bench, browser, fresh, image)" >&2
           return 2 ;;
  esac
}

installed() {
  [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  echo "need.sh: not a Debian system. What Debian has in these packages must be there:" >&2
  for set in "$@"; do
    echo "  $(packages_of "$set")" >&2
  done
  exit 0
fi

missing=
for set in "$@"; do
  packages=$(packages_of "$set")
  for package in $packages; do
    installed "$package" || missing="$missing $package"
  done
done
[ -n "$missing" ] || exit 0

as_root=
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "need.sh: these packages are missing and only root may install them; run as root:" >&2
    echo "  apt-get update && apt-get install -y --no-install-recommends$missing" >&2
    exit 1
  fi
  as_root=sudo
fi

# Debian starts a server when its package comes in, and at every boot after that. The tests and the
# benchmark start their own, and of Prometheus a tool alone is wanted, so a refusal stands while apt
# works (where no policy of the machine's owner stands already), and what came in new is disabled
# afterwards.
policy=/usr/sbin/policy-rc.d
policy_is_ours=no
lift_policy() {
  [ "$policy_is_ours" = no ] || $as_root rm -f "$policy"
  policy_is_ours=no
}
trap lift_policy EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
case " $* " in
  *" test "* | *" bench "* | *" check "* | *" image "*)
    if [ ! -e "$policy" ]; then
      policy_is_ours=yes
      printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null
      $as_root chmod 755 "$policy"
    fi ;;
esac

echo "need.sh: installing$missing"
$as_root apt-get -qq -o DPkg::Lock::Timeout=120 update ||
  echo "need.sh: apt-get update failed; going on with the lists there are" >&2
# The list is meant to be split: package names have no spaces.
# shellcheck disable=SC2086
$as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=120 \
  --no-install-recommends install $missing >/dev/null || {
  echo "need.sh: apt-get could not install:$missing" >&2
  exit 1
}

if [ -d /run/systemd/system ]; then
  for service in nginx haproxy varnish prometheus redis-server redis-sentinel; do
    case " $missing " in
      *" $service "*) $as_root systemctl --quiet disable "$service" ;;
    esac
  done
fi
