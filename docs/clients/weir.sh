# Cache values in Weir, the caching sidecar, from a POSIX shell with curl:
#
#   . ./weir.sh
#   weir_cached last_posts 30 fetch_posts --all   # its output, computed by one caller, kept 30 s
#   weir_set motd 1h < motd.txt                   # the value is standard input, any bytes
#   weir_get motd > motd.txt
#   weir_clear 'user:*'                           # a pattern; --exact KEY: that key; nothing: all
#
#   WEIR_ADMIN        the admin address: HOST:PORT (127.0.0.1:8081), unix:/PATH, or off
#   WEIR_ADMIN_TOKEN  its token
#   WEIR_BACKEND      a backend's name; else the default
#   WEIR_PREFIX       stands before every key
#   WEIR_TIMEOUT      seconds that Weir may take to answer (1)
#   WEIR_LEASE        seconds that a command may take; then another caller computes it too (30)
#
# Exit codes: 0; weir_get and weir_clear 1 where there is no such key, or Weir cannot be reached; 2
# where Weir refuses the call (a duration, a backend's name, the token); weir_cached that of the
# command, if it fails. Where Weir cannot be reached commands run and nothing is kept: a line on
# standard error says so. The functions run in subshells, and so do commands.
#
# shellcheck disable=SC2030,SC2031  # and their variables with them

# A plain text as it is, of another every byte escaped, so that none has a meaning.
_weir_escaped() {
  case $1 in
    *[!abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._~-]*)
      printf %s "$1" | od -An -v -tx1 | tr -d ' \n' | sed 's/../%&/g' ;;
    *) printf %s "$1" ;;
  esac
}

_weir_say() {
  printf 'weir: %s\n' "$1" >&2
}

# METHOD PATH QUERY SECONDS [CURL'S OPTION…]: the status to standard output, 000 where Weir cannot
# be reached; head and body into $_weir_folder. The token is told where no list of processes shows
# it.
_weir_ask() {
  _weir_method=$1 _weir_path=$2 _weir_query=$3 _weir_seconds=$4
  shift 4
  _weir_at=${WEIR_ADMIN:-127.0.0.1:8081}
  [ "$_weir_at" != off ] || { echo 000; return; }
  : > "$_weir_folder/body"
  case $_weir_at in
    unix:*) set -- --unix-socket "${_weir_at#unix:}" "$@"; _weir_at=http://localhost ;;
    http://*) _weir_at=${_weir_at%/} ;;
    *[!0-9]*) _weir_at=http://$_weir_at ;;
    *) _weir_at=http://127.0.0.1:$_weir_at ;;
  esac
  if [ -n "${WEIR_BACKEND:-}" ]; then
    _weir_query=${_weir_query:+$_weir_query&}backend=$(_weir_escaped "$WEIR_BACKEND")
  fi
  _weir_auth=
  [ -z "${WEIR_ADMIN_TOKEN:-}" ] || _weir_auth=$(printf 'header = "Authorization: Bearer %s"' \
    "$(printf %s "$WEIR_ADMIN_TOKEN" | sed 's/[\\"]/\\&/g')")
  _weir_code=$(printf '%s\n' "$_weir_auth" | curl -q --config - --silent \
    --globoff --path-as-is --noproxy '*' --header 'Expect:' \
    --connect-timeout "${WEIR_TIMEOUT:-1}" --max-time "$_weir_seconds" \
    --request "$_weir_method" "$@" --dump-header "$_weir_folder/head" \
    --output "$_weir_folder/body" --write-out '%{http_code}' \
    "$_weir_at/v1/keys$_weir_path${_weir_query:+?$_weir_query}") ||
    case $_weir_code in
      2??) _weir_code=000 ;;  # its end is missing
    esac
  echo "$_weir_code"
}

# STATUS: what to do about an answer that is no 2xx. 1: there is none, or no value; 2: refused.
_weir_fault() {
  case $1 in
    404) grep -q '"field":"key"' "$_weir_folder/body" && return 1 ;;
    409) return 1 ;;
    000) [ "${WEIR_ADMIN:-}" = off ] ||
           _weir_say "${WEIR_ADMIN:-127.0.0.1:8081} cannot be reached"
         return 1 ;;
  esac
  _weir_text=$(sed -n 's/.*"message":"\(.*\)"}}.*/\1/p' "$_weir_folder/body" 2>/dev/null)
  _weir_field=$(sed -n 's/.*"field":"\([^"]*\)".*/\1: /p' "$_weir_folder/body" 2>/dev/null)
  _weir_say "$_weir_field${_weir_text:-status $1: that is no admin address of Weir}"
  case $1 in
    413 | 5??) return 1 ;;
  esac
  return 2
}

_weir_path_of() {
  printf '/%s' "$(_weir_escaped "${WEIR_PREFIX:-}$1")"
}

