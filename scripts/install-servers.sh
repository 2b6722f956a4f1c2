#!/usr/bin/env bash
# Brings the real servers that the demo, the benchmarks and the integration tests start: MySQL, MariaDB, Redis, Elasticsearch, BIND,
# Knot DNS, PowerDNS, HAProxy, Prometheus with its Alertmanager, the clients of other ecosystems that the tests run, and the few programs that the lab needs besides. Run it again at will: what is there is left alone, without network.
#
#   scripts/install-servers.sh [mysql] [mariadb] [redis] [redis-newest] [elasticsearch] [bind] [knot] [powerdns] [haproxy] [prometheus] [clients] [faketime] [dnsperf]   (default: all but the last two)
#
# What you already have is used: a server named by HA_MYSQLD, HA_MARIADBD, HA_REDIS_SERVER, HA_NAMED, HA_KNOTD, HA_PDNS_SERVER or HA_HAPROXY, or found
# on PATH, when it is new enough (MySQL 8.4, MariaDB 10.11, Redis 7.0, Knot 3.0, PowerDNS 4.3, HAProxy 2.4), and the Elasticsearch 8.0 or newer in the directory HA_ELASTICSEARCH.
# MySQL, the newest Redis with Valkey, and Elasticsearch go into directories of their own and don't touch the system:
#   ${HA_SERVERS_DIR:-$HOME/.cache/ha-arbiter}/mysql, .../redis-newest, .../elasticsearch
# The first two come from Debian's unstable suite, through the mirror that this machine's apt already uses (or HA_DEBIAN_MIRROR),
# Elasticsearch from Maven Central, through the machine's Maven: the build that Elastic publishes for tests, without what costs a licence.
# MariaDB, Redis, BIND, Knot, PowerDNS, HAProxy and Prometheus are ordinary Debian packages; their services are not started. Of the clients, redis-py is one, too;
# ioredis comes from the npm registry into ${HA_SERVERS_DIR:-$HOME/.cache/ha-arbiter}/clients, with the Node.js that is here or Debian's.
# Nothing is downloaded twice; removing that directory is all there is to undo for these and ioredis.
set -euo pipefail

home=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
servers_dir=${HA_SERVERS_DIR:-$HOME/.cache/ha-arbiter}
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
path_with_sbin=$PATH:/usr/local/sbin:/usr/sbin:/sbin

say() { printf 'install-servers: %s\n' "$*"; }
fail() {
  printf 'install-servers: %s\n' "$*" >&2
  exit 1
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    fail "'$1' needs root. Run this script as root, or install sudo."
  fi
}

on_path() { PATH=$path_with_sbin command -v "$1"; }

# at_least 10.11.19 10.11: is the first version the same as, or newer than, the second?
at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

# The version that a server program prints of itself, "10.11.19" or "9.7.4"; empty when it doesn't run.
version_of() { "$1" --version 2>/dev/null | sed -nE 's/.*[Vv]er ([0-9]+(\.[0-9]+)+).*/\1/p' | head -n 1; }

is_mariadb() { "$1" --version 2>/dev/null | grep -qi mariadb; }

mysql_good() { [ -x "$1" ] && ! is_mariadb "$1" && at_least "$(version_of "$1")" 8.4; }
mariadb_good() { [ -x "$1" ] && is_mariadb "$1" && at_least "$(version_of "$1")" 10.11; }
# Redis says "Redis server v=7.0.15 sha=...", Valkey "Valkey server v=8.0.1 ...".
redis_good() {
  [ -x "$1" ] && at_least "$("$1" --version 2>/dev/null | sed -nE 's/^(Redis|Valkey) server v=([0-9]+(\.[0-9]+)+).*/\2/p')" 7.0
}
new_redis_good() { redis_good "$1" && at_least "$("$1" --version 2>/dev/null | sed -nE 's/^Redis server v=([0-9]+(\.[0-9]+)+).*/\1/p')" 8.0; }
valkey_good() { redis_good "$1" && "$1" --version 2>/dev/null | grep -q '^Valkey'; }
named_good() { [ -x "$1" ] && "$1" -v 2>/dev/null | grep -q '^BIND 9'; }
knotd_good() { [ -x "$1" ] && at_least "$("$1" --version 2>/dev/null | sed -nE 's/.*Knot DNS\), version ([0-9]+(\.[0-9]+)+).*/\1/p')" 3.0; }
# It says so on standard error, between other lines.
pdns_good() { [ -x "$1" ] && at_least "$("$1" --version 2>&1 | sed -nE 's/.*PowerDNS Authoritative Server ([0-9]+(\.[0-9]+)+).*/\1/p')" 4.3; }

