# shellcheck shell=bash
# Installs what is missing of packages.txt. Needs say.sh.

PACKAGES_FILE="$(dirname "${BASH_SOURCE[0]}")/../packages.txt"

# packages_missing SECTION...: names of the sections' packages that are not installed.
packages_missing() {
  local section package wanted=()
  while read -r section package _; do
    case " $* " in *" $section "*) wanted+=("$package") ;; esac
  done < <(grep -v '^ *#' "$PACKAGES_FILE")
  # "ii" is wanted and installed; a package dpkg never heard of is an error line, hence missing too.
  local installed
  installed=$(dpkg-query -W -f '${db:Status-Abbrev}|${Package}|\n' "${wanted[@]}" 2>/dev/null || true)
  for package in "${wanted[@]}"; do
    case $installed in *"ii |$package|"*) ;; *) printf '%s\n' "$package" ;; esac
  done
}

# packages_ensure SECTION...: installs the missing ones, as root or with sudo; says why it cannot.
packages_ensure() {
  local missing command
  command -v dpkg-query >/dev/null ||
    die 5 "this is not a Debian system: no dpkg-query" "install what scripts/packages.txt lists by hand, then use cmake --preset release"
  mapfile -t missing < <(packages_missing "$@")
  if [ ${#missing[@]} -eq 0 ]; then
    say "all packages are there"
    return
  fi
  say "installing ${#missing[@]}: ${missing[*]}"
  command=(env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300)
  if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
      die 5 "cannot install packages: not root, and there is no sudo" "as root: apt-get install ${missing[*]}"
    fi
    # Without a terminal nobody could type a password: fail at once instead of hanging.
    if ! [ -t 0 ] && ! sudo -n true 2>/dev/null; then
      die 5 "cannot install packages: sudo asks for a password and there is no terminal" "sudo apt-get install ${missing[*]}"
    fi
    command=(sudo "${command[@]}")
  fi
  "${command[@]}" -qq update >&2 </dev/null || die 5 "apt-get update failed" "see its message above"
  # dpkg speaks of every file it unpacks: the whole is shown only when it matters, else a line now and then.
  local log
  log=$(mktemp)
  if ! "${command[@]}" -y --no-install-recommends install "${missing[@]}" 2>&1 </dev/null | tee "$log" | packages_progress; then
    tail -n 20 "$log" >&2
    rm -f "$log"
    die 5 "apt-get install failed" "see its message above"
  fi
  rm -f "$log"
}

# packages_progress: one line for every 40 packages fetched, unpacked or set up.
packages_progress() {
  awk '/^Get:/ {fetched++} /^Unpacking / {unpacked++} /^Setting up / {ready++}
       /^(Get:|Unpacking |Setting up )/ && ++n % 40 == 0 {
         printf "            fetched %d, unpacked %d, set up %d\n", fetched, unpacked, ready
         fflush()
       }' >&2
}

# packages_drop_root FILE [ARGUMENT]...: under "sudo scripts/...", goes on as the owner of the checkout
# once the packages are there, so that no file of the build belongs to root. Otherwise does nothing.
packages_drop_root() {
  local owner
  owner=$(stat -c %u "$(dirname "$1")")
  if [ "$(id -u)" -eq 0 ] && [ "$owner" -ne 0 ] && [ "${SUDO_UID:-0}" = "$owner" ]; then
    say "going on as $SUDO_USER, who owns this checkout"
    HOME=$(getent passwd "$owner" | cut -d: -f6)
    export HOME
    exec setpriv --reuid="$owner" --regid="$(id -g "$SUDO_USER")" --init-groups "$@"
  fi
}
