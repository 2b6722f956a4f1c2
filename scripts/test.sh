#!/usr/bin/env bash
# Runs every test: unit tests, scenarios, simulation, and the tests on real servers, which it installs. About half an hour
# on two cores. Can be run again; what it starts, it stops.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/prepare.sh"

case "${1:-}" in
  "") ;;
  -h | --help)
    echo "usage: scripts/test.sh   installs MySQL, MariaDB, Redis, Valkey, Elasticsearch, BIND, Knot, PowerDNS, HAProxy, Prometheus and clients of Redis Sentinel where they are missing, then runs every test"
    exit 0
    ;;
  *) die "unknown option $1 (scripts/test.sh takes none)" ;;
esac

need_build_tools
say "bringing the real servers"
"$home/scripts/install-servers.sh"
say "running every test (evidence of failures: */target/surefire-reports, */target/failsafe-reports)"
cd "$home"
# package comes before the tests on real servers: they start the built masters and agents, and install the packages.
mvn -B -ntp -Ppackages -DskipITs=false verify || die "tests failed: the first [ERROR] lines above name them"
if command -v docker >/dev/null && docker info >/dev/null 2>&1; then
  say "a Docker engine is here, but no test needs one: real servers run as processes"
else
  say "no Docker engine here: no test needs one, real servers run as processes"
fi
say "all tests passed"
