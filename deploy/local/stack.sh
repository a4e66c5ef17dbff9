# What every script of the local stack knows: where things are, which ports they have, and how to speak.
# Sourced, not run. Every setting can be given in the environment.
# shellcheck shell=bash disable=SC2034  # the scripts that source this file use the variables

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
here=$top/deploy/local

# All that a running stack keeps; `make down` and removing this folder leaves nothing behind.
var=${MTP_LOCAL_VAR:-$top/var}
bin=${MTP_LOCAL_BIN:-$top/build/release/bin}
tools=$top/build/tools
buf=$tools/node_modules/.bin/buf
postgres_bin=${MTP_LOCAL_POSTGRES_BIN:-/usr/lib/postgresql/15/bin}

database=tea_management
services=(order processing)
declare -A grpc_port=([order]=${MTP_LOCAL_ORDER_PORT:-7401}
                      [processing]=${MTP_LOCAL_PROCESSING_PORT:-7402})
declare -A metrics_port=([order]=${MTP_LOCAL_ORDER_METRICS_PORT:-7411}
                         [processing]=${MTP_LOCAL_PROCESSING_METRICS_PORT:-7412})
declare -A postgres_port=([order]=${MTP_LOCAL_ORDER_POSTGRES_PORT:-7421}
                          [processing]=${MTP_LOCAL_PROCESSING_POSTGRES_PORT:-7422})
declare -A probe_port=([order]=${MTP_LOCAL_ORDER_PROBE_PORT:-7431}
                       [processing]=${MTP_LOCAL_PROCESSING_PROBE_PORT:-7432})
declare -A peer=([order]=processing [processing]=order)

say() { printf '%s\n' "$*"; }
step() { printf '\n== %s\n' "$*"; }
fail() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; exit 1; }

# usage_of FILE: prints the comment at the head of a script.
usage_of() { sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$1"; }

port_is_taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# PostgreSQL refuses to run as root: root hands it to the system user that Debian's package made.
as_postgres() {
  if [ "$(id -u)" -eq 0 ]; then (cd / && exec runuser -u postgres -- "$@"); else "$@"; fi
}

# postgres_folder SERVICE: where the cluster of a service lives. Under var/, unless var/ lies where the system
# user cannot go (a checkout in /root).
postgres_folder() {
  local parent=$var/$1
  mkdir -p "$parent"
  if as_postgres test -x "$parent"; then
    say "$parent/postgres"
  else
    say "/var/lib/postgresql/mtp-$(printf %s "$parent" | sha256sum | cut -c1-12)"
  fi
}

# is_alive PID: whether the process runs; one that ended and that nobody has asked after yet does not.
is_alive() { [[ $(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null) == [^ZX]* ]]; }

# running_pid SERVICE: the process of a service if it runs; the program is compared, for ids are used again.
running_pid() {
  local file=$var/$1/service.pid pid
  [ -f "$file" ] || return 1
  pid=$(<"$file")
  is_alive "$pid" && [ "$(<"/proc/$pid/comm")" = "$(printf %.15s "$1_service")" ] || return 1
  say "$pid"
}
