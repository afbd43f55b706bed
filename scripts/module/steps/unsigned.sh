#!/bin/sh
# The last of the steps: from here on the kernel takes modules alone that are signed with a key that
# it trusts. /saker.ko is not signed, /signed.ko by a key that nobody knows.
echo Y >/sys/module/module/parameters/sig_enforce

# refused FILE PATTERN WHAT: saker does not load it, and says why.
refused() {
  if saker driver load --file "$1" >/run/said 2>&1; then
    echo "not ok $3"
  elif grep -qE "$2" /run/said; then echo "ok $3"; else
    echo "not ok $3"
    sed 's/^/  /' /run/said
  fi
}

refused /saker.ko "takes signed modules alone \(module.sig_enforce\): sign it with a key" \
  "a module without a signature is refused, with what to do"
[ ! -e /signed.ko ] ||
  refused /signed.ko "signed with a key that this kernel does not trust" \
    "a signature by an unknown key is told"
echo "ok the steps end"
