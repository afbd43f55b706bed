// Of a plan in which the kernel refused a program, its events go out with the reason.
import { deepStrictEqual } from "node:assert";
import { codeOf } from "../../events/table.ts";
import { refusedEvents } from "./refused.ts";

const STATS = { programs: 2, attached: 1 };

Deno.test("a program that the kernel refused is told by its events", () => {
  const plan = () => [
    { events: ["SYSCALL_OPEN_X"], reason: "" },
    { events: ["SYSCALL_MOUNT_X"], reason: "too big" },
    { events: ["no event"], reason: "too big" },
  ];
  deepStrictEqual([...refusedEvents({ stats: () => STATS, plan })], [
    [codeOf("SYSCALL_MOUNT_X"), "too big"],
  ]);
  deepStrictEqual(refusedEvents({ stats: () => ({ ...STATS, attached: 2 }), plan }).size, 0);
});
