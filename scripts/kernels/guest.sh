#!/bin/sh
# What a guest of scripts/kernels.ts runs as its first program: the live tests of the addon, then
# the built saker. Each part begins with a line "== NAME seconds since the boot".
# shellcheck source=scripts/kernels/begin.sh
. /begin.sh
echo 3 >/proc/sys/kernel/printk

# The firmware leaves its last line open.
echo
part "kernel $(uname -r)"
if [ -x /tests ]; then
  part tests
  # shellcheck disable=SC2046 # A list of options.
  /tests --test-threads=1 $(cat /options)
fi
part doctor
saker doctor -o json_output=true
part watch
saker -r /rules.yaml -o json_output=true -o webserver.enabled=false >/run/alerts 2>/run/told &
saker=$!
waited=0
until grep -q "is watching" /run/told || [ $waited -ge 300 ]; do
  sleep 1
  waited=$((waited + 1))
done
cat /etc/marked >/dev/null
/bin/marked-program
# What is written to one is followed by what comes to the other.
until [ "$(wc -l </run/alerts)" -ge 2 ] || [ $waited -ge 420 ]; do
  sleep 1
  waited=$((waited + 1))
done
# A CPU that goes and comes back, and a clock that is set back and forward.
cpu=/sys/devices/system/cpu/cpu1/online
echo 0 >$cpu && cat /etc/marked-without-a-cpu >/dev/null
echo 1 >$cpu && taskset 2 cat /etc/marked-on-it-again >/dev/null
date -s "@$(($(date +%s) - 3600))" >/dev/null && cat /etc/marked-in-the-past >/dev/null
date -s "@$(($(date +%s) + 90000))" >/dev/null && cat /etc/marked-in-the-future >/dev/null
until [ "$(wc -l </run/alerts)" -ge 6 ] || [ $waited -ge 540 ]; do
  sleep 1
  waited=$((waited + 1))
done
kill $saker
wait $saker
part "watched $?"
cat /run/alerts /run/told
part end
poweroff -f
