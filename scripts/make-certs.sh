#!/bin/bash
# Makes an authority of your own, and certificates and tokens for masters, agents, people and programs, with openssl.
# For a first set-up; a company's own authority does as well (docs/security.md says what a certificate must name).
set -euo pipefail

usage() {
    cat <<'USAGE'
usage: make-certs.sh [--dir DIR] [--days N] WHAT

  ca                                 an authority: ca.crt, and ca.key, which belongs on no server
  master NAME HOST...                of one master: NAME as in 'masters', HOST: each address or name that its addresses have
  agent GROUP MEMBER HOST...         of one agent: HOST: that of its 'agent-address', and of 'address' where copies are made
  person NAME [UNIT]                 of a person or a program at the admin port; UNIT: a team that has a role ('OU=UNIT')
  token NAME viewer|operator|admin   a token: NAME.token for who uses it, and the line that goes into the masters' tokens-file

  --dir DIR   where the files are (default: ./ha-arbiter-certs); only its owner can read it
  --days N    how long a certificate is valid (default: 397, the authority 3650)

Nothing is overwritten: to renew a certificate, move its old files away first, and put the new ones in the place of those in
use. Masters, agents and the admin port take them without a restart.
USAGE
}

fail() {
    echo "make-certs.sh: $*" >&2
    exit 2
}

dir=./ha-arbiter-certs
days=
while [[ ${1-} == --* ]]; do
    case $1 in
        --dir) dir=${2:?--dir needs a directory}; shift 2 ;;
        --days) days=${2:?--days needs a number}; shift 2 ;;
        --help) usage; exit ;;
        *) fail "'$1' isn't an option (see --help)" ;;
    esac
done
[[ -z $days || $days =~ ^[1-9][0-9]{0,4}$ ]] || fail "--days: '$days' (must be 1 to 99999)"
command -v openssl >/dev/null || fail "openssl isn't there (apt-get install openssl)"

umask 077
mkdir -p "$dir"
chmod 700 "$dir"

# As the settings take them.
named() {
    [[ $2 =~ ^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$ ]] || fail "$1: '$2' (must be 1 to 63 letters, digits, '.', '_' or '-')"
}

absent() {
    local file
    for file; do
        [[ ! -e $file ]] || fail "$file is there already (nothing is overwritten: move it away first)"
    done
}

