#!/bin/sh
# Shows that the migrations of both sides deploy, verify, revert and deploy
# again. Takes two empty databases, made by roles.sql and database.sql, as
# mtp_owner reaches them:
#   sql/check.sh postgresql://mtp_owner@HOST:PORT/NAME postgresql://mtp_owner@HOST:PORT/NAME
#                (order side)                          (processing side)
set -eu

[ $# -eq 2 ] || { sed -n '2,6s/^# //p' "$0" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
export SQITCH_FULLNAME="${SQITCH_FULLNAME:-Tea Platform}" SQITCH_EMAIL="${SQITCH_EMAIL:-platform@mtp.invalid}"

run() ( # PROJECT COMMAND URI [OPTION...]
  project=$1 command=$2 uri=$3
  shift 3
  cd "$here/$project"
  output=$(sqitch "$command" "$@" "db:$uri" 2>&1) ||
    { printf '%s: %s failed\n%s\n' "$project" "$command" "$output" >&2; exit 1; }
)

check() ( # PROJECT URI
  project=$1 uri=$2
  if [ "$(psql -XAt "$uri" -c "SELECT count(*) FROM pg_namespace WHERE nspname IN ('sqitch', 'sync')")" != 0 ]; then
    echo "$project: the database is not empty; this check would revert all that is in it" >&2
    exit 1
  fi
  for round in first second; do
    run sync deploy "$uri" --verify
    run "$project" deploy "$uri" --verify
    run sync verify "$uri"
    run "$project" verify "$uri"
    [ "$round" = second ] && break
    run "$project" revert "$uri" -y
    run sync revert "$uri" -y
    left=$(psql -XAt "$uri" -c "SELECT string_agg(c.oid::regclass::text, ', ') FROM pg_class AS c
      JOIN pg_namespace AS n ON n.oid = c.relnamespace
      WHERE n.nspname NOT IN ('sqitch', 'pg_catalog', 'information_schema', 'pg_toast')")
    [ -z "$left" ] || { echo "$project: left after the revert: $left" >&2; exit 1; }
  done
  broken=$(psql -XAt "$uri" -c "SELECT count(*) FROM sync.invariant_violations()")
  [ "$broken" = 0 ] || { echo "$project: $broken invariants are broken in an empty database" >&2; exit 1; }
  echo "$project: deploy, verify, revert and deploy again are in order"
)

check order "$1"
check processing "$2"
