# What saker is built with: pinned versions, checksums, where things live, and how the scripts
# speak. Sourced by setup, build, run and test; it runs nothing by itself.
# shellcheck shell=bash disable=SC2034

readonly DENO_VERSION=2.6.10
readonly DENO_SHA256=bb9513ce8a9a7a976a77e0a32c5818035fb72dff6364afc5b8659594ba4a6139
readonly DENO_WHEEL_SHA256=d1600f4ee7b4a9699b7057841bdb5d7b7eac3fb073df072540064166841c2f4c
# A Python package that holds a program made with this very version of `deno compile`.
readonly DENORT_WHEEL=bids-validator-deno==2.4.1
readonly DENORT_WHEEL_SHA256=5087fcd13341f529b5404792a74e22f570e50f17e5ea4cabe9c91b1caf74cbf4
readonly DENORT_SHA256=1b136202dc147212ad0b129de0c10eb5f17060917c9754c7921cd68f764ad2e2
readonly WHEEL_PLATFORM=manylinux_2_27_x86_64
readonly BPF_LINKER_VERSION=0.13.0
# bpf-linker reads the bitcode that rustc writes, so rustc's LLVM may not be newer than its own.
readonly LLVM_MAJOR=22
readonly RUST_OLDEST=1.88
readonly APT_PACKAGES=(
  ca-certificates curl gcc jq libc6-dev make pkg-config python3 python3-pip unzip
  rustc-web cargo-web rust-web-src rustfmt-web rust-web-clippy
  "llvm-$LLVM_MAJOR-dev" "libpolly-$LLVM_MAJOR-dev" libzstd-dev zlib1g-dev
)

REPOSITORY=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# A service's or a container's environment may lack it.
HOME=${HOME:-$(getent passwd "$(id -u)" | cut -d: -f6)}
export HOME
# A build leaves nothing between the sources.
export PYTHONDONTWRITEBYTECODE=1
SAKER_CACHE=${SAKER_CACHE:-$HOME/.cache/saker}
readonly REPOSITORY SAKER_CACHE
readonly TOOLS=$SAKER_CACHE/tools
readonly STAMPS=$TOOLS/stamps
readonly DENO=$TOOLS/bin/deno
readonly DENORT=$TOOLS/bin/denort

# Deno: certificates of the machine as well as its own list; no calls home; its packages with
# everything else of ours.
export DENO_TLS_CA_STORE=${DENO_TLS_CA_STORE:-system,mozilla}
export DENO_NO_UPDATE_CHECK=1 DENO_NO_PROMPT=1
export DENO_DIR=${DENO_DIR:-$SAKER_CACHE/deno}

# Tells what is being done. All talk goes to standard error: standard output is saker's.
step() {
  printf '\033[2m• %s\033[0m\n' "$*" >&2
}

# Ends the script with the one line that a person needs.
fail() {
  printf 'saker: %s\n' "$*" >&2
  exit 1
}

# Runs a command and shows what it printed only where it failed.
quietly() {
  local log
  log=$(mktemp)
  if "$@" >"$log" 2>&1 </dev/null; then
    rm -f "$log"
    return 0
  fi
  cat "$log" >&2
  rm -f "$log"
  return 1
}

# Runs a command as root: directly, or through sudo with our environment.
as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo --preserve-env env "PATH=$PATH" "$@"
  else
    fail "Cannot run \"$1\" as root: this is $(id -un) and there is no sudo; run it as root"
  fi
}

has_sha256() {
  [ -f "$1" ] && [ "$(sha256sum "$1" | cut -d' ' -f1)" = "$2" ]
}

# is_stamped NAME WHAT: whether NAME was set up in exactly this version.
is_stamped() {
  [ "$(cat "$STAMPS/$1" 2>/dev/null)" = "$2" ]
}

stamp() {
  mkdir -p "$STAMPS"
  printf '%s' "$2" >"$STAMPS/$1"
}

# version_at_least 1.96 1.88
version_at_least() {
  [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]
}

