# shellcheck shell=bash
# Background programs of a script: started with a log each, stopped by pid, never left behind. Needs say.sh.

PROCESS_PIDS=()
PROCESS_LOGS=()
PROCESS_PID=0  # of the last one started

# process_start LOG COMMAND...: output and errors go to LOG. Should this script be killed, it is told to stop.
process_start() {
  local log=$1
  shift
  setpriv --pdeathsig TERM "$@" >"$log" 2>&1 </dev/null &
  PROCESS_PID=$!
  PROCESS_PIDS+=("$PROCESS_PID")
  PROCESS_LOGS+=("$log")
}

# process_alive PID
process_alive() { kill -0 "$1" 2>/dev/null; }

# process_stop PID: asks with SIGTERM, insists after 10 s; returns its exit status.
process_stop() {
  local status=0
  kill -TERM "$1" 2>/dev/null || true
  for _ in $(seq 100); do
    process_alive "$1" || break
    sleep 0.1
  done
  kill -KILL "$1" 2>/dev/null || true
  wait "$1" 2>/dev/null || status=$?
  return "$status"
}

# process_stop_all: the last started first.
process_stop_all() {
  local i
  for ((i = ${#PROCESS_PIDS[@]} - 1; i >= 0; --i)); do
    process_stop "${PROCESS_PIDS[i]}" || true
  done
  PROCESS_PIDS=()
}

# wait_until SECONDS PID LOG WHAT COMMAND...: until COMMAND succeeds; dies with the log's end if the process
# PID ends before that, or time is out.
wait_until() {
  local seconds=$1 pid=$2 log=$3 what=$4 tick
  shift 4
  for ((tick = 0; tick < seconds * 20; ++tick)); do
    if "$@" >/dev/null 2>&1; then return; fi
    if ! process_alive "$pid"; then
      tail -n 10 "$log" >&2
      die 8 "$what failed" "its messages are above"
    fi
    sleep 0.05
  done
  tail -n 10 "$log" >&2
  die 3 "$what: not there after $seconds s" "its messages are above"
}
