// Processes that the sieve over captures holds back stay so while others that it told of end,
// execute in vain, begin threads or are led by somebody: exact numbers of what is passed over.
import { ok, strictEqual } from "node:assert";
import type { ParamValue } from "../src/events/event_fixture.ts";
import { ruleText } from "../src/rules/load_fixture.ts";
import { PutCapture } from "./put_capture.ts";
import { list, program } from "./sieve_captures.ts";
import { compare, rulesStart } from "./sieve_runs.ts";

const START_NS = 1_700_000_000_000_000_000n;
const CL_THREAD = 1 << 13 | 1 << 0;
/** Three processes that nobody asks for: born, and all but one with a program of their own. */
const HELD = [300, 301, 302];
/** Events of theirs. */
const HELD_EVENTS = 3 * 2 + 2;

/** What can happen beside them: event by event, whose it is, and its parameters. */
type Step = readonly [id: string, tid: number, params: Readonly<Record<string, ParamValue>>];

function born(tid: number, ptid: number, { flags = 0, comm = "sh" } = {}): Step[] {
  const child = { ...program(comm, tid, flags ? ptid : tid, flags ? 1 : ptid), flags };
  return [
    ["SYSCALL_CLONE_20_X", ptid, { ...program(comm, ptid, ptid, 1), res: tid, flags }],
    ["SYSCALL_CLONE_20_X", tid, { ...child, res: 0 }],
  ];
}

function executed(tid: number, comm: string, more: Readonly<Record<string, ParamValue>>): Step {
  return ["SYSCALL_EXECVE_19_X", tid, {
    ...program(comm, tid, tid, 10),
    ...{ res: 0, env: list("A=b"), tty: 0, vpgid: tid, loginuid: 5, flags: 0, pgid: tid },
    ...{ cap_inheritable: 0, cap_permitted: 0, cap_effective: 0, exe_ino: 7, exe_ino_ctime: 5n },
    ...{ exe_ino_mtime: 6n, trusted_exepath: `/usr/bin/${comm}`, filename: comm, ...more },
  }];
}

function ended(tid: number, reaper: number): Step {
  return ["PROCEXIT_1_E", tid, { status: 0, ret: 0, sig: 0, core: 0, reaper_tid: reaper }];
}

/** The three begin, then the steps come, then the three end. */
function captureOf(steps: readonly Step[]): PutCapture {
  const capture = new PutCapture({ bootTs: START_NS });
  const all = [
    ...[1, 10, 11, 20, 21].map((tid) => executed(tid, "sh", {})),
    ...born(21, 20),
    ...HELD.flatMap((tid) => born(tid, 11)),
    ...HELD.slice(1).map((tid) => executed(tid, "cat", { ptid: 11 })),
    ...steps,
    ...HELD.map((tid) => ended(tid, 0)),
  ];
  for (const [at, [id, tid, params]] of all.entries()) {
    capture.put({ id, tid, params, time: START_NS + BigInt(at) * 1_000_000n });
  }
  return capture;
}

const OUTPUT = '"%evt.num %proc.name %proc.sname %proc.pgid.name %proc.vpgid.name %proc.aname"';
const RULES = ruleText("looks", "evt.type in (execve, unlink) and proc.name = nc", {
  output: OUTPUT,
}) +
  ruleText("env", JSON.stringify('evt.type = execve and proc.env contains "EVIL="'), {
    output: OUTPUT,
  }) +
  ruleText("either", "evt.type = unlink or (evt.type = execve and proc.name = crontab)", {
    output: OUTPUT,
  }) +
  ruleText("user", "evt.type = execve and user.uid = 5", { output: OUTPUT }) +
  ruleText(
    "memory",
    "evt.type = execve and evt.failed = true and proc.is_exe_from_memfd = true",
    { output: OUTPUT },
  ) +
  ruleText("parent", "evt.type = execve and proc.pname in (nc, postgres) and proc.name != nc", {
    output: OUTPUT,
  });

/** Events that are passed over besides those of the three, which all are. */
function passedBeside(steps: readonly Step[], what = ""): number {
  using capture = captureOf(steps);
  return compare([capture.file()], rulesStart(RULES), what) - HELD_EVENTS - HELD.length;
}

const NOTHING = passedBeside([]);

Deno.test("what happens beside them tells of no process that is held back", () => {
  ok(NOTHING >= 0, `${NOTHING}`);
  const cases: Readonly<Record<string, readonly Step[]>> = {
    "a process with children ends": [ended(20, 1)],
    "a process with children ends, and nobody takes them in": [ended(20, 0)],
    "a program that a rule wants begins": [executed(10, "nc", {})],
    "one with others for leaders does": [executed(10, "nc", { pgid: 20, vpgid: 21 })],
    "one that nobody knows begins another program": [executed(77, "nc", {})],
    "a thread begins": born(78, 10, { flags: CL_THREAD }),
  };
  for (const [what, steps] of Object.entries(cases)) {
    strictEqual(passedBeside(steps), NOTHING, what);
  }
});

