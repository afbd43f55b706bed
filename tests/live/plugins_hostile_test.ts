// Plugins that fail, block, crash and lie while saker watches: each is told with its name and
// started anew or waited for, and the watch on system calls misses nothing meanwhile.
import { match } from "node:assert";
import { cPlugin } from "../plugins/build.ts";
import { assert, assertEquals } from "./expect.ts";
import { eventually, Saker } from "./saker.ts";
import { isRoot, Place, shell, triggersOf } from "./trigger.ts";

/** What each does, and by what it is known that saker noticed. */
const HARM: readonly (readonly [mode: string, isNoticed: (told: Told) => boolean])[] = [
  ["next_crash", ({ restarts }) => restarts > 0],
  ["next_abort", ({ restarts }) => restarts > 0],
  ["exit", ({ restarts }) => restarts > 0],
  ["thread_crash", ({ restarts }) => restarts > 0],
  ["next_block", ({ blocked_ms }) => blocked_ms > 0],
  ["next_spin", ({ blocked_ms }) => blocked_ms > 0],
  ["signals", ({ blocked_ms }) => blocked_ms > 0],
  ["next_fail", ({ errors, restarts }) => errors + restarts > 0],
  ["next_rc", ({ errors, restarts }) => errors + restarts > 0],
  ["next_long", ({ errors, dropped, restarts }) => errors + dropped + restarts > 0],
  ["next_wild", ({ restarts }) => restarts > 0],
  ["next_count", ({ errors, restarts }) => errors + restarts > 0],
  ["extract_crash", ({ restarts }) => restarts > 0],
  ["extract_block", ({ timeouts, restarts }) => timeouts + restarts > 0],
  ["extract_huge", () => true],
  ["leak", ({ restarts }) => restarts > 0],
  // They start no process; what they print is the log's.
  ["fork", ({ state }) => state === "running"],
  ["fork_bomb", ({ state }) => state === "running"],
  ["output", ({ state }) => state === "running"],
  ["threads", ({ restarts }) => restarts > 0],
  ["close", ({ errors, restarts }) => errors + restarts > 0],
];

interface Told {
  readonly name: string;
  readonly state: string;
  readonly restarts: number;
  readonly errors: number;
  readonly dropped: number;
  readonly timeouts: number;
  readonly blocked_ms: number;
}

const OPENS = 300;

Deno.test({
  name: "plugins that do harm are told and started anew, and no system call is missed",
  ignore: !isRoot(),
  async fn() {
    await using place = new Place();
    const { marker } = place;
    const entries: string[] = [];
    const rules = [`- rule: Marked file opened
  desc: d
  condition: evt.type in (open, openat) and fd.name contains ${marker}-n and ${triggersOf(marker)}
  output: "%fd.name"
  priority: NOTICE
`];
    for (const [at, [mode]] of HARM.entries()) {
      const name = `h_${mode}`;
      const library = await cPlugin("hostile", {
        HOSTILE_NAME: `"${name}"`,
        HOSTILE_ID: `${900 + at}`,
        HOSTILE_FIELDS: `"[{\\"type\\": \\"string\\", \\"name\\": \\"${name}.text\\", ` +
          `\\"desc\\": \\"The text\\"}]"`,
      });
      entries.push(
        `  - {name: ${name}, library_path: ${library}, init_config: mode=${mode} pause=20, ` +
          `memory_mb: 256}\n`,
      );
      rules.push(`- rule: Event of ${name}
  desc: d
  condition: ${name}.text contains hostile
  output: "${marker} %${name}.text"
  priority: NOTICE
  source: ${name}
`);
    }
    const config = place.file("falco.yaml");
    Deno.writeTextFileSync(config, `plugins:\n${entries.join("")}json_output: true\n`);
    const file = place.file("rules.yaml");
    Deno.writeTextFileSync(file, rules.join(""));
    // A plugin that is away makes saker degraded: it is not waited for its being well.
    await using saker = Saker.launch([marker], { args: ["-c", config, "-r", file] });
    // Twenty plugins are started twice each, on however busy a machine.
    const watches = () => /rules, \d+ programs/.test(saker.told) || undefined;
    await eventually("saker to watch", watches, 120_000);
    const told = async () => ((await saker.health())?.body["plugins"] ?? []) as readonly Told[];
    const script = `i=0; while [ $i -lt ${OPENS} ]; do true < $1/${marker}-n$i-; i=$((i+1)); done`;
    await shell(
      marker,
      `i=0; while [ $i -lt ${OPENS} ]; do : > $1/${marker}-n$i-; ` +
        "i=$((i+1)); done",
      [place.path],
    );
    await shell(marker, script, [place.path]);
    for (const [mode, isNoticed] of HARM) {
      await eventually(`the harm of ${mode} to be noticed`, async () => {
        const one = (await told()).find(({ name }) => name === `h_${mode}`);
        return one !== undefined && isNoticed(one) || undefined;
      });
    }
    await shell(marker, script, [place.path]);
    const missing = () => OPENS * 3 - openedOf(saker, marker);
    // A machine that is too busy may lose events, of whoever's: then it is told.
    await eventually("the alerts of all files", async () => {
      const missed = missing();
      if (missed === 0) return true;
      const told = toldLosses((await saker.health())?.body);
      return missed <= told || undefined;
    }, 60_000).catch(async (error) => {
      const body = (await saker.health())?.body;
      throw new Error(
        `${missing()} alerts are missing, ${toldLosses(body)} are told as lost: ${error}`,
      );
    });
    // Each has one process and no more; who forks does not even then.
    for (const mode of ["fork", "fork_bomb", "output"]) {
      await eventually(`lines of ${mode}`, () => hasEvents(saker, mode) || undefined);
      assertEquals(processesOf(`h_${mode}`), 1);
    }
    match(saker.told, /plugin h_fork_bomb: 0 of 50 were forked/);
    match(saker.told, /plugin h_output: hostile output /);
    // What fails again and again is told now and then, with its name.
    match(saker.told, /Warning: plugin h_next_crash: /);
    assert(saker.told.split("\n").length < 500, "what plugins do floods the log");
    const { status, reason } = (await saker.health())!.body;
    assert(status === "degraded" || status === "ok", `${status}: ${reason}`);
    const { code } = await saker.stop();
    assertEquals(code, 0);
  },
});

/** Whether it goes on giving events once it does harm (after three). */
function hasEvents(saker: Saker, mode: string): boolean {
  return saker.alerts().some(({ rule, output }) =>
    rule === `Event of h_${mode}` && /hostile ([4-9]|\d\d+)$/.test(output)
  );
}

/** Alerts of the marked files. */
function openedOf(saker: Saker, marker: string): number {
  return saker.alerts().filter(({ output_fields }) =>
    `${output_fields["fd.name"]}`.includes(`${marker}-n`)
  ).length;
}

/** Events and alerts of which saker says that they did not come through. */
function toldLosses(body: Record<string, unknown> | undefined): number {
  const { critical } = (body?.["lost"] ?? {}) as Record<string, number>;
  return (critical ?? 0) + Number(body?.["alerts_dropped"] ?? 0);
}

/** Processes that were started as that plugin's, or by it. */
function processesOf(plugin: string): number {
  const title = `saker: plugin ${plugin}\0`;
  return [...Deno.readDirSync("/proc")].filter(({ name }) => {
    try {
      return /^\d+$/.test(name) && Deno.readTextFileSync(`/proc/${name}/cmdline`).startsWith(title);
    } catch {
      return false;
    }
  }).length;
}
