// Which events are recorded for which rules and which base_syscalls.
import { deepStrictEqual, ok, strictEqual } from "node:assert";
import { EVENTS, SYSCALLS } from "../../events/table.ts";
import { GENERIC_CALL, interestOf, type InterestOptions } from "./interest.ts";

function interest(options: Partial<InterestOptions> = {}) {
  const { codes, ...rest } = interestOf({
    eventNames: new Set(),
    customSet: [],
    repair: false,
    all: false,
    ...options,
  });
  return { ...rest, names: new Set([...codes].map((code) => EVENTS[code]?.name)), codes };
}

Deno.test("without rules, what keeps the tables right is recorded and nothing else", () => {
  const { names } = interest();
  for (const name of ["execve", "clone", "openat", "procexit", "chdir", "dup2", "setuid"]) {
    ok(names.has(name), name);
  }
  // The event table marks mount and umount2 as changing state, of which no table here takes any.
  for (const name of ["close", "read", "write", "unlinkat", "sendto", "mount", "umount2"]) {
    ok(!names.has(name), name);
  }
});

Deno.test("only exit events and tracepoints of the present versions are asked for", () => {
  for (const code of interest({ all: true, eventNames: new Set(["read"]) }).codes) {
    const event = EVENTS[code]!;
    ok(!event.flags.has("old_version"), event.id);
    ok(code % 2 === 1 || event.kind.includes("tracepoint"), event.id);
  }
});

Deno.test("what a rule can match is recorded, under each of its names", () => {
  const { names, notRecorded } = interest({ eventNames: new Set(["unlinkat", "close"]) });
  ok(names.has("unlinkat") && names.has("close"));
  deepStrictEqual(notRecorded, []);
});

Deno.test("data that flows is recorded under base_syscalls.all only, and the gap is told", () => {
  const eventNames = new Set(["write", "pread"]);
  const without = interest({ eventNames });
  ok(!without.names.has("write") && !without.names.has("pread"));
  deepStrictEqual([...without.notRecorded].sort(), ["pread64", "write"]);
  const all = interest({ eventNames, all: true });
  ok(all.names.has("write") && all.names.has("pread"));
  deepStrictEqual(all.notRecorded, []);
});

Deno.test("data that flows is recorded where a rule asks for it by name", () => {
  const eventNames = new Set(["write", "pread", "read"]);
  const { names, notRecorded } = interest({ eventNames, namedEvents: new Set(["write", "pread"]) });
  ok(names.has("write") && names.has("pread") && !names.has("read"));
  deepStrictEqual(notRecorded, ["read"]);
});

Deno.test("base_syscalls.custom_set replaces the base, and its negative names take away", () => {
  const { names } = interest({
    eventNames: new Set(["openat"]),
    customSet: ["execve", "!openat"],
  });
  deepStrictEqual([...names].sort(), ["execve", "procexit"]);
});

Deno.test("a call without an event of its own is asked for by its number", () => {
  const { sc } = SYSCALLS.find(({ name }) => name === "sethostname")!;
  const { codes, unknownNames, notRecorded } = interest({ eventNames: new Set(["sethostname"]) });
  ok(codes.has(GENERIC_CALL + sc));
  deepStrictEqual([unknownNames, notRecorded], [[], []]);
  ok(interest({ customSet: ["sethostname"] }).codes.has(GENERIC_CALL + sc));
  ok(interest({ customSet: ["sethostname"], repair: true }).codes.has(GENERIC_CALL + sc));
  ok(!interest().codes.has(GENERIC_CALL + sc));
});

Deno.test("names that no call has are told", () => {
  deepStrictEqual(interest({ customSet: ["nocall", "!nothing"] }).unknownNames, [
    "nocall",
    "nothing",
  ]);
});

Deno.test("base_syscalls.repair adds what the rules' events need", () => {
  const { names } = interest({ eventNames: new Set(["connect"]), repair: true });
  for (const name of ["connect", "socket", "getsockopt", "close", "clone", "execve"]) {
    ok(names.has(name), name);
  }
  ok(!names.has("openat"));
  strictEqual(interest({ eventNames: new Set(["openat"]), repair: true }).names.has("close"), true);
});

Deno.test("tracepoints are recorded where a rule or base_syscalls names them", () => {
  const code = (id: string) => EVENTS.find((event) => event.id === id)!.code;
  const { codes } = interest({ eventNames: new Set(["signaldeliver", "openat"]) });
  ok(codes.has(code("SIGNALDELIVER_E")));
  ok(!codes.has(code("PAGE_FAULT_E")));
  const asked = interest({ customSet: ["page_fault_user", "sched_switch", "execve"] });
  ok(asked.codes.has(code("PAGE_FAULT_E")) && asked.codes.has(code("SCHEDSWITCH_6_E")));
  deepStrictEqual(asked.unknownNames, []);
  const without = interest({
    eventNames: new Set(["signaldeliver"]),
    customSet: ["execve", "!signal_deliver"],
  });
  ok(!without.codes.has(code("SIGNALDELIVER_E")));
});
