#!/usr/bin/env bash
# `make run`: Weir in front of the demo app, or of UPSTREAM. Ctrl-C drains Weir, then ends the app.
#   WEIR      the binary
#   UPSTREAM  another app than the demo's
#   LISTEN    where Weir listens (127.0.0.1:8080, or what CONFIG says)
#   CONFIG    a configuration file of your own: no demo, and UPSTREAM and LISTEN only if given
# It greets once Weir's log says where it listens; with WEIR_LOG=warn there is no greeting.
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

# The host and port of an address that is listened on, as a client asks for them.
host_to_ask() {
  case ${1%:*} in
    0.0.0.0|'') echo 127.0.0.1 ;;
    '[::]') echo '[::1]' ;;
    *) echo "${1%:*}" ;;
  esac
}
is_open() {
  local host
  host=$(host_to_ask "$1")
  (exec 3<>"/dev/tcp/${host//[\[\]]/}/${1##*:}") 2>/dev/null
}
case $listen in
  ''|unix:*|*:0) ;;
  *)
    if is_open "$listen"; then
      refuse "another program listens on $listen; take another port: make run LISTEN=127.0.0.1:8090"
    fi ;;
esac

# The terminal's Ctrl-C is for this script alone, which ends its children in the right order: job
# control gives Weir a process group of its own, and the app, which has none, ignores the signal.
set -m
app_pid='' weir_pid='' log_pid=''
# shellcheck disable=SC2317  # called by the trap
end_children() {
  local pid
  for pid in "$weir_pid" "$app_pid"; do
    [ -z "$pid" ] || kill "$pid" 2>/dev/null || true
  done
}
trap end_children EXIT
# A signal before Weir runs ends the script; after that Weir has it, and the script ends with Weir.
# shellcheck disable=SC2317  # called by the traps
pass_signal_on() {
  [ -n "$weir_pid" ] || exit $((128 + $1))
  kill "-$1" "$weir_pid" 2>/dev/null || true
}
trap 'pass_signal_on 2' INT
trap 'pass_signal_on 15' TERM

demo=no
if [ -z "$upstream$config" ]; then
  demo=yes
  exec {app_out}< <(trap '' INT; exec python3 "$here/app.py" --port 0)
  app_pid=$!
  read -r -u "$app_out" _ _ port_of_app || refuse "the demo app did not start"
  upstream=http://127.0.0.1:$port_of_app
  config=$here/weir.yaml
fi

greet_demo() {
  cat <<HINTS

Weir is at $1, in front of the demo app at $upstream. Try, in another terminal:

  curl -i $1/                     the first takes 0.3 s: Cache-Status says it was fetched
  curl -i $1/                     the second is a hit, with its Age
  curl -i '$1/search?q=pond&utm_source=x'   and then without utm_source: one key, a hit
  curl -i $1/private              never stored, and Cache-Status says why
  curl -i $1/login                nor is an answer that sets a cookie
  curl -i $1/static/app.css       fresh for an hour, because the app says so
  curl -N $1/events               an event stream passes as it comes
  for i in 1 2 3 4 5; do curl -so /dev/null -w '%{time_total} s\n' $1/slow & done; wait
                                    five ask at once, the app is asked once

Or open $1/ in a browser, and Weir's own dashboard at the admin address that the
log above names. The rules are in $config. Below runs the access log.
Ctrl-C ends both.

HINTS
}

greet() {
  local address=$1 ask
  case $address in
    unix:*) ask="--unix-socket ${address#unix:} http://localhost" ;;
    *)
      ask=http://$(host_to_ask "$address"):${address##*:}
      address=$ask
      if [ "$demo" = yes ]; then
        greet_demo "$ask"
        return
      fi ;;
  esac
  cat <<HINTS

Weir is at $address${upstream:+, in front of $upstream}. Try, in another terminal, twice:

  curl -i $ask/                     Cache-Status tells hit or miss, and why

Ctrl-C ends it.

HINTS
}

# Passes Weir's log on, and greets at the line that says where it listens: not before, since it may
# end with an error instead.
pass_log_on() {
  trap '' INT TERM
  local line
  while IFS= read -r line; do
    printf '%s\n' "$line" >&2
    case $line in
      *' info listening on '*)
        greet "${line##* info listening on }"
        exec cat >&2 ;;
    esac
  done
}

arguments=(run)
[ -z "$config" ] || arguments+=(-c "$config")
[ -z "$upstream" ] || arguments+=(--upstream "$upstream")
[ -z "$listen" ] || arguments+=(--listen "$listen")
exec {log}> >(pass_log_on)
log_pid=$!
"$weir" "${arguments[@]}" 2>&"$log" {log}>&- &
weir_pid=$!
exec {log}>&-

# A trapped signal ends `wait` early: wait until Weir is really gone.
status=0
while :; do
  status=0
  wait "$weir_pid" || status=$?
  kill -0 "$weir_pid" 2>/dev/null || break
done
wait "$log_pid" 2>/dev/null || true  # its last lines
exit "$status"
