# Sourced by the launchers beside it: finds the build, and says how to make one where there is none.
# shellcheck shell=bash
home=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# launch MODULE MAIN-CLASS JVM-FLAGS... -- ARGUMENTS...
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
  exec "${JAVA_HOME:+$JAVA_HOME/bin/}java" "${flags[@]}" -cp "$jar:$home/$module/target/lib/*" "$main" "$@"
}
