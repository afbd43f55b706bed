#!/bin/sh
# The tests of drivers (bindings-rs/src/live_test) with the kernel module instead of the probe: the
# same triggers, the same expectations. What is left out, and why, stands in docs/drivers.md.
insmod /saker.ko
# shellcheck disable=SC2046 # A list of options.
SAKER_TEST_DRIVER=kmod /tests live_test --test-threads=1 $(cat /left-out) >/run/tests 2>&1
awk '
  /^test .* ok$/ { print "ok " $2 }
  /^test .* FAILED$/ { failed[$2] = 1 }
  /^---- .* stdout ----$/ { name = $2; next }
  /^failures:$/ { name = "" }
  name != "" { said[name] = said[name] "  " $0 "\n" }
  /^test result: / { ended = 1 }
  END {
    for (one in failed) printf "not ok %s\n%s", one, said[one]
    if (!ended) print "not ok the tests end"
  }
' /run/tests
rmmod saker && echo "ok the module can be taken out behind them"
echo "ok the steps end"
