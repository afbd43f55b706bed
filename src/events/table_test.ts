// Facts of the event table by name.
import { deepStrictEqual, strictEqual, throws } from "node:assert";
import { EVENT_COUNT } from "./event_count.ts";
import { codeOf, EVENTS, flagValue, positionsOf } from "./table.ts";

Deno.test("parameters stand where the table says, in all of the events that are named", () => {
  deepStrictEqual(positionsOf("SYSCALL_OPENAT_2_X", "fd", "name"), { fd: 0, name: 2 });
  const both = ["SYSCALL_PIPE_X", "SYSCALL_PIPE2_X"];
  deepStrictEqual(positionsOf(both, "fd2"), { fd2: 2 });
  throws(() => positionsOf("SYSCALL_OPENAT_2_X", "nosuch"), /No parameter "nosuch"/);
  throws(() => positionsOf(both, "flags"), /"flags" at one place of SYSCALL_PIPE_X, SYSCALL_PIPE2/);
  throws(() => positionsOf(["SYSCALL_OPEN_X", "SYSCALL_OPENAT_2_X"], "flags"), /at one place/);
});

Deno.test("names that the table lacks are mistakes of ours", () => {
  throws(() => codeOf("NOSUCH_X"), /No event "NOSUCH_X"/);
  throws(() => flagValue("file_flags", "O_NOSUCH"), /No flag "O_NOSUCH" of "file_flags"/);
  throws(() => flagValue("nosuch", "O_CREAT"), /No flag/);
});

Deno.test("the number of codes is that of the table", () =>
  strictEqual(EVENT_COUNT, EVENTS.length));