haproxy_good() { [ -x "$1" ] && at_least "$("$1" -v 2>/dev/null | sed -nE 's/^HAProxy version ([0-9]+(\.[0-9]+)+).*/\1/p')" 2.4; }

# Its version without a start of it: the name of its own jar.
elasticsearch_version() {
  local jar
  jar=$(compgen -G "$1/lib/elasticsearch-[0-9]*.jar" | head -n 1) || true
  jar=${jar##*/elasticsearch-}
  printf '%s' "${jar%.jar}"
}
elasticsearch_good() { [ -x "$1/bin/elasticsearch" ] && at_least "$(elasticsearch_version "$1")" 8.0; }

# present CHECK VARIABLE NAME CANDIDATE...: says where the server is when one passes its check.
present() {
  local check=$1 variable=$2 name=$3 given=${!2:-} candidate
  shift 3
  if [ -n "$given" ]; then
    "$check" "$given" || fail "$variable is $given, which is not a usable $name (must be ${kind:-an executable}$(needed "$name")). Correct it or unset it."
    say "$name: $given (from $variable)"
    return 0
  fi
  for candidate in "$@"; do
    if [ -n "$candidate" ] && "$check" "$candidate"; then
      say "$name: $candidate"
      return 0
    fi
  done
  return 1
}

needed() {
  case $1 in
    MySQL) printf ', MySQL 8.4 or newer' ;;
    MariaDB) printf ', MariaDB 10.11 or newer' ;;
    Redis) printf ', Redis 7.0 or newer, or Valkey' ;;
    'new Redis') printf ', Redis 8.0 or newer' ;;
    Valkey) printf ', Valkey' ;;
    Elasticsearch) printf ', Elasticsearch 8.0 or newer' ;;
    Knot) printf ', Knot DNS 3.0 or newer' ;;
    PowerDNS) printf ', the authoritative server of PowerDNS 4.3 or newer' ;;
    HAProxy) printf ', HAProxy 2.4 or newer' ;;
    *) printf ', BIND 9' ;;
  esac
}

# Debian packages start their service as they are installed, unless policy-rc.d says no.
policy=/usr/sbin/policy-rc.d
policy_is_ours=no
forbid_services() {
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod 755 "$policy"
    policy_is_ours=yes
  elif [ "$(as_root "$policy" mariadb start >/dev/null 2>&1; echo $?)" -ne 101 ]; then
    as_root mv "$policy" "$policy.before-ha-arbiter"
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod 755 "$policy"
    policy_is_ours=replaced
  fi
}
restore_services() {
  case $policy_is_ours in
    yes) as_root rm -f "$policy" ;;
    replaced) as_root mv "$policy.before-ha-arbiter" "$policy" ;;
  esac
  policy_is_ours=no
}

lists_are_fresh=no
apt_install() {
  command -v apt-get >/dev/null ||
    fail "this machine has no apt-get, so it can't install $*. Install them by hand and run this script again."
  if [ "$lists_are_fresh" = no ]; then
    as_root apt-get update -qq || fail "apt-get update failed. Check the machine's network and /etc/apt, then run this script again."
    lists_are_fresh=yes
  fi
  forbid_services
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null ||
    fail "apt-get install $* failed. Run 'apt-get install $*' to see why, then run this script again."
  restore_services
}

