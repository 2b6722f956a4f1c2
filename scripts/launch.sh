# Sourced by the launchers beside it: finds the build, and says how to make one where there is none.
# shellcheck shell=bash
home=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# launch MODULE MAIN-CLASS JVM-FLAGS... -- ARGUMENTS...
# With $niceness set, at that priority where this user may: what decides over a database must not wait behind its load.
launch() {
  local module=$1 main=$2
  shift 2
  local flags=()
  while [ "$1" != -- ]; do
    flags+=("$1")
    shift
  done
  shift
  local jar
  jar=$(ls "$home/$module/target/$module"-*.jar 2>/dev/null | head -n 1)
  if [ -z "$jar" ] || [ ! -d "$home/$module/target/lib" ]; then
    echo "$module isn't built yet: run 'mvn -q -DskipTests package' in $home first" >&2
    exit 2
  fi
  # Made by archive-classes.sh. One of another build would only be refused by the JVM, with a warning.
  local archive=$home/$module/target/$module.jsa
  if [ -n "${HA_ARBITER_ARCHIVE_TO:-}" ]; then
    flags+=("-XX:ArchiveClassesAtExit=$HA_ARBITER_ARCHIVE_TO" -Xlog:cds=error -Xlog:cds+dynamic=error)
  elif [ "$archive" -nt "$jar" ]; then
    flags+=("-XX:SharedArchiveFile=$archive" -Xlog:cds=error)
  fi
  local priority=()
  if [ -n "${niceness:-}" ] && [ "$(nice -n "$niceness" nice 2>/dev/null)" = "$niceness" ]; then
    priority=(nice -n "$niceness")
  fi
  exec ${priority[@]+"${priority[@]}"} "${JAVA_HOME:+$JAVA_HOME/bin/}java" "${flags[@]}" -cp "$jar:$home/$module/target/lib/*" "$main" "$@"
}
