// A saker to tell of in tests: shared numbers that are all set to something else, two rules, two
// CPUs.
import { codeOf } from "../events/table.ts";
import { Counter, Counters } from "../engine/contract/counters.ts";
import { Tallies } from "../engine/contract/tallies.ts";
import type { Facts, Wanted } from "./facts.ts";
import { readResources } from "./resources.ts";

export const ALL: Wanted = {
  rules: true,
  resource: true,
  state: true,
  kernel: true,
  cpu: true,
  programs: true,
  iterators: true,
  plugins: true,
  empty: false,
};

export const START_MS = 1_700_000_000_000;

export function facts(): Facts {
  const counters = new Counters();
  for (const [at, place] of Object.values(Counter).entries()) counters.set(place, 1000 + at);
  counters.set(Counter.SourceEvents, 1042);
  counters.set(Counter.StringBytes, 1051);
  // Of what is amiss there is nothing but losses.
  for (const place of [Counter.CaptureGap, Counter.CaptureStuckMs]) counters.set(place, 0);
  counters.set(Counter.LostCritical, 30);
  counters.set(Counter.LostBulk, 12);
  counters.lost[codeOf("SYSCALL_OPENAT_2_X")] = 25;
  counters.lost[codeOf("SYSCALL_CLONE3_X")] = 4;
  counters.lost[codeOf("PROCEXIT_1_E")] = 3;
  counters.lost[0] = 10;
  counters.judged[codeOf("SYSCALL_OPENAT_2_X")] = 70;
  counters.judged[codeOf("SYSCALL_CLOSE_X")] = 7;
  counters.passedOver[codeOf("SYSCALL_OPENAT_2_X")] = 900;
  for (const ms of [0.1, 3, 40, 1e9]) counters.toOutput.add(ms);
  counters.lag.add(2);
  const tallies = new Tallies({
    rules: [
      { name: 'Read "it" \\ now', priority: 4, source: "syscall", tags: ["T1555", "a-b", "a.b"] },
      { name: "Never", priority: 5, source: "syscall", tags: [] },
    ],
    programs: ["sys_exit", "seccomp", "idle"],
    cpus: 2,
  });
  tallies.matches[0] = 3;
  tallies.conditionNs.set([2e9, 5e8]);
  tallies.outputNs[0] = 1e6;
  tallies.cpuEvents.set([600, 400]);
  tallies.cpuLostCritical.set([2, 28]);
  tallies.cpuLostBulk.set([0, 12]);
  tallies.runs.set([50, 4]);
  tallies.runNs.set([5000, 10]);
  const output = {
    waiting: 1,
    written: 2,
    dropped: 3,
    droppedByPriority: [0, 0, 1, 0, 2, 0, 0, 0],
    failed: 4,
    retries: 5,
  };
  const refused = { unauthorized: 1, unwanted: 2, hostile: 3, too_large: 4, slow: 5, busy: 6 };
  return {
    audit: () => ({
      webhook: {
        ...{ requests: 30, taken: 9, events: 90, bytes: 9000, refused },
        ...{ malformed: 7, broken: 8, waiting: 1 },
      },
      files: {
        ...{ files: 2, events: 80, malformed: 6, too_long: 5 },
        ...{ shortened: 4, rotated: 3, refused: 1 },
      },
    }),
    counters,
    tallies: () => tallies,
    outputs: () => [
      { name: "stdout", state: "ok", ...output },
      {
        name: "file",
        state: "failing",
        reason: "x",
        ...output,
        lastError: { reason: "x", agoMs: 1_500 },
        spool: { alerts: 8, bytes: 900, spooled: 9, refused: 0, cut: 0 },
        clients: { open: 2, opened: 5, refused: 3, connections: 4, connections_refused: 1 },
      },
    ],
    stream: () => ({ clients: 1, dropped: 6 }),
    resources: () => readResources({ hostRoot: "" }),
    sums: () => ({
      rules: [
        { path: "/etc/falco/falco_rules.yaml", sha256: "aa" },
        { path: "/etc/falco/rules.d/falco_rules.yaml", sha256: "aa" },
      ],
      config: [{ path: "/etc/falco/falco.yaml", sha256: "bb" }],
    }),
    reload: () => ({
      generation: 2,
      sha256: "cc",
      atMs: START_MS + 5_000,
      refusals: 3,
      refusal: "no",
      restart: ["webserver.listen_port"],
    }),
    falcoVersion: "0.45.0",
    sakerVersion: "0.1.0",
    hostname: "host.example",
    kernelRelease: "6.1.0",
    cpus: 2,
    driver: "modern_bpf",
    startedMs: START_MS,
  };
}
