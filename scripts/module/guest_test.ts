// What a guest prints → what passed there.
import { deepStrictEqual } from "node:assert";
import { moduleGuestOf } from "./guest.ts";

const OUTPUT = `firmware
== kernel 6.1.0-1 2.10\r
== saker 2.50
ok the module is loaded
not ok the first alerts
  told: nothing
  more
ok the steps end
== stress 60.00
ok it goes on
== dmesg 90.00
saker: loading out-of-tree module taints kernel.
workqueue: blk_mq_run_work_fn hogged CPU for >10000us 4 times
BUG: something
== end 90.10
`;

Deno.test("moduleGuestOf tells each step, with what was said, and what the kernel said", () => {
  deepStrictEqual(moduleGuestOf(OUTPUT), {
    kernel: "6.1.0-1",
    passed: [
      "saker: the module is loaded",
      "saker: the steps end",
      "stress: it goes on",
      "the guest ends",
    ],
    failures: [
      { what: "saker: the first alerts", why: "  told: nothing\n  more" },
      { what: "stress: the steps end", why: "ok it goes on" },
      { what: "the kernel has nothing to complain of", why: "BUG: something" },
    ],
  });
});

Deno.test("moduleGuestOf finds fault with a guest that hangs or does not start", () => {
  const hung = moduleGuestOf(OUTPUT.slice(0, OUTPUT.indexOf("== end")));
  deepStrictEqual(hung.failures.map(({ what }) => what).slice(-1), ["the guest ends"]);
  deepStrictEqual(moduleGuestOf("no kernel").passed, []);
});
