#!/usr/bin/env bash
# tests/bench/play_postgres.sh [BINARY_FOLDER]: what replaying into PostgreSQL gains over a round trip
# for each transaction. One recording of one-row transactions, played at full speed into a private
# cluster, in turn with pgbench, which does the same statements and waits for each transaction's
# answer. Medians of RUNS (5) and their ratio; needs some two minutes.
set -euo pipefail
REPO=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BIN=$(cd "${1:-$REPO/build/release/bin}" && pwd)
RUNS=${RUNS:-5}
ROWS=${ROWS:-50000}
if [ -z "${RT_TEST_PG:-}" ]; then exec "$REPO/scripts/with-postgres" "$0" "$BIN"; fi

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
port=$(sed -n 's/.*port=\([0-9]*\).*/\1/p' <<<"$RT_TEST_PG")
user=$(sed -n 's/.*user=\([^ ]*\).*/\1/p' <<<"$RT_TEST_PG")
target="postgresql://${user:-postgres}@127.0.0.1:$port/target"
table="CREATE TABLE orders (id bigint PRIMARY KEY, n int, note text, price numeric, at timestamptz, data jsonb)"
row="7, 'some note of a row', 12.34, now(), '{\"a\": 1, \"b\": \"text\"}'"
sql() { psql -qAt -v ON_ERROR_STOP=1 "$@"; }
median() { sort -n | sed -n "$(((RUNS + 1) / 2))p"; }

sql "$RT_TEST_PG" -c "CREATE DATABASE target" -c "$table" -c "CREATE PUBLICATION p FOR TABLE orders"
sql "$target" -c "$table" -c "CREATE SEQUENCE numbers"
"$BIN/rtreplay" record wal --pg "$RT_TEST_PG" --publication p --slot bench -q -n "$ROWS" \
  -o "$folder/a.rtr" 2>"$folder/recorder" &
recorder=$!
until [ "$(sql "$RT_TEST_PG" -c "SELECT count(*) FROM pg_replication_slots WHERE active")" = 1 ]; do :; done
sql "$RT_TEST_PG" -c "SET synchronous_commit = off" -c \
  "DO \$\$ BEGIN FOR i IN 1..$ROWS LOOP INSERT INTO orders VALUES (i, $row); COMMIT; END LOOP; END \$\$"
wait "$recorder"

# The statements of one replayed transaction, sent together, answered before the next is sent.
cat >"$folder/together.sql" <<SQL
\\startpipeline
BEGIN;
INSERT INTO orders VALUES (nextval('numbers'), $row) ON CONFLICT (id) DO NOTHING;
UPDATE progress SET lsn = '0/1';
COMMIT;
\\endpipeline
SQL
echo "INSERT INTO orders VALUES (nextval('numbers'), $row);" >"$folder/bare.sql"
sql "$target" -c "CREATE TABLE progress (lsn pg_lsn) WITH (fillfactor = 10)" \
  -c "INSERT INTO progress VALUES ('0/0')"
round_trips() {
  sql "$target" -c "TRUNCATE orders"
  PGOPTIONS='-c synchronous_commit=off' pgbench -n -M extended -f "$folder/$1.sql" -t $((ROWS / 4)) \
    "$target" 2>/dev/null | sed -n 's/^tps = \([0-9]*\).*/\1/p'
}
replay() {
  sql "$target" -c "TRUNCATE orders"
  "$BIN/rtreplay" play "$folder/a.rtr" --to "$target" --speed max --progress-name "run$1" 2>&1 |
    sed -n 's/.*: \([0-9]*\) rows\/s.*/\1/p'
}
for run in $(seq "$RUNS"); do
  replay "$run" >>"$folder/replay"
  round_trips together >>"$folder/together"
  round_trips bare >>"$folder/bare"
done
played=$(median <"$folder/replay")
for base in together bare; do
  rate=$(median <"$folder/$base")
  printf '%-9s %7s/s   replay %7s/s   ratio %s\n' "$base" "$rate" "$played" \
    "$(awk "BEGIN {printf \"%.2f\", $played / $rate}")"
done
