#!/bin/sh
# What a guest of scripts/module.ts runs as its first program: the steps of each part, then what the
# kernel said. Each part begins with a line "== NAME seconds since the boot".
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
echo 1 >/proc/sys/kernel/printk
part() { echo "== $1 $(cut -d ' ' -f 1 /proc/uptime)"; }

# The firmware leaves its last line open.
echo
part "kernel $(uname -r)"
# What the kernel said of this machine is not about the module.
dmesg -c >/dev/null
for steps in /steps/*.sh; do
  part "$(basename "$steps" .sh)"
  sh "$steps"
done
part dmesg
# Levels up to warning; a module that is not of the kernel's own tree taints it, which is told.
dmesg -r | sed -nE 's/^<[0-4]>//p'
part end
poweroff -f
