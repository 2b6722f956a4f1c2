#!/usr/bin/env bash
# Measures. Each figure is of this machine, at this moment: compare figures of one run only.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/prepare.sh"

usage() {
  cat <<'EOF'
usage: scripts/bench.sh failover [--runs N] [--engine mysql|mariadb|redis|elasticsearch]
                                 [--fault kill|hang|partition|switchover] [--client dns|any|sentinel] [--members N] [--rate WRITES_PER_SECOND] [--wait REPLICAS]
                                 [--nodes N] [--own-dns] [--peer sentinel] [--json]
       scripts/bench.sh masters [--runs N] [--load-seconds N] [--profile fast|normal|wide] [--json]
       scripts/bench.sh idle [--engine mysql|mariadb] [--settle SECONDS] [--seconds SECONDS] [--json]
       scripts/bench.sh faults [--rounds N] [--seed S] [--story NAME]... [--engine mysql|mariadb|redis]
                               [--profile fast|normal|wide] | --list
       scripts/bench.sh site [--groups N] [--profile fast|normal|wide] [--json]
       scripts/bench.sh dns [--names N] [--seconds N] [--rounds N] [--rate QUERIES_PER_SECOND] [--only NAME,...] [--java-flags FLAGS] [--json]
       scripts/bench.sh dns --conformance [--server embedded|BIND|Knot|PowerDNS] [--packets N] [--seed N]
       scripts/bench.sh names [--runs N] [--profile fast|normal|wide] [--json]
       scripts/bench.sh simulate [--seeds N] [--from N] [--seed N]

  failover   strikes the primary of a real group N times (default 10) under load, and prints min, median, p99 and max of
             the outage that a client saw and of each phase, with acknowledged writes lost and moments with two writers; ends
             with 1 when there were any. Redis acknowledges what no replica has yet: lost writes are only counted there, unless
             clients wait for replicas (--wait 1). With --peer sentinel Redis Sentinel keeps the same servers afterwards, at
             down-after-milliseconds 5000, 1000 and 500; then each fault lasts for 10 s and the client sees its end, too
  masters    times N elections (default 10) after the start of the second master and after the death of the leader, and
             counts changes of the leader while all processors are kept busy for 180 s (--load-seconds)
  idle       prints the processor time and memory of each master and agent of a group at rest
  faults     plays faults on real groups, each host a network namespace (needs root), clients on both sides of a cut, in an
             order drawn from the seed; prints one line each and judges it by what the clients saw; ends with 1 when
             anything broke, and says where the logs of that round are. --list tells the stories
  site       loses a site with the leader of the masters and the primaries of N groups (default 50; servers in memory, agents, links,
             masters and DNS are real), and prints how long each group was without acknowledged writes
  dns        puts dnsperf on the embedded DNS server, BIND, Knot and PowerDNS in turn, each with the same zone (default 4,000 names),
             and prints queries a second, processor time a query, and latency at a fixed rate. With --conformance it sends proper,
             improper and random packets instead, lets a real BIND and a real Knot copy the zone, prints PASS or FAIL a line, and
             ends with 1 on any FAIL; --server tries the same packets on another server
  names      commits N changes (default 200) to a zone that three masters answer for themselves, and prints how long after the first of the DNS
             servers each of the others says the same: the masters', and a BIND that copies the zone
  simulate   runs the arbiter's cores through N simulated histories full of faults, and checks the invariants in each
EOF
}

command=${1:-}
[ $# -gt 0 ] && shift
case $command in
  failover | idle)
    engine=mysql
    previous=
    for argument in "$@"; do
      [ "$previous" = --engine ] && engine=$argument
      previous=$argument
    done
    need_build_tools
    "$home/scripts/install-servers.sh" "$engine" bind >&2
    build
    if [ "$command" = idle ]; then
      run_java org.haarbiter.trial.IdleBench "$@"
    else
      run_java org.haarbiter.trial.FailoverBench "$@"
    fi
    ;;
  masters)
    need_build_tools
    "$home/scripts/install-servers.sh" mariadb bind >&2
    build
    run_java org.haarbiter.trial.MastersBench "$@"
    ;;
  faults)
    engines=(mysql mariadb redis)
    previous=
    for argument in "$@"; do
      [ "$previous" = --engine ] && engines=("$argument")
      previous=$argument
    done
    need_build_tools
    "$home/scripts/install-servers.sh" "${engines[@]}" bind faketime >&2
    build
    run_java org.haarbiter.trial.FaultsBench "$@"
    ;;
  site)
    need_build_tools
    "$home/scripts/install-servers.sh" mariadb bind >&2
    build
    run_java org.haarbiter.trial.SiteLossBench "$@"
    ;;
  dns)
    bench=org.haarbiter.trial.DnsBench
    arguments=()
    for argument in "$@"; do
      if [ "$argument" = --conformance ]; then
        bench=org.haarbiter.trial.DnsConformance
      else
        arguments+=("$argument")
      fi
    done
    need_build_tools
    "$home/scripts/install-servers.sh" bind knot powerdns dnsperf >&2
    build
    run_java "$bench" ${arguments[@]+"${arguments[@]}"}
    ;;
  names)
    need_build_tools
    "$home/scripts/install-servers.sh" mariadb bind >&2
    build
    run_java org.haarbiter.trial.NamesBench "$@"
    ;;
  simulate)
    need_build_tools
    build
    # shellcheck disable=SC2034
    java_flags="-Xmx1g -XX:+UseParallelGC"
    run_java org.haarbiter.sim.Simulate "$@"
    ;;
  -h | --help | "") usage ;;
  *) die "unknown bench '$command' (see --help)" ;;
esac