# Why the Rust in a directory cannot build the probe; prints nothing where it can.
rust_defect() {
  local about version llvm
  if ! [ -x "$1/rustc" ] || ! [ -x "$1/cargo" ]; then
    echo "no rustc and cargo in $1"
    return
  fi
  about=$("$1/rustc" -vV 2>/dev/null) || true
  version=$(sed -n 's/^release: //p' <<<"$about")
  llvm=$(sed -n 's/^LLVM version: \([0-9]*\).*/\1/p' <<<"$about")
  if [ -z "$version" ] || ! version_at_least "$version" "$RUST_OLDEST"; then
    echo "$1/rustc is ${version:-unknown}, at least $RUST_OLDEST is needed"
  elif [ "${llvm:-0}" -gt "$LLVM_MAJOR" ]; then
    echo "$1/rustc writes LLVM $llvm, bpf-linker reads up to $LLVM_MAJOR"
  elif ! [ -d "$("$1/rustc" --print sysroot)/lib/rustlib/src/rust/library/core" ]; then
    echo "$1/rustc comes without the source of its libraries (rust-src)"
  fi
}

# Sets RUST_BIN to the directory of a Rust that can build everything: the distribution's first.
find_rust() {
  local dir onpath
  onpath=$(command -v rustc || true)
  for dir in ${SAKER_RUST_BIN:+"$SAKER_RUST_BIN"} /usr/bin "${onpath%/rustc}" "$HOME/.cargo/bin"; do
    if [ -n "$dir" ] && [ -z "$(rust_defect "$dir")" ]; then
      RUST_BIN=$dir
      return 0
    fi
  done
  return 1
}

# Where LLVM is; prints nothing where there is none of the right version.
llvm_prefix() {
  local config
  for config in "/usr/lib/llvm-$LLVM_MAJOR/bin/llvm-config" "llvm-config-$LLVM_MAJOR" \
    "llvm-config$LLVM_MAJOR" llvm-config; do
    if command -v "$config" >/dev/null &&
      [[ $("$config" --version) == "$LLVM_MAJOR".* ]]; then
      "$config" --prefix
      return
    fi
  done
}

# Compiled crates are kept beside the tools, so that a fresh clone compiles only what is its own.
# One directory for each compiler: two would push each other's work out.
target_dir() {
  local version
  version=$("$RUST_BIN/rustc" --version | cut -d' ' -f2)
  echo "${SAKER_TARGET:-$SAKER_CACHE/target}/$1-$version"
}

# Takes the compiled crates for this clone until the script ends. cargo names a crate by its place
# in the workspace, so all clones share its results, and tells what is stale by time: what another
# clone compiled from newer files would pass for ours. So the files of a clone that compiles after
# another are made new.
claim_target() {
  [ "${SAKER_TARGET_CLAIMED:-}" = "$REPOSITORY" ] && return
  local base=${SAKER_TARGET:-$SAKER_CACHE/target}
  mkdir -p "$base"
  exec 7>"$base/.lock"
  flock 7
  export SAKER_TARGET_CLAIMED=$REPOSITORY
  [ "$(cat "$base/.clone" 2>/dev/null)" = "$REPOSITORY" ] && return
  find "$REPOSITORY"/{probe-rs,bindings-rs,ebpf-rs,kmod} -type f -exec touch {} +
  printf '%s' "$REPOSITORY" >"$base/.clone"
}

# cargo with the Rust that was found and nobody else's wrapper or flags. What is compiled in
# shipped/… says nothing of where it was, and is apart from what is only tested.
cargo_with() {
  local target=$1 rustc=$RUST_BIN/rustc
  shift
  [ "$1" = fmt ] || claim_target
  if [[ $target == shipped/* ]]; then
    local -x SAKER_RUSTC=$rustc SAKER_SOURCES=$REPOSITORY SAKER_LIBRARIES
    SAKER_LIBRARIES=$("$rustc" --print sysroot)/lib/rustlib/src/rust
    rustc=$REPOSITORY/scripts/lib/placeless/rustc
  fi
  # A fresh clone has no use for what an earlier one left half done.
  # Where cargo's own directory is not in PATH, cargo looks there for clippy before anywhere else,
  # and may find another Rust's.
  local path=$RUST_BIN:$TOOLS/bin:$PATH:${CARGO_HOME:-$HOME/.cargo}/bin
  env -u RUSTFLAGS -u CARGO_BUILD_TARGET -u RUSTUP_TOOLCHAIN ${CI:+CARGO_INCREMENTAL=0} \
    "PATH=$path" "RUSTC=$rustc" \
    "CARGO_TARGET_DIR=$(target_dir "$target")" "$RUST_BIN/cargo" "$@" 7>&-
}