# The mirror that apt uses on this machine for Debian itself, in either of the two formats of its sources.
machines_mirror() {
  local found
  found=$(cat /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list.d/*.sources 2>/dev/null |
    sed -n 's/^URIs: *\([^ ]*\).*/\1/p' | grep '/debian/*$' | head -n 1) || true
  if [ -z "$found" ]; then
    found=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null |
      sed -nE 's/^deb +(\[[^]]*\] +)?([^ ]+).*/\2/p' | grep '/debian/*$' | head -n 1) || true
  fi
  printf '%s' "$found"
}

# unpack_from_sid NAME DIRECTORY PACKAGE,...: brings packages of Debian's unstable suite into $servers_dir/DIRECTORY.building, without
# installing anything; $building is that directory then, $loader the dynamic loader in it.
unpack_from_sid() {
  local name=$1 mirror
  mirror=${HA_DEBIAN_MIRROR:-$(machines_mirror)}
  [ -n "$mirror" ] ||
    fail "no Debian mirror in /etc/apt, so $name can't be brought. Set HA_DEBIAN_MIRROR to one, or $(variable_of "$name") to a server of your own$(needed "$name")."
  command -v mmdebstrap >/dev/null || apt_install mmdebstrap
  [ -e "$keyring" ] || apt_install debian-archive-keyring
  say "$name: unpacking it into $servers_dir/$2 (about 10 s)"
  mkdir -p "$servers_dir"
  building=$servers_dir/$2.building
  as_root rm -rf "$building"
  # Check-Valid-Until: the release file of unstable is valid for a week only, a mirror's copy may be older.
  as_root mmdebstrap --quiet --variant=extract --aptopt='Acquire::Check-Valid-Until "false"' \
    --include="$3" sid "$building" "deb [signed-by=$keyring] $mirror sid main" ||
    fail "mmdebstrap couldn't bring $name from the machine's Debian mirror. Check the network, or set $(variable_of "$name") to a server of your own$(needed "$name")."
  as_root chown -R "$(id -u):$(id -g)" "$building"
  loader=$(cd "$building" && find usr/lib usr/lib64 -maxdepth 1 -name 'ld-linux-*.so.*' 2>/dev/null | head -n 1)
  [ -n "$loader" ] || fail "no dynamic loader in $building: the unpacked $name can't run. Set $(variable_of "$name") to a server of your own."
  mkdir -p "$building/bin"
}

variable_of() {
  case $1 in
    MySQL) printf HA_MYSQLD ;;
    Valkey) printf HA_VALKEY_SERVER ;;
    *) printf HA_NEW_REDIS_SERVER ;;
  esac
}

install_mysql() {
  local prefix=$servers_dir/mysql loader building
  present mysql_good HA_MYSQLD MySQL "$prefix/bin/mysqld" "$(on_path mysqld || true)" && return
  unpack_from_sid MySQL mysql mysql-server-core,mysql-client-core
  # The prefix has its own C library, so each program is started through the prefix's own loader. exec keeps the pid.
  write_wrapper "$building/bin/mysqld" "$loader" usr/sbin/mysqld \
    '--lc-messages-dir="$prefix/usr/share/mysql" --character-sets-dir="$prefix/usr/share/mysql/charsets" --plugin-dir="$prefix/usr/lib/mysql/plugin"'
  write_wrapper "$building/bin/mysql" "$loader" usr/bin/mysql ''
  write_wrapper "$building/bin/mysqlbinlog" "$loader" usr/bin/mysqlbinlog ''
  rm -rf "$prefix"
  mv "$building" "$prefix"
  present mysql_good HA_MYSQLD MySQL "$prefix/bin/mysqld" ||
    fail "$prefix/bin/mysqld is there but doesn't say that it is MySQL 8.4 or newer. Run it with --version to see why."
}

# What a distribution calls redis-server is years old; the engine is tested on the newest as well, and on Valkey.
install_redis_newest() {
  local prefix=$servers_dir/redis-newest loader building
  if present new_redis_good HA_NEW_REDIS_SERVER 'new Redis' "$prefix/bin/redis-server" &&
    present valkey_good HA_VALKEY_SERVER Valkey "$prefix/bin/valkey-server" "$(on_path valkey-server || true)"; then
    return
  fi
  unpack_from_sid 'new Redis' redis-newest redis-server,valkey-server,systemd-standalone-tmpfiles,systemd-standalone-sysusers
  write_wrapper "$building/bin/redis-server" "$loader" usr/bin/redis-server ''
  write_wrapper "$building/bin/valkey-server" "$loader" usr/bin/valkey-server ''
  rm -rf "$prefix"
  mv "$building" "$prefix"
  present new_redis_good HA_NEW_REDIS_SERVER 'new Redis' "$prefix/bin/redis-server" ||
    fail "$prefix/bin/redis-server is there but doesn't say that it is Redis 8.0 or newer. Run it with --version to see why."
  present valkey_good HA_VALKEY_SERVER Valkey "$prefix/bin/valkey-server" ||
    fail "$prefix/bin/valkey-server is there but doesn't say that it is Valkey. Run it with --version to see why."
}

write_wrapper() {
  cat >"$1" <<WRAPPER
#!/bin/sh
prefix=\$(dirname "\$(dirname "\$(readlink -f "\$0")")")
exec "\$prefix/$2" --library-path "\$(echo "\$prefix"/usr/lib/*-linux-gnu)" "\$prefix/$3" "\$@" $4
WRAPPER
  chmod 755 "$1"
}

elasticsearch=8.19.21
install_elasticsearch() {
  local prefix=$servers_dir/elasticsearch building=$servers_dir/elasticsearch.building kind='a directory with bin/elasticsearch'
  present elasticsearch_good HA_ELASTICSEARCH Elasticsearch "$prefix" && return
  command -v mvn >/dev/null ||
    fail "no 'mvn' on the PATH, so Elasticsearch can't be brought. Install Maven, or set HA_ELASTICSEARCH to a directory of your own$(needed Elasticsearch)."
  say "Elasticsearch: unpacking it into $prefix (107 MB)"
  rm -rf "$building"
  mkdir -p "$building"
  # Outside of this project: its settings are no concern of a download.
  (cd "$building" && mvn -B -q -ntp -Dstyle.color=never org.apache.maven.plugins:maven-dependency-plugin:3.9.0:unpack -DoutputDirectory="$building" \
    -Dartifact="org.elasticsearch.distribution.integ-test-zip:elasticsearch:$elasticsearch:zip") ||
    fail "Maven couldn't bring Elasticsearch $elasticsearch. Check the network and the repositories in ~/.m2/settings.xml, or set HA_ELASTICSEARCH to a directory of your own$(needed Elasticsearch)."
  # It refuses to run as root, so another user reads it.
  chmod -R a+rX "$building"
  rm -rf "$prefix"
  mv "$building/elasticsearch-$elasticsearch" "$prefix"
  rm -rf "$building"
  present elasticsearch_good HA_ELASTICSEARCH Elasticsearch "$prefix" ||
    fail "$prefix is there but isn't Elasticsearch 8.0 or newer. Remove it and run this script again."
}

install_mariadb() {
  if ! present mariadb_good HA_MARIADBD MariaDB "$(on_path mariadbd || true)"; then
    say "MariaDB: installing the Debian packages"
    apt_install mariadb-server mariadb-backup
    present mariadb_good HA_MARIADBD MariaDB "$(on_path mariadbd || true)" ||
      fail "the package mariadb-server of this distribution isn't MariaDB 10.11 or newer. Set HA_MARIADBD to a mariadbd that is."
  fi
  # A server given by HA_MARIADBD has its programs beside it.
  [ -n "${HA_MARIADBD:-}" ] || on_path mariadb-backup >/dev/null || apt_install mariadb-backup
}

install_redis() {
  present redis_good HA_REDIS_SERVER Redis "$(on_path redis-server || true)" "$(on_path valkey-server || true)" && return
  say "Redis: installing the Debian package"
  apt_install redis-server
  present redis_good HA_REDIS_SERVER Redis "$(on_path redis-server || true)" ||
    fail "the package redis-server of this distribution isn't Redis 7.0 or newer. Set HA_REDIS_SERVER to a redis-server that is."
}

install_bind() {
  if ! present named_good HA_NAMED BIND "$(on_path named || true)"; then
    say "BIND: installing the Debian packages"
    apt_install bind9 bind9-dnsutils
    present named_good HA_NAMED BIND "$(on_path named || true)" ||
      fail "no named on the PATH after installing bind9. Set HA_NAMED to one."
  fi
  on_path nsupdate >/dev/null || apt_install bind9-dnsutils
}

install_knot() {
  present knotd_good HA_KNOTD Knot "$(on_path knotd || true)" && return
  say "Knot: installing the Debian package"
  apt_install knot
  present knotd_good HA_KNOTD Knot "$(on_path knotd || true)" ||
    fail "the package knot of this distribution isn't Knot DNS 3.0 or newer. Set HA_KNOTD to a knotd that is."
}

install_powerdns() {
  local missing=()
  if ! present pdns_good HA_PDNS_SERVER PowerDNS "$(on_path pdns_server || true)"; then
    say "PowerDNS: installing the Debian packages"
    apt_install pdns-server pdns-backend-sqlite3
    present pdns_good HA_PDNS_SERVER PowerDNS "$(on_path pdns_server || true)" ||
      fail "the package pdns-server of this distribution isn't PowerDNS 4.3 or newer. Set HA_PDNS_SERVER to a pdns_server that is."
  fi
  # The tests make its database with them.
  [ -r /usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql ] || missing+=(pdns-backend-sqlite3)
  on_path sqlite3 >/dev/null || missing+=(sqlite3)
  [ ${#missing[@]} -eq 0 ] || apt_install "${missing[@]}"
}

install_haproxy() {
  present haproxy_good HA_HAPROXY HAProxy "$(on_path haproxy || true)" && return
  say "HAProxy: installing the Debian package"
  apt_install haproxy
  present haproxy_good HA_HAPROXY HAProxy "$(on_path haproxy || true)" ||
    fail "the package haproxy of this distribution isn't HAProxy 2.4 or newer. Set HA_HAPROXY to a haproxy that is."
}

# Four programs, which two packages hold: the server, what checks its rules, the Alertmanager, and what checks that one's settings.
install_prometheus() {
  local program missing=()
  on_path prometheus >/dev/null && on_path promtool >/dev/null || missing+=(prometheus)
  on_path prometheus-alertmanager >/dev/null && on_path amtool >/dev/null || missing+=(prometheus-alertmanager)
  if [ ${#missing[@]} -gt 0 ]; then
    say "Prometheus: installing the Debian packages ${missing[*]}"
    apt_install "${missing[@]}"
  fi
  for program in prometheus promtool prometheus-alertmanager amtool; do
    on_path "$program" >/dev/null || fail "no $program on the PATH after installing prometheus and prometheus-alertmanager."
  done
}

install_clients() {
  local source=$home/integration-tests/src/test/clients target=$servers_dir/clients
  /usr/bin/python3 -c 'import redis.sentinel' 2>/dev/null || apt_install python3-redis
  on_path node >/dev/null || apt_install nodejs
  if cmp -s "$source/package-lock.json" "$target/installed.json"; then
    say "clients: $target"
    return
  fi
  on_path npm >/dev/null || apt_install npm
  say "clients: installing ioredis into $target"
  rm -rf "$target"
  mkdir -p "$target"
  cp "$source/package.json" "$source/package-lock.json" "$target/"
  (cd "$target" && npm ci --silent --ignore-scripts --no-audit --no-fund >/dev/null) ||
    fail "npm ci failed in $target. Run it there to see why (it needs the npm registry), then run this script again."
  cp "$source/package-lock.json" "$target/installed.json"
}

# A wall clock of its own for one process: bench.sh faults only.
install_faketime() {
  [ -z "${HA_LIBFAKETIME:-}" ] || [ -r "$HA_LIBFAKETIME" ] ||
    fail "HA_LIBFAKETIME is $HA_LIBFAKETIME, which can't be read. Correct it or unset it."
  [ -n "${HA_LIBFAKETIME:-}" ] || compgen -G '/usr/lib/*-linux-gnu*/faketime/libfaketime.so.1' >/dev/null || apt_install libfaketime
}

# Queries for a DNS server by the hundred thousand: bench.sh dns only.
install_dnsperf() {
  on_path dnsperf >/dev/null || apt_install dnsperf
}

install_tools() {
  local wanted=()
  on_path ip >/dev/null || wanted+=(iproute2)
  on_path nft >/dev/null || wanted+=(nftables)
  on_path ps >/dev/null || wanted+=(procps)
  on_path mkfs.ext4 >/dev/null || wanted+=(e2fsprogs)
  [ ${#wanted[@]} -eq 0 ] || apt_install "${wanted[@]}"
}

trap restore_services EXIT

[ "$(uname -s)" = Linux ] || fail "this is $(uname -s); the servers are run on Linux only."
[ $# -gt 0 ] || set -- mysql mariadb redis redis-newest elasticsearch bind knot powerdns haproxy prometheus clients
for what in "$@"; do
  case $what in
    mysql | mariadb | redis | redis-newest | elasticsearch | bind | knot | powerdns | haproxy | prometheus | clients | faketime | dnsperf) ;;
    *) fail "'$what' is not known (must be mysql, mariadb, redis, redis-newest, elasticsearch, bind, knot, powerdns, haproxy, prometheus, clients, faketime or dnsperf)." ;;
  esac
done
for what in "$@"; do
  "install_${what//-/_}"
done
install_tools
say "all there"
