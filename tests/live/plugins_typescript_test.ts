// Plugins in TypeScript in the built executable: the one that README.md shows fires its rule, those
// that do harm are told and started anew, and the watch on system calls misses nothing meanwhile.
import { ok } from "node:assert";
import { assertEquals } from "./expect.ts";
import { eventually, runSaker, Saker } from "./saker.ts";
import { isRoot, Place, shell, triggersOf } from "./trigger.ts";

const README = Deno.readTextFileSync(new URL("../../README.md", import.meta.url));
const OPENS = 100;

/** What each does once it has given an event. */
const HARM: Readonly<Record<string, string>> = {
  throws: "throw new Error('over');",
  rejects: "Promise.reject(new Error('nobody waits')); await pause(60_000);",
  garbage: "yield 5;",
  leaks: "const all = []; for (;;) { all.push(new Uint8Array(1 << 23).fill(1)); await pause(20); }",
  loops: "await pause(50); for (;;);",
  // V8 does not end it; in a process of its own that goes with it.
  swells: "await pause(50); const all = new Set([0]); all.forEach((n) => all.add(n + 1));",
  exits: "(Deno as any).exit?.(3); (globalThis as any).process?.exit?.(3); throw new Error('no');",
};

/** Those whose thread is in a process of its own. */
const OWN_PROCESS = new Set(["swells", "leaks", "loops"]);

interface Told {
  readonly name: string;
  readonly restarts: number;
  readonly errors: number;
}

/** An indented block of README.md that begins with that text. */
function shown(start: string): string {
  const at = README.indexOf(`    ${start}`);
  ok(at >= 0, `README.md does not show ${start}`);
  const [block] = README.slice(at).split(/\n(?=\S)|\n\n(?= {4}(?:- rule|plugins):)/);
  return `${block!.replaceAll(/^ {4}/gm, "").trimEnd()}\n`;
}

Deno.test({
  name: "README's plugin in TypeScript fires its rule while others do harm",
  ignore: !isRoot(),
  async fn() {
    await using place = new Place();
    const { marker } = place;
    const log = place.file("doors.jsonl");
    Deno.writeTextFileSync(log, "");
    Deno.writeTextFileSync(place.file("doors.ts"), shown("import { defineFields, defineSource }"));
    const entries = shown("plugins:\n      - name: doors")
      .replace("./doors.ts", place.file("doors.ts"))
      .replaceAll("/var/log/doors.jsonl", log);
    const harm = Object.entries(HARM).map(([name, body]) => {
      Deno.writeTextFileSync(
        place.file(`${name}.ts`),
        `const pause = (ms: number) => new Promise((go) => setTimeout(go, ms));
        export const source = { name: "h_${name}", async *events() { yield "first"; ${body} } };\n`,
      );
      const path = place.file(`${name}.ts`);
      const own = OWN_PROCESS.has(name) ? ", in_process: false" : "";
      return `  - {name: h_${name}, library_path: ${path}, memory_mb: 128${own}}\n`;
    });
    const config = place.file("falco.yaml");
    Deno.writeTextFileSync(config, `${entries}${harm.join("")}json_output: true\n`);
    const file = place.file("rules.yaml");
    Deno.writeTextFileSync(
      file,
      shown("- rule: Strange badge at the vault") + Object.keys(HARM).map((name) =>
        `- rule: Event of ${name}
  desc: d
  condition: evt.num >= 0
  output: "event of ${name}"
  priority: NOTICE
  source: h_${name}
`
      ).join("") + `- rule: Marked file opened
  desc: d
  condition: evt.type in (open, openat) and fd.name contains ${marker}-n and ${triggersOf(marker)}
  output: "%fd.name"
  priority: NOTICE
`,
    );
    // A plugin that is away makes saker degraded: it is not waited for its being well.
    await using saker = Saker.launch([marker, "Strange badge"], {
      args: ["-c", config, "-r", file],
    });
    await eventually("saker to watch", () =>
      /rules, \d+ programs/.test(saker.told) || undefined);
    const script = `i=0; while [ $i -lt ${OPENS} ]; do : > $1/${marker}-n$i-; i=$((i+1)); done`;
    await shell(marker, script, [place.path]);
    for (const name of Object.keys(HARM)) {
      await eventually(`the harm of ${name} to be noticed`, async () => {
        const all = ((await saker.health())?.body["plugins"] ?? []) as readonly Told[];
        const one = all.find((told) => told.name === `h_${name}`);
        return one !== undefined && one.restarts > 0 && one.errors > 0 || undefined;
      });
    }
    await shell(marker, script, [place.path]);
    for (let at = 0; at < OPENS; at++) {
      await eventually(
        `the alerts of file ${at}`,
        () =>
          saker.alerts().filter(({ output_fields }) =>
              `${output_fields["fd.name"]}`.endsWith(`-n${at}-`)
            ).length >= 2 || undefined,
      );
    }
    Deno.writeTextFileSync(log, '{"door":"vault","badge":7}\n{"door":"vault","badge":4711}\n');
    await eventually(
      "the alert of README's rule",
      () => saker.alerts().some((alert) => alert.source === "doors") || undefined,
    );
    await eventually("the restart to be told", () => {
      return /plugin h_throws: over \(throws\.ts:2\); it is started anew in 1 s/.test(saker.told) ||
        undefined;
    });
    const { code } = await saker.stop();
    assertEquals(code, 0);
  },
});

Deno.test("README's plugin needs its grant, and no driver", async () => {
  await using place = new Place();
  const log = place.file("doors.jsonl");
  const lines = '{"door":"vault","badge":7}\n{"door":"gate","badge":4711}\n';
  Deno.writeTextFileSync(log, `${lines}{"door":"vault","badge":4711}\n`);
  Deno.writeTextFileSync(place.file("doors.ts"), shown("import { defineFields, defineSource }"));
  const rule = place.file("rules.yaml");
  Deno.writeTextFileSync(rule, shown("- rule: Strange badge at the vault"));
  const entries = shown("plugins:\n      - name: doors")
    .replace("./doors.ts", place.file("doors.ts"))
    .replaceAll("/var/log/doors.jsonl", log);
  const run = (config: string) => {
    Deno.writeTextFileSync(place.file("falco.yaml"), `${config}engine: {kind: nodriver}\n`);
    const args = ["-c", place.file("falco.yaml"), "-r", rule, "-M", "3"];
    return runSaker([...args, "-o", "json_output=true", "-o", "webserver.enabled=false"]);
  };
  const { code, stdout, stderr } = await run(entries);
  assertEquals(code, 0, stderr);
  const alerts = stdout.trim().split("\n").map((line) => JSON.parse(line));
  assertEquals(alerts.map(({ output_fields }) => output_fields["door.badge"]), [4711]);
  assertEquals(alerts[0].source, "doors");
  const refused = await run(entries.replace(/permissions: .*/, ""));
  assertEquals(refused.code, 1);
  ok(
    refused.stderr.includes(
      `Cannot load plugin 'doors' (${place.file("doors.ts")}): it asks for read "${log}", which ` +
        "plugins[].permissions does not grant",
    ),
    refused.stderr,
  );
});
