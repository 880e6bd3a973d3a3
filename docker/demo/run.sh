#!/usr/bin/env bash
# `make run`: Weir in front of the demo app, or of UPSTREAM. Ctrl-C drains Weir, then ends the app.
#   WEIR      the binary
#   UPSTREAM  another app than the demo's
#   LISTEN    where Weir listens (127.0.0.1:8080, or what CONFIG says)
#   CONFIG    a configuration file of your own: no demo, and UPSTREAM and LISTEN only if given
set -euo pipefail
here=$(dirname "$0")
weir=${WEIR:-build/weir}
upstream=${UPSTREAM:-}
config=${CONFIG:-}
listen=${LISTEN:-}
[ -n "$listen$config" ] || listen=127.0.0.1:8080

refuse() {
  echo "run.sh: $*" >&2
  exit 2
}

[ -x "$weir" ] || refuse "no $weir; run make first"
case $listen in
  ''|*:*) ;;
  *) refuse "LISTEN=$listen: an address and a port are needed, such as LISTEN=127.0.0.1:8080" ;;
esac

# Where to ask for pages; empty when only Weir's log will tell.
url='' host='' port=''
case $listen in
  ''|unix:*|*:0) ;;
  *)
    host=${listen%:*} port=${listen##*:}
    case $host in
      0.0.0.0|'[::]'|'') host=127.0.0.1 ;;
    esac
    url=http://$host:$port
    ;;
esac
is_open() {
  (exec 3<>"/dev/tcp/${host//[\[\]]/}/$port") 2>/dev/null
}
if [ -n "$url" ] && is_open; then
  refuse "another program listens on $listen; take another port: make run LISTEN=127.0.0.1:8090"
fi

# The terminal's Ctrl-C is for this script alone, which ends its children in the right order: job
# control gives Weir a process group of its own, and the app, which has none, ignores the signal.
set -m
app_pid='' weir_pid=''
# shellcheck disable=SC2317  # called by the trap
end_children() {
  local pid
  for pid in "$weir_pid" "$app_pid"; do
    [ -z "$pid" ] || kill "$pid" 2>/dev/null || true
  done
}
trap end_children EXIT
trap '[ -z "$weir_pid" ] || kill -INT "$weir_pid" 2>/dev/null || true' INT
trap '[ -z "$weir_pid" ] || kill -TERM "$weir_pid" 2>/dev/null || true' TERM

demo=no
if [ -z "$upstream$config" ]; then
  demo=yes
  exec {app_out}< <(trap '' INT; exec python3 "$here/app.py" --port 0)
  app_pid=$!
  read -r -u "$app_out" _ _ port_of_app || refuse "the demo app did not start"
  upstream=http://127.0.0.1:$port_of_app
  config=$here/weir.yaml
fi

arguments=(run)
[ -z "$config" ] || arguments+=(-c "$config")
[ -z "$upstream" ] || arguments+=(--upstream "$upstream")
[ -z "$listen" ] || arguments+=(--listen "$listen")
"$weir" "${arguments[@]}" &
weir_pid=$!

runs() {
  kill -0 "$weir_pid" 2>/dev/null
}
if [ -n "$url" ]; then
  until is_open; do
    runs || break
    sleep 0.1 || true
  done
fi

if runs && [ "$demo" = yes ] && [ -n "$url" ]; then
  cat <<HINTS

Weir is at $url, in front of the demo app at $upstream. Try, in another terminal:

  curl -i $url/                     the first takes 0.3 s: Cache-Status says it was fetched
  curl -i $url/                     the second is a hit, with its Age
  curl -i '$url/search?q=pond&utm_source=x'   and then without utm_source: one key, a hit
  curl -i $url/private              never stored, and Cache-Status says why
  curl -i $url/login                nor is an answer that sets a cookie
  curl -i $url/static/app.css       fresh for an hour, because the app says so
  curl -N $url/events               an event stream passes as it comes
  for i in 1 2 3 4 5; do curl -so /dev/null -w '%{time_total} s\n' $url/slow & done; wait
                                    five ask at once, the app is asked once

Or open $url/ in a browser. The rules are in $config. Below runs the access log.
Ctrl-C ends both.

HINTS
elif runs && [ -n "$url" ]; then
  cat <<HINTS

Weir is at $url${upstream:+, in front of $upstream}. Try, in another terminal, twice:

  curl -i $url/                     Cache-Status tells hit or miss, and why

Ctrl-C ends it.

HINTS
elif runs; then
  echo "Weir's log says where it listens; Cache-Status tells hit or miss, and why. Ctrl-C ends it."
fi

# A trapped signal ends `wait` early: wait until Weir is really gone.
status=0
while :; do
  status=0
  wait "$weir_pid" || status=$?
  kill -0 "$weir_pid" 2>/dev/null || break
done
exit "$status"
