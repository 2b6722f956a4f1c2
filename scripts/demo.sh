#!/usr/bin/env bash
# Shows the main job on real servers: three masters, a group of four database servers (or two clusters) in two sites, BIND, and a client that
# writes all the time through the DNS name. The primary is struck; the timeline, the client's outage and the acknowledged
# writes that were lost are printed. Everything runs on loopback and is taken away at the end.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/prepare.sh"

usage() {
  cat <<'EOF'
usage: scripts/demo.sh [--engine mysql|mariadb|redis|elasticsearch] [--fault kill|hang|partition|switchover]
                       [--wait REPLICAS] [--json] [--keep]

  --engine ENGINE             the servers: mysql (default), mariadb, redis, or elasticsearch, of which each member is a cluster
  --fault FAULT               kill (-9; default), hang (SIGSTOP), partition (the host cut off; needs root), or
                              switchover (none: hactl moves the primary)
  --wait REPLICAS             redis: the client waits after each write until so many replicas have it (WAIT). Without, Redis
                              acknowledges what no replica has yet, and that can be lost
  --json                      the last line is one JSON object: outage_ms, phases_ms, acked, lost, two_writers_ms
  --keep                      leave everything running, for hactl to be tried; Ctrl-C ends it
EOF
}

engine=mysql
arguments=()
while [ $# -gt 0 ]; do
  case $1 in
    --engine | --fault | --wait)
      [ $# -ge 2 ] || die "$1 needs a value (see --help)"
      [ "$1" = --engine ] && engine=$2
      arguments+=("$1" "$2")
      shift
      ;;
    --json | --keep) arguments+=("$1") ;;
    -h | --help)
      usage
      exit 0
      ;;
    *) die "unknown option $1 (see --help)" ;;
  esac
  shift
done
case $engine in mysql | mariadb | redis | elasticsearch) ;; *) die "--engine $engine: must be mysql, mariadb, redis or elasticsearch" ;; esac

need_build_tools
say "bringing the real servers"
"$home/scripts/install-servers.sh" "$engine" bind
build
run_java org.haarbiter.trial.Demo "${arguments[@]}"
