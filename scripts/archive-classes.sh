#!/usr/bin/env bash
# Makes the archive of classes with which a master starts faster: scripts/archive-classes.sh [FILE]
# Two of three masters elect a leader on loopback, in a directory of their own, and the first leaves its classes in FILE, or
# else where the ha-master beside this script looks for them. To be made again after each build and for each other JVM; an
# archive older than the build isn't used. demo.sh and bench.sh make it themselves when they build, the Debian package when
# it is configured.
set -euo pipefail
scripts=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
. "$scripts/launch.sh"
find_program ha-master
archive=${1:-$archive}
limit_seconds=60

work=$(mktemp -d)
masters=()
end() {
  [ "${#masters[@]}" -eq 0 ] || kill "${masters[@]}" 2>/dev/null || true
  wait
  rm -rf "$work"
}
trap end EXIT

# await PATTERN FILE...: 0 once one of the files has it, 1 where a master ended before, or the time is up.
await() {
  local pattern=$1 until=$((SECONDS + limit_seconds)) master
  shift
  until cat "$@" 2>/dev/null | grep -q "$pattern"; do
    [ "$SECONDS" -lt "$until" ] || return 1
    for master in "${masters[@]}"; do
      kill -0 "$master" 2>/dev/null || return 1
    done
    sleep 0.1
  done
}

# elect: starts both; 1 where a port was taken, or no one came to lead.
elect() {
  local port=$((20000 + RANDOM % 10000)) i
  rm -rf "${work:?}"/*
  for i in 1 2; do
    mkdir "$work/m$i"
    cat >"$work/m$i/ha-master.yaml" <<YAML
cluster-id: archive-of-classes
name: m$i
masters:
  m1: {raft: "127.0.0.1:$port", agents: "127.0.0.1:$((port + 1))", admin: "127.0.0.1:$((port + 2))"}
  m2: {raft: "127.0.0.1:$((port + 3))", agents: "127.0.0.1:$((port + 4))", admin: "127.0.0.1:$((port + 5))"}
  m3: {raft: "127.0.0.1:$((port + 6))", agents: "127.0.0.1:$((port + 7))", admin: "127.0.0.1:$((port + 8))"}
data-directory: $work/m$i/raft
audit-file: $work/m$i/switches.jsonl
YAML
  done
  masters=()
  HA_ARBITER_ARCHIVE_TO=$work/made.jsa "$scripts/ha-master" --config "$work/m1/ha-master.yaml" >"$work/m1/log" 2>&1 &
  masters+=($!)
  "$scripts/ha-master" --config "$work/m2/ha-master.yaml" >"$work/m2/log" 2>&1 &
  masters+=($!)
  await 'leading in term' "$work/m1/log" "$work/m2/log" && await 'is up' "$work/m1/log" && ask $((port + 2))
}

# ask PORT: what the admin API needs is archived as well.
ask() {
  local answer
  exec 3<>"/dev/tcp/127.0.0.1/$1"
  printf 'GET /v1/status?local=true HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3
  answer=$(timeout 20 head -n 1 <&3)
  exec 3>&-
  [[ $answer == *200* ]]
}

rm -f "$archive"
for attempt in 1 2 3; do
  if elect; then
    kill "${masters[0]}"
    wait "${masters[0]}" || true # 143: ended by the signal
    if [ -s "$work/made.jsa" ]; then
      mv "$work/made.jsa" "$archive"
      exit 0
    fi
  fi
  kill "${masters[@]}" 2>/dev/null || true
  wait
done
echo "archive-classes.sh: no archive after $attempt attempts (masters start without one, slower); the first master said:" >&2
tail -n 20 "$work/m1/log" >&2
exit 1
