#!/bin/sh
# What a guest does with the built saker and the kernel module: /saker.ko is loaded, watched
# through by two at once, one of which is killed, unloaded, and loaded by a watch itself. Each step
# tells a line, "ok WHAT" or "not ok WHAT", what saker said behind it.
ko=/saker.ko
said=/run/said

# step WHAT COMMAND…: it succeeds, and what was said is in $said.
step() {
  what=$1
  shift
  if "$@" >$said 2>&1; then echo "ok $what"; else
    echo "not ok $what"
    sed 's/^/  /' $said
  fi
}

fails() { ! "$@"; }

# told PATTERN COMMAND…: the same, and it says so.
told() {
  pattern=$1
  shift
  "$@"
  code=$?
  grep -qE "$pattern" $said && return $code
  echo "no such line: $pattern"
  return 1
}

# until_so COMMAND…: within four minutes; a host that is busy elsewhere has no time for a guest.
until_so() {
  waited=0
  until "$@" >/dev/null 2>&1; do
    [ $waited -ge 240 ] && return 1
    sleep 1
    waited=$((waited + 1))
  done
}

# watch NAME OPTION…: a saker that watches by the module, in the background.
watch() {
  name=$1
  shift
  saker -r /rules.yaml -o engine.kind=kmod -o json_output=true -o engine.nice=0 "$@" \
    >"/run/$name.alerts" 2>"/run/$name.told" &
  pid=$!
}
is_watching() { until_so grep -q "is watching" "/run/$1.told" || fails cat "/run/$1.told"; }
has_alert() { until_so grep -q "\"fd.name\":\"$2\"" "/run/$1.alerts" || fails cat "/run/$1.told"; }
read_marked() { cat "$1" >/dev/null; }
is_gone() { until_so test ! -e "/proc/$1"; }

step "status tells that nothing is loaded" told '"loaded":false' fails saker driver status --json
cp /rules.yaml /tmp/none.ko
step "a file that is no module is refused" told "it is no module" \
  fails saker driver load --file /tmp/none.ko
step "a parameter that is none is refused" told "is no parameter" \
  fails saker driver load --file $ko "max_readers"
step "the module is loaded" told "is loaded: $ko" saker driver load --file $ko
step "a second load does nothing" told "loaded already" saker driver load
step "status tells that it is loaded" told '"loaded":true.*"readers":\[\]' \
  saker driver status --json

step "doctor sees a process through it" told "the kernel module answers.*a process .*was seen" \
  saker doctor -o engine.kind=kmod

watch one -o webserver.listen_port=8001
one=$pid
step "a watch begins" is_watching one
watch two -o webserver.listen_port=8002
two=$pid
step "a second one begins beside it" is_watching two
read_marked /etc/marked
step "the first alerts" has_alert one /etc/marked
step "the second alerts" has_alert two /etc/marked
/bin/marked-program
step "an execution is told" until_so grep -q '"proc.exepath":"/bin/marked-program"' /run/two.alerts
names_driver() { wget -q -O - http://127.0.0.1:8002/healthz | grep -q '"driver":"kmod"'; }
step "health names the driver" until_so names_driver
step "status names both readers" told '"name":"saker".*"name":"saker"' \
  saker driver status --json
step "a module in use stays, and who uses it is told" told "in use by saker \(process $one\)" \
  fails saker driver unload

kill -9 $one
wait $one
step "a reader that is killed is gone" is_gone $one
read_marked /etc/marked-on-it-again
step "the other goes on" has_alert two /etc/marked-on-it-again
kill -HUP $two
step "new rules are taken" until_so grep -q "Reloaded: " /run/two.told
read_marked /etc/marked-in-the-past
step "it alerts by the new rules" has_alert two /etc/marked-in-the-past
kill $two
wait $two
step "a watch ends well" test $? = 0
step "the module is unloaded" told "is unloaded" saker driver unload
step "a second unload does nothing" told "is not loaded" saker driver unload

mkdir -p "/lib/modules/$(uname -r)/extra"
cp $ko "/lib/modules/$(uname -r)/extra/saker.ko"
watch three -o webserver.enabled=false
three=$pid
step "a watch loads a module that is installed" told "module was loaded: .*/extra/saker.ko" \
  sh -c 'until grep "is watching" /run/three.told; do sleep 1; done; cat /run/three.told'
read_marked /etc/marked-in-the-future
step "and alerts" has_alert three /etc/marked-in-the-future
kill $three
wait $three
step "it leaves the module loaded" told '"loaded":true' saker driver status --json
step "which can be unloaded" saker driver unload
step "uninstall takes the file away" told "removed .*/extra/saker.ko" saker driver uninstall
echo "ok the steps end"
