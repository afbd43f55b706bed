# Debian's kernels for `scripts/test kernels`: fetched and unpacked below the cache, not installed.
# Sourced by setup; what is there already stays as it is, and is fetched anew where it is removed.
# shellcheck shell=bash

# Suites and what their kernel is: the oldest that saker is made for, today's, and the newest.
readonly KERNEL_SUITES=(bookworm trixie sid)

set_up_kernels() {
  command -v apt-get >/dev/null || fail "Cannot fetch Debian's kernels: there is no apt-get here"
  local work suite
  [ -x "$TOOLS/busybox/bin/busybox" ] || fail "Cannot fetch busybox-static"
  command -v qemu-system-x86_64 >/dev/null || {
    step "apt: installing qemu-system-x86"
    apt_get update || fail "Cannot read the package lists: apt-get update failed"
    apt_get install -y --no-install-recommends qemu-system-x86 ||
      fail "Cannot install qemu-system-x86: apt-get failed"
  }
  for suite in "${KERNEL_SUITES[@]}"; do
    [ -e "$TOOLS/kernels/$suite/vmlinuz" ] && continue
    work=$(mktemp -d "$SAKER_CACHE/kernels.XXXXXX")
    step "kernel of Debian's $suite: downloading"
    if fetch_kernel "$suite" "$work"; then
      mkdir -p "$TOOLS/kernels"
      rm -rf "${TOOLS:?}/kernels/$suite"
      mv "$work/kernel" "$TOOLS/kernels/$suite"
    else
      step "kernel of Debian's $suite: cannot be had here, it is left out"
    fi
    rm -rf "$work"
  done
}

# fetch_kernel SUITE DIRECTORY: leaves DIRECTORY/kernel/vmlinuz and …/version. The suite's lists
# stay in the directory: nothing of this host's apt changes.
fetch_kernel() {
  local suite=$1 work=$2 package
  mkdir -p "$work"/kernel
  apt_lists "$suite" "$work" || return 1
  package=$(kernel_package "$work") || return 1
  (cd "$work" && apt_of "$work" apt-get -qq download "$package") || return 1
  dpkg-deb --fsys-tarfile "$work"/*.deb |
    tar -x -C "$work/kernel" --wildcards --transform 's,.*/vmlinuz.*,vmlinuz,' \
      './boot/vmlinuz-*' './usr/lib/modules/*/vmlinuz' 2>/dev/null
  [ -s "$work/kernel/vmlinuz" ] || return 1
  sed -E 's/^linux-(image|binary)-//' <<<"$package" >"$work/kernel/version"
}

# apt_lists SUITE DIRECTORY: what packages the suite has, for apt_of.
apt_lists() {
  local suite=$1 work=$2 mirror
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Component: main' |
    grep -m 1 '/debian/*$' || echo http://deb.debian.org/debian)
  mkdir -p "$work"/state/lists/partial "$work"/cache/archives/partial
  touch "$work/state/status"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" \
    >"$work/sources.list"
  apt_of "$work" apt-get -qq update
}

# The package with the kernel itself, which the suite's metapackages lead to.
kernel_package() {
  local package=linux-image-cloud-amd64 next
  while next=$(apt_of "$1" apt-cache show "$package" | sed -n 's/^Depends: //p' |
    grep -oE 'linux-(image|binary)-[0-9][^ ,]*' | head -n 1) && [ -n "$next" ]; do
    package=$next
  done
  [ "$package" != linux-image-cloud-amd64 ] && echo "$package"
}

apt_of() {
  local work=$1
  shift
  quietly_told "$@" -o Dir::Etc::sourceparts=/dev/null \
    -o "Dir::Etc::sourcelist=$work/sources.list" -o "Dir::State=$work/state" \
    -o "Dir::State::status=$work/state/status" -o "Dir::Cache=$work/cache" \
    -o Acquire::Languages=none -o APT::Sandbox::User=root
}

# Output stays, complaints are shown where it failed.
quietly_told() {
  local log
  log=$(mktemp)
  "$@" 2>"$log" </dev/null || {
    cat "$log" >&2
    rm -f "$log"
    return 1
  }
  rm -f "$log"
}
