#!/bin/sh
# docs/clients/weir.sh against the real program; with_weir.py starts it, and this.
set -eu

. "$1/docs/clients/weir.sh"

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
failures=0
export WEIR_ADMIN="$WEIR_TEST_URL" WEIR_TIMEOUT=60

fail() {
  echo "FAILED: $1" >&2
  failures=$((failures + 1))
}

# WHAT EXPECTED GOT
same() {
  [ "$2" = "$3" ] || fail "$1: expected '$2', got '$3'"
}

# WHAT CODE COMMAND…: its exit code; its outputs are in out and err.
ends() {
  what=$1 expected=$2
  shift 2
  code=0
  "$@" > "$folder/out" 2> "$folder/err" || code=$?
  same "$what" "$expected" "$code"
}

# WHAT PATTERN: standard error of the last command.
said() {
  grep -q "$2" "$folder/err" || fail "$1: no '$2' in '$(cat "$folder/err")'"
}

silent() {
  [ ! -s "$folder/err" ] || fail "$1: $(cat "$folder/err")"
}

raw() {  # METHOD PATH
  curl -qs --noproxy '*' --max-time 60 -X "$1" "$WEIR_TEST_URL$2"
}

compute() {
  echo computed >> "$folder/calls"
  cat "$folder/value"
}

calls() {
  [ ! -e "$folder/calls" ] || wc -l < "$folder/calls" | tr -d ' '
  rm -f "$folder/calls"
}

# ---- values ----

printf 'a\000b\r\n\377\n\n' > "$folder/value"
ends 'an absent key' 1 weir_get a
silent 'an absent key'
ends 'set' 0 weir_set a 60 < "$folder/value"
ends 'get' 0 weir_get a
cmp "$folder/value" "$folder/out" || fail 'a value is any bytes'
ends 'clear' 0 weir_clear a
ends 'clear of nothing' 1 weir_clear a
silent 'clear of nothing'
: > "$folder/empty"
ends 'set without a duration' 0 weir_set empty < "$folder/empty"
ends 'an empty value' 0 weir_get empty
same 'an empty value' '' "$(cat "$folder/out")"

newline='
'
set -- .. 'a/b//c?q=1#f&g=h%2F%2A%' 'é 日本' '*' "$newline$(printf '\177\377\001')" \
  "~\"';+\\" '{k}[a-z]@' -n --exact
number=0
for key in "$@"; do
  number=$((number + 1))
  printf %s "$number" | weir_set "$key"
done
echo prefixed | WEIR_PREFIX='p*/' weir_set '*'
number=0
for key in "$@"; do
  number=$((number + 1))
  same "key $key" "$number" "$(weir_get "$key")"
done
raw GET '/v1/keys?limit=1000' > "$folder/page"
for path in .. a%2Fb%2F%2Fc%3Fq%3D1%23f%26g%3Dh%252F%252A%25 %C3%A9%20%E6%97%A5%E6%9C%AC %2A \
  %0A%7F%FF%01 --exact p%2A%2F%2A; do
  grep -qF "\"path\":\"$path\"" "$folder/page" || fail "path $path is not listed"
done
for key in "$@"; do
  ends "clear of $key" 0 weir_clear --exact "$key"
done
WEIR_PREFIX='p*/'
same 'keys behind the prefix are there' prefixed "$(weir_get '*')"
ends 'clear of a prefix' 0 weir_clear
ends 'they are cleared' 1 weir_get '*'
WEIR_PREFIX=

for key in user:1 user:2 'user*' other; do echo x | weir_set "$key"; done
ends 'a star that is one' 0 weir_clear --exact 'user*'
ends 'a pattern' 0 weir_clear 'user*'
ends 'of the pattern' 1 weir_get user:2
ends 'not of the pattern' 0 weir_get other
ends 'everything' 0 weir_clear
ends 'everything is gone' 1 weir_get other

echo disk | WEIR_BACKEND=disk weir_set k
ends 'another backend' 1 weir_get k
same 'a backend' disk "$(WEIR_BACKEND=disk weir_get k)"

# ---- computing once ----

