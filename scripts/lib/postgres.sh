# shellcheck shell=bash
# A private PostgreSQL 15 or later: its own temporary folder, a free loopback port, an unprivileged
# user, logical decoding switched on. The system's own server, if any, is not touched. Needs say.sh.
#
#   postgres_start         sets PG_PORT, PG_DSN (no password in it), PG_PID, PG_DIR; exports PGPASSFILE
#   postgres_stop          stops it by its pid and removes the folder; call it from an EXIT trap
#   PG_OPTIONS=(-c ...)    further server options, set before postgres_start

PG_OPTIONS=()
PG_DIR=''
PG_PID=''
PG_PORT=''
# shellcheck disable=SC2034  # for who sources this
PG_DSN=''

# The newest server installed; Debian keeps it off PATH.
postgres_bindir() {
  local newest
  newest=$(find /usr/lib/postgresql -maxdepth 1 -mindepth 1 -printf '%f\n' 2>/dev/null | sort -V | tail -n 1)
  [ -x "/usr/lib/postgresql/$newest/bin/postgres" ] ||
    die 5 "there is no PostgreSQL server in /usr/lib/postgresql" "apt-get install postgresql-15"
  printf '/usr/lib/postgresql/%s/bin\n' "$newest"
}

# free_port: a loopback port nobody listens on, below the range the kernel hands to clients (32768 on).
free_port() {
  local port try
  for try in $(seq 50); do
    port=$((20000 + (RANDOM * 32768 + RANDOM + try) % 12000))
    if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
      printf '%s\n' "$port"
      return
    fi
  done
  die 5 "no free port on 127.0.0.1 between 20000 and 32000"
}

# postgres_as COMMAND...: runs it as the user the server runs as; PostgreSQL refuses to run as root.
postgres_as() {
  if [ "$(id -u)" -ne 0 ]; then
    "$@"
  else
    local user=nobody
    ! getent passwd postgres >/dev/null || user=postgres
    setpriv --reuid="$user" --regid="$(id -g "$user")" --clear-groups "$@"
  fi
}

postgres_start() {
  local bin password try
  bin=$(postgres_bindir)
  PG_DIR=$(mktemp -d "${TMPDIR:-/tmp}/realtime-pg.XXXXXX")
  password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  (umask 077 && printf '%s\n' "$password" >"$PG_DIR/password")
  if [ "$(id -u)" -eq 0 ]; then
    chown "$(postgres_as id -u)" "$PG_DIR" "$PG_DIR/password"
  fi
  (cd / && postgres_as "$bin/initdb" -D "$PG_DIR/cluster" -U postgres -A scram-sha-256 \
    --pwfile="$PG_DIR/password" -E UTF8 --locale=C.UTF-8 --no-sync) >"$PG_DIR.log" 2>&1 </dev/null || {
    tail -n 5 "$PG_DIR.log" >&2
    die 5 "initdb failed in $PG_DIR"
  }
  # libpq reads the password from here; on a command line every user of the machine could see it.
  (umask 077 && printf '127.0.0.1:*:*:postgres:%s\n' "$password" >"$PG_DIR.pass")
  export PGPASSFILE="$PG_DIR.pass"
  for try in 1 2 3 4 5; do
    PG_PORT=$(free_port)
    # shellcheck disable=SC2034
    PG_DSN="host=127.0.0.1 port=$PG_PORT user=postgres dbname=postgres"
    postgres_launch "$bin" && return
    # Lost the race for the port: another one. Anything else is a real failure.
    grep -q 'Address already in use' "$PG_DIR.log" || break
  done
  tail -n 5 "$PG_DIR.log" >&2
  die 5 "PostgreSQL did not start (try $try) in $PG_DIR"
}

# postgres_launch BINDIR: one start on PG_PORT; true once it accepts connections.
postgres_launch() {
  # If this script is killed without a chance to clean up, the server goes too (fast shutdown).
  local launch=(setpriv --pdeathsig INT)
  if [ "$(id -u)" -eq 0 ]; then
    launch+=(--reuid="$(postgres_as id -u)" --regid="$(postgres_as id -g)" --clear-groups)
  fi
  (cd / && exec "${launch[@]}" "$1/postgres" -D "$PG_DIR/cluster" -p "$PG_PORT" \
    -c listen_addresses=127.0.0.1 -c unix_socket_directories="$PG_DIR" \
    -c wal_level=logical -c max_replication_slots=20 -c max_wal_senders=20 \
    "${PG_OPTIONS[@]}") >"$PG_DIR.log" 2>&1 </dev/null &
  PG_PID=$!
  for _ in $(seq 300); do
    if "$1/pg_isready" -q -h 127.0.0.1 -p "$PG_PORT" -U postgres -d postgres; then return 0; fi
    kill -0 "$PG_PID" 2>/dev/null || break
    sleep 0.1
  done
  postgres_kill
  return 1
}

# Fast shutdown waits for clients of its replication slots; after 5 s it is immediate: all is thrown away.
postgres_kill() {
  [ -n "$PG_PID" ] || return 0
  kill -INT "$PG_PID" 2>/dev/null || true
  for _ in $(seq 50); do
    kill -0 "$PG_PID" 2>/dev/null || break
    sleep 0.1
  done
  kill -QUIT "$PG_PID" 2>/dev/null || true
  wait "$PG_PID" 2>/dev/null || true
  PG_PID=''
}

postgres_stop() {
  postgres_kill
  [ -z "$PG_DIR" ] || rm -rf "$PG_DIR" "$PG_DIR.log" "$PG_DIR.pass"
  PG_DIR=''
}
