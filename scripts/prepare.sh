# Sourced by demo.sh, test.sh and bench.sh: what they need before they can begin.
# shellcheck shell=bash
home=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { echo "==> $*"; }
die() {
  echo "$(basename "$0"): $*" >&2
  exit 1
}

# need_build_tools: Java 17 or newer and Maven 3.8 or newer, installed where they are missing and that is possible.
need_build_tools() {
  local missing=()
  command -v javac >/dev/null || missing+=(openjdk-17-jdk-headless)
  command -v mvn >/dev/null || missing+=(maven)
  if [ "${#missing[@]}" -gt 0 ]; then
    say "installing ${missing[*]}"
    local root=()
    if [ "$(id -u)" -ne 0 ]; then
      command -v sudo >/dev/null || die "${missing[*]} must be installed, which needs root or sudo: run 'apt-get install ${missing[*]}' as root, then this again"
      root=(sudo)
    fi
    "${root[@]}" apt-get update -q >/dev/null &&
      "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -yq --no-install-recommends "${missing[@]}" >/dev/null ||
      die "can't install ${missing[*]}: install Java 17 (JDK) and Maven 3.8 by hand, then run this again"
  fi
  local version
  version=$(javac -version 2>&1 | sed -n 's/^javac \([0-9]*\).*/\1/p')
  [ "${version:-0}" -ge 17 ] || die "javac is version ${version:-unknown}, 17 or newer is needed: install a JDK 17 and set JAVA_HOME and PATH to it"
}

# build: all modules without their tests; quick when nothing changed.
build() {
  local stamp=$home/target/.built
  if [ -e "$stamp" ] && [ -z "$(find "$home" -name target -prune -o \( -name '*.java' -o -name 'pom.xml' -o -name '*.proto' -o -path '*/src/*/resources/*' \) -newer "$stamp" -print -quit)" ]; then
    return
  fi
  say "building (the first time Maven downloads the libraries)"
  local log
  log=$(mktemp)
  (cd "$home" && mvn -B -q -DskipTests -Dspotless.check.skip package) >"$log" 2>&1 || {
    tail -n 40 "$log" >&2
    die "the build failed; the whole of its output is in $log"
  }
  rm -f "$log"
  # Masters start without it too, only slower; what went wrong has been said.
  "$home/scripts/archive-classes.sh" || true
  mkdir -p "$home/target"
  touch "$stamp"
}

# run_java MAIN-CLASS ARGUMENTS...: a program of integration-tests, with the flags in $java_flags or small ones: it shares the
# processors with the servers that it measures.
run_java() {
  local main=$1
  shift
  local jar
  jar=$(ls "$home"/integration-tests/target/integration-tests-*.jar | head -n 1)
  (cd "$home" && exec "${JAVA_HOME:+$JAVA_HOME/bin/}java" ${java_flags:--Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1} -cp "$jar:$home/integration-tests/target/lib/*" "$main" "$@")
}
