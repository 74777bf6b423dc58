# shellcheck shell=bash
# Configures and builds one preset. Needs say.sh, and REPO set to the root of the checkout.

# build_jobs: compilers at a time: one a core, and 1.5 GiB of memory each (Beast and CLI11 need it).
build_jobs() {
  local cores memory_kib jobs
  cores=$(nproc)
  memory_kib=$(awk '/^MemAvailable:/ {print $2}' /proc/meminfo)
  jobs=$((memory_kib / 1572864))
  [ "$jobs" -ge 1 ] || jobs=1
  [ "$jobs" -le "$cores" ] || jobs=$cores
  printf '%s\n' "$jobs"
}

# build_preset PRESET [-DNAME=VALUE]... [-- TARGET...]
build_preset() {
  local preset=$1 log
  shift
  local options=() targets=()
  while [ $# -gt 0 ] && [ "$1" != -- ]; do
    options+=("$1")
    shift
  done
  [ $# -eq 0 ] || { shift; targets=("$@"); }
  mkdir -p "$REPO/build/$preset" 2>/dev/null || true
  [ -w "$REPO/build/$preset" ] ||
    die 5 "cannot write $REPO/build/$preset" "sudo chown -R $(id -un) '$REPO/build'"
  log="$REPO/build/$preset/configure.log"
  (cd "$REPO" && cmake --preset "$preset" "${options[@]}") >"$log" 2>&1 </dev/null || {
    tail -n 30 "$log" >&2
    die 5 "cmake could not configure preset $preset" "the whole log is in $log"
  }
  # %f of %t edges done, %es since the start: progress on a terminal and in a log alike.
  NINJA_STATUS='            [%f/%t %es] ' \
    ninja -C "$REPO/build/$preset" -j "$(build_jobs)" "${targets[@]}" >&2 </dev/null ||
    die 8 "the build of preset $preset failed" "see the compiler's message above"
}
