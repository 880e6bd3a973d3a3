#!/usr/bin/env bash
# `make run`: Weir in front of the demo app, or of UPSTREAM. Ctrl-C drains Weir, then ends the app.
#   WEIR      the binary                     LISTEN   where Weir listens (127.0.0.1:8080)
#   UPSTREAM  another app than the demo's    CONFIG   a configuration file of your own
set -euo pipefail
here=$(dirname "$0")
weir=${WEIR:-build/weir}
listen=${LISTEN:-127.0.0.1:8080}
upstream=${UPSTREAM:-}
config=${CONFIG:-}

[ -x "$weir" ] || { echo "run.sh: no $weir; run make first" >&2; exit 1; }

# The terminal's Ctrl-C is for this script alone, which ends its children in the right order: job
# control gives Weir a process group of its own, and the app, which has none, ignores the signal.
set -m
app_pid='' weir_pid=''
# shellcheck disable=SC2317  # called by the trap
end_app() {
  [ -z "$app_pid" ] || kill "$app_pid" 2>/dev/null || true
}
trap end_app EXIT
trap '[ -z "$weir_pid" ] || kill -INT "$weir_pid" 2>/dev/null || true' INT
trap '[ -z "$weir_pid" ] || kill -TERM "$weir_pid" 2>/dev/null || true' TERM

demo=no
if [ -z "$upstream" ]; then
  demo=yes
  exec {app_out}< <(trap '' INT; exec python3 "$here/app.py" --port 0)
  app_pid=$!
  read -r -u "$app_out" _ _ port || { echo "run.sh: the demo app did not start" >&2; exit 1; }
  upstream=http://127.0.0.1:$port
  config=${config:-$here/weir.yaml}
fi

arguments=(run --upstream "$upstream" --listen "$listen")
[ -z "$config" ] || arguments+=(-c "$config")
"$weir" "${arguments[@]}" &
weir_pid=$!

host=${listen%:*} port=${listen##*:}
case $host in
  0.0.0.0|'[::]'|'') host=127.0.0.1 ;;
esac
url=http://$host:$port
until (exec 3<>"/dev/tcp/${host//[\[\]]/}/$port") 2>/dev/null; do
  kill -0 "$weir_pid" 2>/dev/null || break
  sleep 0.1
done

if kill -0 "$weir_pid" 2>/dev/null; then
  if [ "$demo" = yes ]; then
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

Or open $url/ in a browser. The rules are in $config. Ctrl-C ends both.

HINTS
  else
    cat <<HINTS

Weir is at $url, in front of $upstream. Try, in another terminal, twice:

  curl -i $url/                     Cache-Status tells hit or miss, and why

Ctrl-C ends it.

HINTS
  fi
fi

# A trapped signal ends `wait` early: wait until Weir is really gone.
status=0
while :; do
  status=0
  wait "$weir_pid" || status=$?
  kill -0 "$weir_pid" 2>/dev/null || break
done
exit "$status"
