# The kernel module's core (kmod/src): one object for every kernel, and the glue's sources with it.
# Sourced by build; what did not change is not made again.
# shellcheck shell=bash disable=SC2034

# What else the core's object may ask for: the glue, and what every kernel has.
readonly CORE_GLUE='saker_((copy|string)_(kernel|user)|boot_ns|interrupts_(off|back)|is_unmaskable'
readonly CORE_KERNEL='mem(cpy|set|move|cmp)|bcmp|__x86_return_thunk'

# What the glue is compiled from on a user's machine.
readonly GLUE_SOURCES=(glue.c device.c commands.c points.c memory.c offsets.c saker.h offsets.h
  version.h Kbuild)

# build_core DIRECTORY: leaves DIRECTORY/kmod/core.o_shipped and the glue's sources there. In such a
# directory `make -C HEADERS M=$PWD modules` makes saker.ko.
build_core() {
  local to=$1/kmod stamp=$1/../core.stamp core entries=() name odd inputs
  inputs=$(find kmod probe-rs scripts/lib/core.sh scripts/lib/placeless -type f \
    ! -path '*/target/*' -print0 | sort -z | xargs -0 sha256sum | sha256sum)
  [ "$(cat "$stamp" 2>/dev/null)" = "$inputs" ] && [ -s "$to/core.o_shipped" ] && return
  step "kernel module's core: cargo build (kmod)"
  (cd kmod && RUSTC_BOOTSTRAP=1 cargo_with shipped/core build "${QUIET[@]}" --release --locked \
    --lib --target x86_64-unknown-none -Zbuild-std=core) ||
    fail "Cannot build the kernel module's core, see above"
  core=$(target_dir shipped/core)/x86_64-unknown-none/release
  # Each function that the glue calls.
  while read -r name; do entries+=(-u "$name"); done < <(sed -n \
    's/.*\b\(saker_core_[a-z_]*\)(.*/\1/p' kmod/saker.h | sort -u)
  ld -r --gc-sections "${entries[@]}" -e saker_core_version -o "$core/core.o" \
    "$core/libsaker_core.a" || fail "Cannot link the kernel module's core"
  # A panic that the compiler could not prove away would need a function that is nowhere.
  objcopy --strip-symbol=saker_core_may_panic "$core/core.o" 2>/dev/null ||
    fail "The kernel module's core may panic:" \
      "$(objdump -drC "$core/core.o" | awk '/^[0-9a-f]+ </{at=$2} /may_panic/{print at}')"
  odd=$(nm -u "$core/core.o" | sed 's/^ *U //' | \
    grep -vE "^($CORE_GLUE|wake)|$CORE_KERNEL)$" || true)
  [ -z "$odd" ] || fail "The kernel module's core asks for what a kernel may not have:" $odd
  mkdir -p "$to"
  replace "$core/core.o" "$to/core.o_shipped"
  for name in "${GLUE_SOURCES[@]}"; do replace "kmod/$name" "$to/$name"; done
  printf '%s' "$inputs" >"$stamp"
}
