#!/bin/sh
# Storms of calls on every CPU while the module comes and goes, and its readers are killed in the
# middle of reading: nothing of them may be left, and the kernel has nothing to say (guest.sh asks).
storms=
for cpu in 0 1; do
  (while :; do taskset $((cpu + 1)) dd if=/dev/zero of=/dev/null bs=1 count=20000; done) \
    >/dev/null 2>&1 &
  storms="$storms $!"
  (while :; do cat /etc/hosts /etc/none; done) >/dev/null 2>&1 &
  storms="$storms $!"
done

rounds=0
while [ $rounds -lt 12 ]; do
  insmod /saker.ko max_readers=2 || break
  # What it tests passes or not: it is killed wherever it is.
  SAKER_TEST_DRIVER=kmod /tests live_test::losses >/dev/null 2>&1 &
  one=$!
  SAKER_TEST_DRIVER=kmod /tests live_test::files >/dev/null 2>&1 &
  other=$!
  sleep 0.$((rounds % 5 + 3))
  kill -9 $one
  sleep 0.$((rounds % 3))
  kill -9 $other
  wait $one $other
  # Children of the killed may still be closing what they had of it.
  waited=0
  until rmmod saker 2>/run/said || [ $waited -ge 600 ]; do
    sleep 0.1
    waited=$((waited + 1))
  done
  [ -e /sys/module/saker ] && break
  rounds=$((rounds + 1))
done
if [ $rounds = 12 ]; then
  echo "ok the module comes and goes in a storm, its readers killed"
else
  echo "not ok the module comes and goes in a storm, its readers killed"
  sed 's/^/  /' /run/said
fi
kill $storms
if grep saker /proc/vmallocinfo >/run/said; then
  echo "not ok nothing of it is left in memory"
  sed 's/^/  /' /run/said
else
  echo "ok nothing of it is left in memory"
fi
echo "ok the steps end"
