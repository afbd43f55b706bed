# Roots in which modules for the kernels of lib/kernels.sh are built: the kernel's headers, the
# compiler that Debian built it with, make, and what those need; unpacked below the cache, not
# installed. Sourced by setup; what is there already stays, and is fetched anew where its kernel is
# another one.
# shellcheck shell=bash

# Besides what the headers and make ask for: what the kernel's makefiles call.
readonly HEADERS_PROGRAMS=(make dash coreutils sed grep mawk findutils diffutils)
# One of them has DKMS, with what it calls.
readonly DKMS_SUITE=bookworm
readonly DKMS_PROGRAMS=(dkms bash kmod tar gzip util-linux hostname perl-base)
# Asked for by those packages, and of no use to a build.
readonly HEADERS_WITHOUT='^(linux-(image|binary|base)|systemd|udev|initramfs|klibc|debconf'
readonly HEADERS_WITHOUT_TOO='|mount_|openssl|lib[a-z]+san[0-9])'

# As root alone: the roots are entered by chroot.
set_up_headers() {
  local suite work what
  for suite in "${KERNEL_SUITES[@]}"; do
    [ -e "$TOOLS/kernels/$suite/version" ] || continue
    # As it says which kernel's they are, and what is in the root.
    what="$(cat "$TOOLS/kernels/$suite/version") ${HEADERS_PROGRAMS[*]} $(dkms_of "$suite")"
    [ "$what" = "$(cat "$TOOLS/headers/$suite/what" 2>/dev/null)" ] && continue
    work=$(mktemp -d "$SAKER_CACHE/headers.XXXXXX")
    step "headers and compiler of Debian's $suite: downloading"
    if fetch_headers "$suite" "$work"; then
      mkdir -p "$TOOLS/headers"
      rm -rf "${TOOLS:?}/headers/$suite"
      cp "$TOOLS/kernels/$suite/version" "$work/headers/version"
      echo "$what" >"$work/headers/what"
      mv "$work/headers" "$TOOLS/headers/$suite"
    else
      step "headers of Debian's $suite: cannot be had here, they are left out"
    fi
    rm -rf "$work"
  done
}

dkms_of() { [ "$1" != "$DKMS_SUITE" ] || echo "${DKMS_PROGRAMS[*]}"; }

# fetch_headers SUITE DIRECTORY: leaves DIRECTORY/headers/root.
fetch_headers() {
  local suite=$1 work=$2 root=$2/headers/root archive directory
  apt_lists "$suite" "$work" || return 1
  # shellcheck disable=SC2046 # A list of names.
  set -- $(dkms_of "$suite")
  apt_of "$work" apt-get -qq -y --no-install-recommends --download-only install \
    "linux-headers-$(cat "$TOOLS/kernels/$suite/version")" "${HEADERS_PROGRAMS[@]}" "$@" ||
    return 1
  mkdir -p "$root"/{proc,dev,tmp,etc,out} "$root"/usr/{bin,sbin,lib,lib64}
  for directory in bin sbin lib lib64; do ln -s "usr/$directory" "$root/$directory"; done
  for archive in "$work"/cache/archives/*.deb; do
    [[ ${archive##*/} =~ $HEADERS_WITHOUT$HEADERS_WITHOUT_TOO ]] && continue
    dpkg-deb --fsys-tarfile "$archive" | tar -x -C "$root" --keep-directory-symlink \
      --exclude='./usr/share/doc/*' --exclude='./usr/share/man/*' \
      --exclude='./usr/share/locale/*' || return 1
  done
  ln -sf mawk "$root/usr/bin/awk"
  ln -sf dash "$root/usr/bin/sh"
  mkdir -p "$root/var/lib/dkms"
  printf 'ID=debian\nPRETTY_NAME="Debian %s"\n' "$suite" >"$root/etc/os-release"
}
