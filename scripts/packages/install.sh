#!/bin/sh
# Of saker's tarball: puts its files where they belong, for hosts whose package manager has none.
#
#   ./install.sh            installs; over an earlier version: upgrades
#   ./install.sh remove     stops and removes; configuration and state stay
#   ./install.sh purge      these go as well
#
# An installed saker has it as /usr/share/saker/install.sh. DESTDIR=/somewhere installs below that
# directory and starts nothing. What was installed stands in /usr/share/saker/installed: a line for
# each file with its SHA-256, "made" for each directory that was not there before.
set -eu
umask 022

root=${DESTDIR:-}
unit=saker.service
list=/usr/share/saker/installed
from=$(cd "$(dirname "$0")" && pwd)

main() {
  action=${1:-install}
  case "$action" in
    install | remove | purge) check ;;
    *) fail "unknown argument \"$action\": expected install, remove or purge" ;;
  esac
  case "$action" in
    install) install_files ;;
    remove) remove_files ;;
    purge)
      remove_files
      rm -rf "$root/etc/saker" "$root/var/lib/saker" "$root/var/cache/saker" \
        "$root/etc/systemd/system/$unit.d"
      ;;
  esac
}

fail() {
  echo "saker: $*" >&2
  exit 1
}

check() {
  [ "$(id -u)" = 0 ] || fail "only root may install and remove: run this with sudo"
  [ -z "$root" ] || return 0
  # Files of a package are its manager's.
  if dpkg-query -W -f '${Status}' saker 2>/dev/null | grep -q ' installed$'; then
    fail "saker is installed here as a Debian package: remove it first (dpkg -r saker)"
  fi
  if rpm -q saker >/dev/null 2>&1; then
    fail "saker is installed here as an RPM: remove it first (rpm -e saker)"
  fi
}

install_files() {
  [ -f "$from/usr/bin/saker" ] ||
    fail "there is nothing to install in $from: run the install.sh of an unpacked archive"
  was_there=no
  [ ! -e "$root$list" ] || was_there=yes
  new=$(mktemp)
  trap 'rm -f "$new"' EXIT
  # Directories that an earlier version made are still ours.
  if [ $was_there = yes ]; then sed -n '/^made  /p' "$root$list" >"$new"; fi
  (cd "$from" && find usr etc -type d) | sort | while read -r name; do
    [ ! -d "$root/$name" ] || continue
    mkdir -p "$root/$name"
    echo "made  /$name" >>"$new"
  done
  (cd "$from" && find usr -type f) | sort | while read -r name; do
    put "$name" "/$name"
    note "$name" "/$name" >>"$new"
  done
  (cd "$from" && find etc -type f) | sort | while read -r name; do
    configure "$name"
    note "$name" "/$name" >>"$new"
  done
  put install.sh /usr/share/saker/install.sh
  # What only the earlier version had would go on working: its rules are a directory's files.
  if [ $was_there = yes ]; then
    files_of "$root$list" | grep '^/usr/' | while read -r name; do
      grep -q "  $name\$" "$new" || rm -f "$root$name"
    done
  fi
  cp "$new" "$root$list.new"
  chmod 644 "$root$list.new"
  mv "$root$list.new" "$root$list"
  start $was_there
}

# put NAME PLACE: whole or not at all, root's; a program that runs keeps the file that it has.
put() {
  mode=644
  [ ! -x "$from/$1" ] || mode=755
  cp "$from/$1" "$root$2.new"
  chmod $mode "$root$2.new"
  mv -f "$root$2.new" "$root$2"
}

# note NAME PLACE: its line of the list.
note() {
  echo "$(sum_of "$from/$1")  $2"
}

sum_of() {
  sha256sum <"$1" | cut -d ' ' -f 1
}

# A configuration that was edited, or that is somebody else's, stays; the new one lies beside it
# where it is another than before.
configure() {
  place=$root/$1
  new_sum=$(sum_of "$from/$1")
  old_sum=
  if [ -e "$root$list" ]; then old_sum=$(sed -n "s|  /$1\$||p" "$root$list"); fi
  if [ ! -e "$place" ] || [ "$(sum_of "$place")" = "$old_sum" ]; then
    put "$1" "/$1"
  elif [ "$(sum_of "$place")" != "$new_sum" ] && [ "$new_sum" != "$old_sum" ]; then
    put "$1" "/$1.new"
    echo "saker: $place was edited and stays; the new default is $place.new" >&2
  fi
}

# Files in a list, by name.
files_of() {
  sed -n '/^made  /!s/^[0-9a-f]*  //p' "$1"
}

has_systemd() {
  [ -z "$root" ] && [ -d /run/systemd/system ]
}

# start WAS_THERE: a service that is new is enabled and started; after an upgrade what ran runs
# anew, and what an administrator stopped or disabled stays so.
start() {
  has_systemd || return 0
  systemctl daemon-reload
  if [ "$1" = yes ]; then systemctl try-restart $unit; else systemctl enable --now $unit; fi
}

remove_files() {
  # A purge may follow a removal.
  [ -e "$root$list" ] || return 0
  if has_systemd; then systemctl disable --now $unit || true; fi
  # What "saker driver" left on this host, which nobody could remove without the program.
  if [ -z "$root" ]; then
    if [ -e /etc/modules-load.d/saker.conf ] || [ -d /sys/module/saker ]; then
      /usr/bin/saker driver unload >/dev/null 2>&1 || true
      /usr/bin/saker driver uninstall || true
    fi
  fi
  made=$(sed -n 's/^made  //p' "$root$list" | sort -r)
  files_of "$root$list" | grep '^/usr/' | while read -r name; do rm -f "$root$name"; done
  rm -f "$root$list" "$root/usr/share/saker/install.sh"
  # Where somebody put something else, it stays.
  for name in $made; do rmdir "$root$name" 2>/dev/null || true; done
  if has_systemd; then systemctl daemon-reload; fi
}

# All is read before the first line runs: a removal removes this file too.
main "$@"
exit