ends 'computed' 0 weir_cached c 60 compute
cmp "$folder/value" "$folder/out" || fail 'a computed value is any bytes'
ends 'kept' 0 weir_cached c 60 compute
cmp "$folder/value" "$folder/out" || fail 'a kept value is any bytes'
same 'calls' 1 "$(calls)"
silent 'kept'

jobs=
for number in 1 2 3 4 5; do
  weir_cached many 60 compute > "$folder/out.$number" &
  jobs="$jobs $!"
done
for job in $jobs; do wait "$job" || fail 'one of many'; done
for number in 1 2 3 4 5; do
  cmp "$folder/value" "$folder/out.$number" || fail "what number $number got"
done
same 'calls of many' 1 "$(calls)"

broken() {
  echo half
  return 7
}
ends 'a command that fails' 7 weir_cached broken 60 broken
same 'what it said' half "$(cat "$folder/out")"
ends 'nothing of it is kept' 1 weir_get broken
raw GET '/v1/keys/broken?lease=1ms&wait=0s' > "$folder/out"
grep -q 'with this lease' "$folder/out" || fail 'the lease is over'
same 'the next one computes' fine "$(weir_cached broken 60 echo fine)"

raw GET '/v1/keys/dead?lease=200ms' > "$folder/out"
same 'who never ends loses the lease' fine "$(weir_cached dead 60 echo fine)"
same 'and the next one has set it' fine "$(weir_get dead)"

raw GET '/v1/keys/slow?lease=1h' > "$folder/out"
same 'who waits in vain computes' mine "$(WEIR_LEASE=1 weir_cached slow 60 echo mine)"
ends 'and leaves the setting to the other' 1 weir_get slow

clears() {
  weir_clear old || :
  echo old
}
same 'cleared meanwhile' old "$(weir_cached old 60 clears)"
ends 'is not kept' 1 weir_get old

# ---- what goes wrong ----

for duration in 0 -1 soon '1 h' '5m&backend=disk' '' 00s; do
  ends "duration $duration" 2 weir_cached bad "$duration" compute
  said "duration $duration" '^weir: duration: '
done
ends 'a wrong duration' 2 weir_set bad soon < "$folder/value"
WEIR_BACKEND=nope
ends 'an unknown backend' 2 weir_cached bad 60 compute
said 'an unknown backend' '^weir: backend: there is no "nope"\|^weir: backend: there is no \\"nope'
ends 'an unknown backend' 2 weir_get bad
ends 'an unknown backend' 2 weir_set bad < "$folder/value"
ends 'an unknown backend' 2 weir_clear bad
WEIR_BACKEND=
ends 'an empty key' 2 weir_get ''
same 'calls where the call is wrong' '' "$(calls)"

head -c 2000000 /dev/zero > "$folder/value"
ends 'too large' 0 weir_cached large 60 compute
said 'too large' 'larger than the backend'
cmp "$folder/value" "$folder/out" || fail 'what is too large is printed'
ends 'too large is not kept' 1 weir_get large
calls > /dev/null

export WEIR_ADMIN="$WEIR_TEST_GUARDED_URL"
ends 'no token' 2 weir_get a
said 'no token' admin_token
export WEIR_ADMIN_TOKEN=wrong
ends 'a wrong token' 2 weir_cached a 60 compute
export WEIR_ADMIN_TOKEN="$WEIR_TEST_TOKEN"
same 'a token, by a socket' fine "$(weir_cached a 60 echo fine)"
same 'a token, by a socket' fine "$(weir_get a)"

printf gone > "$folder/value"
WEIR_ADMIN=unix:/nowhere/at/all
ends 'without Weir' 0 weir_cached a 60 compute
same 'without Weir' gone "$(cat "$folder/out")"
said 'without Weir' 'cannot be reached'
ends 'get without Weir' 1 weir_get a
ends 'set without Weir' 0 weir_set a 60 < "$folder/value"
ends 'clear without Weir' 1 weir_clear a
ends 'a command that fails without Weir' 7 weir_cached a 60 broken
WEIR_ADMIN=off
ends 'off' 0 weir_cached a 60 compute
silent off
same 'calls without Weir' 2 "$(calls)"

[ "$failures" -eq 0 ] || { echo "$failures failed" >&2; exit 1; }
echo 'all passed'
