# Sourced by the launchers beside it: finds the program, in a package's tree (MODULE.jar, lib) or in a checkout that is built.
# shellcheck shell=bash
home=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# find_program MODULE: sets jar, libraries, and archive, which archive-classes.sh makes.
find_program() {
  local module=$1
  jar=$home/$module.jar
  libraries=$home/lib
  archive=$home/$module.jsa
  if [ ! -f "$jar" ]; then
    jar=$(ls "$home/$module/target/$module"-*.jar 2>/dev/null | head -n 1)
    libraries=$home/$module/target/lib
    archive=$home/$module/target/$module.jsa
  fi
  if [ -z "$jar" ] || [ ! -d "$libraries" ]; then
    echo "$module isn't built yet: run 'mvn -q -DskipTests package' in $home first" >&2
    exit 2
  fi
}

# launch MODULE MAIN-CLASS JVM-FLAGS... -- ARGUMENTS...
# More flags may stand in HA_ARBITER_JAVA_OPTIONS; of two that say the same, Java takes the last.
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
  local jar libraries archive more
  find_program "$module"
  read -ra more <<<"${HA_ARBITER_JAVA_OPTIONS:-}"
  flags+=(${more[@]+"${more[@]}"})
  # One of another build would only be refused by the JVM, with a warning.
  if [ -n "${HA_ARBITER_ARCHIVE_TO:-}" ]; then
    flags+=("-XX:ArchiveClassesAtExit=$HA_ARBITER_ARCHIVE_TO" -Xlog:cds=error -Xlog:cds+dynamic=error)
  elif [ "$archive" -nt "$jar" ]; then
    flags+=("-XX:SharedArchiveFile=$archive" -Xlog:cds=error)
  fi
  local priority=()
  if [ -n "${niceness:-}" ] && [ "$(nice -n "$niceness" nice 2>/dev/null)" = "$niceness" ]; then
    priority=(nice -n "$niceness")
  fi
  exec ${priority[@]+"${priority[@]}"} "${JAVA_HOME:+$JAVA_HOME/bin/}java" "${flags[@]}" -cp "$jar:$libraries/*" "$main" "$@"
}
