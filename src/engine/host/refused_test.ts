// Of a plan in which the kernel refused a program, its events go out with the reason.
import { deepStrictEqual, strictEqual } from "node:assert";
import { codeOf } from "../../events/table.ts";
import { refusedEvents, refusedPrograms, unseenLine } from "./refused.ts";

Deno.test("a program that the kernel refused is told by its events", () => {
  const plan = () => [
    { name: "open", events: ["SYSCALL_OPEN_X"], refused: false, reason: "" },
    { name: "mount", events: ["SYSCALL_MOUNT_X"], refused: true, reason: "too big" },
    { name: "gone", events: ["SYSCALL_OPEN_X"], refused: false, reason: "the link is gone" },
    { name: "stage_look_up", events: [], refused: true, reason: "no loop" },
  ];
  const refused = refusedPrograms({ plan });
  deepStrictEqual(refused, [
    { program: "mount", events: ["mount"], codes: [codeOf("SYSCALL_MOUNT_X")], reason: "too big" },
    { program: "stage_look_up", events: [], codes: [], reason: "no loop" },
  ]);
  deepStrictEqual([...refusedEvents(refused)], [[codeOf("SYSCALL_MOUNT_X"), "too big"]]);
  strictEqual(unseenLine(refused), "this kernel refuses the probe's programs for mount: not seen");
  strictEqual(unseenLine(refused.slice(1)), undefined);
});