Deno.test("who takes in children, leads or is of a rule's environment is told of", () => {
  const cases: Readonly<Record<string, readonly Step[]>> = {
    "their parent takes children in": [ended(20, 11)],
    "one of them leads another": [executed(10, "nc", { pgid: 301, vpgid: 302 })],
    "one of them has an environment that is asked for": [
      executed(300, "cat", { ptid: 11, env: list("EVIL=1") }),
    ],
    "one of them is what either half of a rule asks for": [
      executed(300, "crontab", { ptid: 11 }),
    ],
    "one of them executes below another parent than it was born of": [
      executed(300, "cat", { ptid: 10 }),
    ],
  };
  for (const [what, steps] of Object.entries(cases)) {
    ok(passedBeside(steps) < NOTHING, what);
  }
});

Deno.test("a program that a rule wants of some parents alone is held back below others", () => {
  const below = (comm: string) =>
    passedBeside([
      executed(11, comm, {}),
      ...born(303, 11),
      executed(303, "cat", { ptid: 11 }),
      ended(303, 0),
    ]);
  strictEqual(below("bash"), below("cron"));
  // Its program and its end; its birth is told late, which is no event told at once.
  strictEqual(below("bash") - below("postgres"), 2);
});

Deno.test("a program that is looked for in vain is held back unless a rule wants who looks", () => {
  const vain = (comm: string): Step => ["SYSCALL_EXECVE_19_X", 303, {
    ...program(comm, 303, 303, 11),
    ...{ res: -2, env: list("A=b"), filename: "none" },
  }];
  const becomes = (uid: number, res = 0): Step => ["SYSCALL_SETUID_X", 303, { res, uid }];
  const beside = (...steps: readonly Step[]) =>
    passedBeside([
      ...born(303, 11),
      ...steps,
      executed(303, "cat", { ptid: 11 }),
      ended(303, 0),
    ]);
  strictEqual(beside(vain("sh"), vain("sh")) - beside(), 2);
  const begun = executed(303, "cat", { ptid: 11 });
  strictEqual(beside(begun, vain("cat")) - beside(begun), 1);
  // It is another user; or one that its events do not tell.
  for (const user of [becomes(5), becomes(0), becomes(5, -1)]) {
    ok(beside(user, vain("sh")) < beside(user));
  }
});

Deno.test("who looks in vain has of its parent what that one's executable is", () => {
  const memfd = 1 << 2;
  const vain = (tid: number): Step => ["SYSCALL_EXECVE_19_X", tid, {
    ...program("cat", tid, tid, 303),
    ...{ res: -2, env: list("A=b"), filename: "none" },
  }];
  const child = (flags: number, ...last: readonly Step[]) => [
    ...born(303, 11),
    ...born(304, 303),
    ended(304, 0),
    executed(303, "cat", { ptid: 11, flags }),
    ...born(305, 303, { comm: "cat" }),
    ...last,
  ];
  strictEqual(passedBeside(child(0, vain(305))) - passedBeside(child(0)), 1);
  strictEqual(passedBeside(child(memfd, vain(305))), passedBeside(child(memfd)));
});

Deno.test("an id that comes back is told of alike, whether its ends were held back or told", () => {
  // Held back: nobody asks for it. Told: it executes what a rule wants. The creator's side of a
  // call counts unless one that it made has just ended, of which the last end is remembered.
  const held = (tid: number, ptid: number) => [...born(tid, ptid), ended(tid, 0)];
  const told = (tid: number, ptid: number) => [
    ...born(tid, ptid),
    executed(tid, "nc", { ptid }),
    ended(tid, 0),
  ];
  const late = (tid: number, ptid: number) => [
    born(tid, ptid)[0]!,
    ["SYSCALL_UNLINK_2_X", tid, { res: 0, path: "/a" }] as Step,
  ];
  const cases: Readonly<Record<string, readonly Step[]>> = {
    "the last was told, of another": [...held(400, 11), ...told(400, 10), ...late(400, 11)],
    "the last was told, of the same": [...held(400, 11), ...told(400, 11), ...late(400, 11)],
    "the last was held back, of another": [...told(400, 11), ...held(400, 10), ...late(400, 11)],
    "the last was held back, of the same": [...told(400, 10), ...held(400, 11), ...late(400, 11)],
    "another took its place, held back": [...told(400, 11), ...held(8592, 10), ...late(400, 11)],
    "another took its place, told": [...held(400, 11), ...told(8592, 10), ...late(400, 11)],
  };
  ok(passedBeside(held(400, 11)) > NOTHING);
  for (const [what, steps] of Object.entries(cases)) {
    passedBeside(steps, what);
  }
});
