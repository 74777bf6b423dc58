# shellcheck shell=bash
# What a script says: numbered steps with the time since the start, on standard error.
# Sourced first by every script, so it also settles the ground they stand on.

# A bare environment (env -i, cron, a user without sbin) must do.
PATH="${PATH:+$PATH:}/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"
export PATH
if [ -z "${HOME:-}" ]; then
  HOME=$(getent passwd "$(id -u)" | cut -d: -f6)
  export HOME="${HOME:-/tmp}"
fi
export LC_ALL=C.UTF-8

SAY_PROGRAM=$(basename "$0")
SAY_STEP=0
SAY_STEPS=0
SECONDS=0

# say_steps N: how many steps there will be.
say_steps() { SAY_STEPS=$1; }

# say_step TEXT: the next step begins.
say_step() {
  SAY_STEP=$((SAY_STEP + 1))
  local bold='' plain=''
  if [ -t 2 ] && [ -z "${NO_COLOR:-}" ] && [ "${TERM:-dumb}" != dumb ]; then
    bold=$'\e[1m'
    plain=$'\e[0m'
  fi
  printf '%s[%d/%d  %d:%02d]%s %s\n' "$bold" "$SAY_STEP" "$SAY_STEPS" \
    $((SECONDS / 60)) $((SECONDS % 60)) "$plain" "$*" >&2
}

# say TEXT: a detail of the current step.
say() { printf '            %s\n' "$*" >&2; }

# die STATUS TEXT [HINT]: one line, a hint, the end.
die() {
  printf '%s: %s\n' "$SAY_PROGRAM" "$2" >&2
  [ -z "${3:-}" ] || printf 'hint: %s\n' "$3" >&2
  exit "$1"
}
