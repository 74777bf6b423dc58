#!/usr/bin/env bash
# tests/bench/play_pace.sh [BINARY_FOLDER]: does a replay keep its schedule? A recording of SECONDS_LONG
# (40) seconds with RATE (500) transactions a second, unevenly spread, played at 1x and 4x. Fails if
# a run does not end within 1 % of its schedule, starting the program included, or if the 99th
# percentile of lateness is 2 ms or more. Needs a minute of an idle machine.
set -euo pipefail
REPO=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BIN=$(cd "${1:-$REPO/build/release/bin}" && pwd)
SECONDS_LONG=${SECONDS_LONG:-40}  # below 60: a minute's seconds are counted
RATE=${RATE:-500}

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# From the first second's start to the last event exactly; between them by a generator of its own.
awk -v n="$((SECONDS_LONG * RATE))" -v span="$SECONDS_LONG" 'BEGIN {
  srand(7)
  for (i = 0; i < n; i++) {
    at = i == 0 ? 0 : i == n - 1 ? span : (i + rand() * 0.9) * span / n
    printf "{\"id\":\"%016X-00000000\",\"ts\":\"2026-03-29T00:00:%09.6fZ\",\"xid\":%d,", 4096 + 256 * i, at, 700 + i
    printf "\"op\":\"I\",\"rel\":\"public.orders\",\"key\":{\"id\":%d},\"old\":null,\"new\":{\"id\":%d}}\n", i, i
  }
}' >"$folder/lines.ndjson"
"$BIN/rtreplay" convert "$folder/lines.ndjson" -o "$folder/a.rtr" -q

status=0
for speed in 1 4; do
  begun=${EPOCHREALTIME/./}
  "$BIN/rtreplay" play "$folder/a.rtr" --to null --speed "$speed" --max-late 2ms 2>"$folder/said" || status=1
  took=$((${EPOCHREALTIME/./} - begun))
  due=$((SECONDS_LONG * 1000000 / speed))
  printf '%sx: due %d ms, took %d ms; %s\n' "$speed" $((due / 1000)) $((took / 1000)) \
    "$(grep -o 'late .*' "$folder/said" | head -n 1)"
  off=$((took > due ? took - due : due - took))
  if [ $((off * 100)) -gt "$due" ]; then
    echo "FAIL: more than 1 % off the schedule"
    status=1
  fi
done
grep 'ran late' "$folder/said" || true
exit "$status"
