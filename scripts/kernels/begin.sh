# How any guest begins: what programs expect of a host, and how parts of its output are told apart,
# by a line "== NAME seconds since the boot". Sourced by the guests' first programs.
# shellcheck shell=sh
export PATH=/bin HOME=/root TMPDIR=/tmp RUST_BACKTRACE=0
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/shm /dev/pts
for at in /dev/shm /tmp /run; do mount -t tmpfs none $at; done
chmod 1777 /tmp
mount -t devpts none /dev/pts
mount -t tracefs none /sys/kernel/tracing
mount -t cgroup2 none /sys/fs/cgroup
ip link set lo up
part() { echo "== $1 $(cut -d ' ' -f 1 /proc/uptime)"; }
