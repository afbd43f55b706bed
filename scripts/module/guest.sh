#!/bin/sh
# What a guest of scripts/module.ts runs as its first program: the steps of each part, then what the
# kernel said. Each part begins with a line "== NAME seconds since the boot".
# shellcheck source=scripts/kernels/begin.sh
. /begin.sh
echo 1 >/proc/sys/kernel/printk

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