# A folder of this call's own, gone at its end; and a lease that is held still is given up.
_weir_begin() {
  _weir_token=
  _weir_folder=$(mktemp -d) || exit 2
  trap '_weir_end' EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
}

_weir_end() {
  if [ -n "$_weir_token" ]; then
    _weir_ask DELETE "$_weir_key" "lease=$_weir_token" "${WEIR_TIMEOUT:-1}" > /dev/null
  fi
  rm -rf "$_weir_folder"
}

# Before anything is computed.
_weir_check_duration() {
  _weir_digits=${1%[smhd]}
  case ${_weir_digits%m} in
    '' | *[!0-9]*) ;;
    *[1-9]*) return ;;
  esac
  _weir_say "duration: \"$1\" is none: write seconds, at least 1, or 5m, 1h, 7d"
  exit 2
}

# weir_get KEY
weir_get() (
  _weir_begin
  _weir_status=$(_weir_ask GET "$(_weir_path_of "$1")" '' "${WEIR_TIMEOUT:-1}")
  [ "$_weir_status" = 200 ] || { _weir_fault "$_weir_status"; exit; }
  cat "$_weir_folder/body"
)

# weir_set KEY [DURATION] < VALUE
weir_set() (
  [ -z "${2:-}" ] || _weir_check_duration "$2"
  _weir_begin
  cat > "$_weir_folder/value"
  _weir_key=$(_weir_path_of "$1")
  _weir_put "${2:-}" || [ $? -eq 1 ] || exit 2
)

# DURATION, of $_weir_folder/value
_weir_put() {
  _weir_query=${1:+duration=$1}
  [ -z "$_weir_token" ] || _weir_query=${_weir_query:+$_weir_query&}lease=$_weir_token
  _weir_status=$(_weir_ask PUT "$_weir_key" "$_weir_query" "${WEIR_TIMEOUT:-1}" \
    --header 'Content-Type: application/octet-stream' --data-binary "@$_weir_folder/value")
  [ "$_weir_status" = 204 ] || _weir_fault "$_weir_status"
}

# weir_clear [KEY | PATTERN | --exact KEY]
weir_clear() (
  _weir_begin
  if [ $# -eq 0 ]; then
    _weir_path=
    [ -z "${WEIR_PREFIX:-}" ] || _weir_path="$(_weir_path_of '')*"
  elif [ "$1" = --exact ]; then
    _weir_path=$(_weir_path_of "$2")
  else
    _weir_path=$(_weir_path_of '')$(_weir_escaped "$1" | sed 's/%2a/*/g')
  fi
  _weir_status=$(_weir_ask DELETE "$_weir_path" '' 30)
  case $_weir_status in
    200 | 202) ;;  # 202: not all instances of a fleet have heard of it yet
    *) _weir_fault "$_weir_status"; exit ;;
  esac
  ! grep -q '"cleared":0}' "$_weir_folder/body"
)

# SECONDS TO WAIT: the value into $_weir_folder/body, or the right to compute it.
_weir_ask_for_lease() {
  _weir_whole=${WEIR_TIMEOUT:-1}
  _weir_whole=${_weir_whole%%.*}  # the shell has no fractions
  _weir_status=$(_weir_ask GET "$_weir_key" "lease=${WEIR_LEASE:-30}s&wait=$1s" \
    $((${_weir_whole:-0} + 1 + $1)))
  _weir_token=
  [ "$_weir_status" = 404 ] || return 0
  while IFS=': ' read -r _weir_name _weir_text; do
    case $_weir_name in
      [Ww]eir-[Ll]ease) _weir_token=${_weir_text%?} ;;  # without the carriage return
    esac
  done < "$_weir_folder/head"
}

# weir_cached KEY DURATION COMMAND [ARGUMENT…]
weir_cached() (
  _weir_check_duration "$2"
  _weir_begin
  _weir_key=$(_weir_path_of "$1") _weir_kept=$2
  shift 2
  _weir_ask_for_lease 0
  if [ "$_weir_status" = 404 ] && [ -z "$_weir_token" ]; then  # another computes it
    _weir_wait=${WEIR_LEASE:-30}
    [ "$_weir_wait" -le 300 ] || _weir_wait=300
    _weir_ask_for_lease "$_weir_wait"
  fi
  if [ "$_weir_status" = 200 ]; then
    cat "$_weir_folder/body"
    exit
  fi
  _weir_fault "$_weir_status" || [ $? -eq 1 ] || exit 2
  if [ -z "$_weir_token" ]; then
    "$@"
    exit
  fi
  "$@" > "$_weir_folder/value" || {
    _weir_status=$?
    cat "$_weir_folder/value"
    exit "$_weir_status"
  }
  _weir_put "$_weir_kept" || [ $? -eq 1 ] || exit 2
  _weir_token=
  cat "$_weir_folder/value"
)