# hosts HOST...: as subject alternative names
hosts() {
    local host names=
    [[ $# -gt 0 ]] || fail "which HOST? (see --help)"
    for host; do
        if [[ $host =~ ^[0-9]+(\.[0-9]+){3}$ || $host == *:* ]]; then
            names+=",IP:$host"
        elif [[ $host =~ ^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$ ]]; then
            names+=",DNS:$host"
        else
            fail "HOST: '$host' (must be an address or a name, without a port)"
        fi
    done
    echo "$names"
}

# issue FILE SUBJECT ALTERNATIVE-NAMES USES
issue() {
    local file=$dir/$1
    [[ -e $dir/ca.key ]] || fail "$dir/ca.key is missing: run '$0 --dir $dir ca' first"
    absent "$file.crt" "$file.key"
    local work
    work=$(mktemp -d)
    # shellcheck disable=SC2064
    trap "rm -rf '$work'" EXIT
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$work/key" 2>/dev/null
    openssl req -new -key "$work/key" -subj "$2" -out "$work/csr"
    {
        echo "basicConstraints=critical,CA:false"
        echo "keyUsage=critical,digitalSignature"
        echo "extendedKeyUsage=$4"
        echo "subjectAltName=$3"
    } >"$work/extensions"
    openssl x509 -req -in "$work/csr" -CA "$dir/ca.crt" -CAkey "$dir/ca.key" -set_serial "0x$(openssl rand -hex 16)" \
        -days "${days:-397}" -sha256 -extfile "$work/extensions" -out "$work/crt" 2>/dev/null
    cp "$work/key" "$file.key"
    cp "$work/crt" "$file.crt"
    chmod 600 "$file.key"
    chmod 644 "$file.crt"
    echo "$file.crt names $3, and ends on $(openssl x509 -in "$file.crt" -noout -enddate | cut -d= -f2)"
}

case ${1-} in
    ca)
        absent "$dir/ca.crt" "$dir/ca.key"
        openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$dir/ca.key" 2>/dev/null
        openssl req -x509 -new -key "$dir/ca.key" -days "${days:-3650}" -sha256 -subj "/CN=HA Arbiter authority" \
            -addext "basicConstraints=critical,CA:true,pathlen:0" -addext "keyUsage=critical,keyCertSign,cRLSign" \
            -out "$dir/ca.crt"
        chmod 600 "$dir/ca.key"
        chmod 644 "$dir/ca.crt"
        cat <<NEXT
The authority is $dir/ca.crt. Next:
  - '$0 --dir $dir master NAME HOST' for each master, 'agent GROUP MEMBER HOST' for each
    agent, 'person NAME' for each who uses hactl
  - copy ca.crt to every host, ca.key to none: whoever has it can be anybody. Keep it off line.
NEXT
        ;;
    master)
        [[ $# -ge 3 ]] || fail "master needs NAME and HOST (see --help)"
        named NAME "$2"
        issue "master-$2" "/CN=$2" "URI:ha-arbiter://master/$2$(hosts "${@:3}")" serverAuth,clientAuth
        cat <<NEXT
Next: on that master's host, readable by the user ha-master runs as (the key by nobody else):
  tls: {certificate: .../master-$2.crt, key: .../master-$2.key, ca: .../ca.crt}
NEXT
        ;;
    agent)
        [[ $# -ge 4 ]] || fail "agent needs GROUP, MEMBER and HOST (see --help)"
        named GROUP "$2"
        named MEMBER "$3"
        issue "agent-$2-$3" "/CN=$3" "URI:ha-arbiter://agent/$2/$3$(hosts "${@:4}")" serverAuth,clientAuth
        cat <<NEXT
Next: on that agent's host, readable by the user ha-agent runs as (the key by nobody else):
  tls: {certificate: .../agent-$2-$3.crt, key: .../agent-$2-$3.key, ca: .../ca.crt}
NEXT
        ;;
    person)
        [[ $# -eq 2 || $# -eq 3 ]] || fail "person needs NAME (see --help)"
        named NAME "$2"
        [[ $# -eq 2 ]] || named UNIT "$3"
        issue "person-$2" "${3:+/OU=$3}/CN=$2" "DNS:$2" clientAuth
        cat <<NEXT
Next: a role in every master's settings, such as  access: {certificates: {$2: operator}}
and in $2's ~/.config/ha-arbiter/hactl.yaml:
  masters: ["HOST:PORT", ...]
  ca: .../ca.crt
  certificate: .../person-$2.crt
  key: .../person-$2.key
NEXT
        ;;
    token)
        [[ $# -eq 3 ]] || fail "token needs NAME and a role (see --help)"
        named NAME "$2"
        [[ $3 == viewer || $3 == operator || $3 == admin ]] || fail "role: '$3' (must be viewer, operator or admin)"
        absent "$dir/$2.token"
        openssl rand -hex 32 | tr -d '\n' >"$dir/$2.token"
        chmod 600 "$dir/$2.token"
        cat <<NEXT
$dir/$2.token holds the token: give it to $2 (hactl --token-file), and delete it here. Add this line to every master's tokens-file,
which nobody but ha-master's user can read (chmod 600); it counts within a second:
$2 $3 $(openssl dgst -sha256 -r "$dir/$2.token" | cut -d' ' -f1)
NEXT
        ;;
    "" | help) usage ;;
    *) fail "'$1' isn't known (see --help)" ;;
esac
