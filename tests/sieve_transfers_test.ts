// The sieve over captures holds back data that tells the engine nothing new, and knows directories
// that are told: the same alerts with it and without it. SAKER_TEST_TRANSFERS: from which seed on,
// and how many, instead of those kept here.
import { match, ok } from "node:assert";
import { ruleText } from "../src/rules/load_fixture.ts";
import { type ChanceEvent, rulesByChance } from "../src/sieve/chance_fixture.ts";
import { PutCapture } from "./put_capture.ts";
import { list, program } from "./sieve_captures.ts";
import { byChance } from "./sieve_chance.ts";
import { compared, rulesStart, type RunResult } from "./sieve_runs.ts";

/** What a replay of the events tells, which is the same without the sieve. */
function replayedOf(events: readonly ChanceEvent[], rules: string): RunResult {
  const bootTs = 1_700_000_000_000_000_000n;
  using capture = new PutCapture({ bootTs });
  for (const [at, event] of events.entries()) {
    capture.put({ ...event, time: bootTs + BigInt(at) });
  }
  return compared([capture.file()], rulesStart(rules), rules);
}

const [FROM, COUNT] = (Deno.env.get("SAKER_TEST_TRANSFERS") ?? "7001 240").split(" ").map(Number);

Deno.test("a replay tells the same with the sieve where data goes through by chance", () => {
  const show = '"%evt.num %evt.type %fd.num %fd.name %fd.type %fd.connected %fd.sip %fd.sport ' +
    '%fd.cip %fd.cport %fd.l4proto %fd.is_server %proc.name %proc.cwd %proc.aname"';
  byChance(FROM!, COUNT!, (chance) =>
    rulesByChance(chance, 2) + ruleText(
      "data",
      JSON.stringify(chance.of([
        "evt.type in (sendto, recvfrom) and fd.name exists",
        "evt.type = connect",
        "evt.type in (connect, accept4) and fd.connected = true",
        "evt.type in (write, writev) and fd.connected = true",
        "evt.type = read and fd.name contains 127",
        "evt.type = fchmod",
        "evt.type in (dup, dup2, fcntl)",
        "evt.type = close and fd.connected = true",
        "evt.type = getcwd",
        "evt.type = chdir and proc.cwd startswith /etc",
        "evt.type in (openat, unlinkat) and proc.cwd = /etc/b/",
        "evt.type = prctl and proc.name = sh",
        "evt.type = execve",
      ])),
      { output: show },
    ), "transfers");
});

Deno.test("a replay shows names below descriptors of the process where a thread has others", () => {
  const opened = (tid: number, fd: number, dirfd: number, name: string): ChanceEvent => ({
    id: "SYSCALL_OPENAT_2_X",
    tid,
    params: { fd, dirfd, name, flags: 1, mode: 0, dev: 1, ino: 7n },
  });
  const thread = { ...program("t", 13, 13, 1), res: 10, flags: 1 << 13 | 1 << 0 };
  const executed = { ...program("b", 10, 10, 1), res: 0, env: list("A=b"), flags: 0 };
  const { alerts } = replayedOf([
    opened(13, 4, -100, "/etc"),
    { id: "SYSCALL_CLONE_20_X", tid: 13, params: thread },
    {
      id: "SYSCALL_EXECVE_19_X",
      tid: 10,
      params: { ...executed, filename: "b", pgid: 1, vpgid: 1 },
    },
    { id: "SOCKET_SOCKET_X", tid: 13, params: { fd: 4, domain: 2, type: 1, proto: 6, flags: 0 } },
    opened(10, -13, 4, "./a"),
  ], ruleText("failed", "evt.type = openat and evt.failed = true", { output: "%evt.args" }));
  match(alerts.join("\n"), /name=\.\/a\(a\)/);
});

// Its own call tells which process it is, or the first event of the thread that it made.
for (const [who, tid, res] of [["its own call", 13, 11], ["a thread of its", 11, 0]] as const) {
  Deno.test(`a replay knows where a name started although ${who} told of its process later`, () => {
    const opened = (fd: number, name: string): ChanceEvent => ({
      id: "SYSCALL_OPENAT_2_X",
      tid: 13,
      params: { fd, dirfd: -100, name, flags: 1, mode: 0, dev: 1, ino: BigInt(fd) },
    });
    const made = { ...program("t", tid, 13, 1), res, flags: 1 << 13 | 1 << 0 };
    // The first two make its thread known, the third is held back.
    const { alerts, passed } = replayedOf([
      ...[opened(9, "/etc/q"), opened(8, "/etc/q"), opened(3, "..b")],
      { id: "SYSCALL_CLONE_20_X", tid, params: made },
      { id: "SYSCALL_FCHMOD_X", tid: 13, params: { res: 0, fd: 3, mode: 1 } },
    ], ruleText("mode", "evt.type = fchmod", { output: "%fd.name" }));
    match(alerts.join("\n"), /"fd.name":"\.\/\.\.b"/);
    ok(passed > 0, `${passed}`);
  });
}
