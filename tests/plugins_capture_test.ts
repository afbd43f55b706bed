// Captures with events of plugins, by the built binary: what is recorded of a plugin's source, and
// what such captures give when they are replayed, tested against and explained. No root is needed.
import { match as assertMatch } from "node:assert";
import { assertEquals } from "./live/expect.ts";
import { runSaker } from "./live/saker.ts";
import { Place } from "./live/trigger.ts";
import { writeCapture } from "./capture_file.ts";
import { cPlugin } from "./plugins/build.ts";

const LINES = 150;
const FIRST_NS = "1700000000000000000";

const RULES = `- required_plugin_versions:
    - {name: lines, version: 0.3.0}
- rule: Fours
  desc: d
  condition: lines.digits intersects (4) and lines.even = true
  output: "%lines.number %lines.key[n] %lines.words %evt.pluginname %evt.plugininfo"
  priority: NOTICE
  source: lines
- rule: Anything of the host
  desc: d
  condition: evt.num >= 0
  output: "%evt.type %fd.name"
  priority: NOTICE
  warn_evttypes: false
`;

const DOORS = `import { defineFields, defineSource } from "saker/plugin";
export const plugin = { name: "doors", version: "1.0.0" };
export const source = defineSource({
  name: "doors",
  id: 997,
  *events() {
    yield { door: "vault", badge: 4711 };
  },
});
export const fields = defineFields({
  "door.name": { type: "string", desc: "The door", value: (event) => event.json?.door },
  "door.badge": { type: "uint64", desc: "The badge", value: (event) => event.json?.badge },
});
`;

const DOORS_RULE = `- rule: Strange badge
  desc: d
  condition: door.name = vault and door.badge > 1000
  output: "badge %door.badge"
  priority: WARNING
  source: doors
`;

/** A place with both plugins, their rules and the configuration that loads them. */
class Stage extends Place {
  readonly config: string = this.file("falco.yaml");
  readonly rules: string = this.file("rules.yaml");

  async set(): Promise<void> {
    Deno.writeTextFileSync(this.file("doors.ts"), DOORS);
    const params = `count=${LINES} time=${FIRST_NS}`;
    Deno.writeTextFileSync(
      this.config,
      `plugins:
  - {name: lines, library_path: ${await cPlugin("lines")}, open_params: "${params}"}
  - {name: doors, library_path: ${this.file("doors.ts")}}
json_output: true
webserver: {enabled: false}
`,
    );
    Deno.writeTextFileSync(this.rules, RULES + DOORS_RULE);
  }

  saker(args: readonly string[]): ReturnType<typeof runSaker> {
    return runSaker(["-c", this.config, "-r", this.rules, ...args], { env: { TZ: "UTC" } });
  }

  /** Its alerts without what numbers them in a run. */
  async alerts(args: readonly string[]): Promise<Record<string, unknown>[]> {
    const { code, stdout, stderr } = await this.saker(args);
    assertEquals(code, 0, stderr);
    return stdout.trim().split("\n").filter((line) => line !== "").map((line) => {
      const { id: _id, seq: _seq, ...alert } = JSON.parse(line);
      return alert;
    });
  }
}

Deno.test("a recording of a plugin's source gives the alerts that the source gave", async () => {
  await using place = new Stage();
  await place.set();
  const live = await place.alerts(["--enable-source=lines"]);
  const numbers = Array.from({ length: LINES }, (_, at) => at)
    .filter((at) => at % 2 === 0 && `${at}`.includes("4"));
  assertEquals(
    live.map(({ output_fields }) => (output_fields as Record<string, unknown>)["lines.number"]),
    numbers,
  );
  const capture = place.file("lines.scap");
  const recorded = await place.saker(["record", capture, "--enable-source", "lines"]);
  assertEquals(recorded.code, 0, recorded.stderr);
  assertMatch(recorded.stderr, new RegExp(`Recorded ${LINES} events,.* 0 lost`));
  assertEquals(await place.alerts(["replay", capture]), live);
  // What a filter on the plugin's fields takes, out of the recording.
  const some = place.file("some.scap");
  const filter = ["--filter", "lines.number < 45", "--enable-source", "lines"];
  const filtered = await place.saker(["record", some, "--read", capture, ...filter]);
  assertMatch(filtered.stderr, /Recorded 45 events,/);
  const few = await place.alerts(["replay", some]);
  assertEquals(
    few.map(({ output_fields }) => (output_fields as Record<string, unknown>)["lines.number"]),
    [4, 14, 24, 34, 40, 42, 44],
  );
});

Deno.test("a rule on a plugin's source writes the events around its alert", async () => {
  await using place = new Stage();
  await place.set();
  Deno.writeTextFileSync(
    place.rules,
    RULES + DOORS_RULE.replace("\n  desc", "\n  capture: true$&"),
  );
  const options = [
    "-o",
    "capture.enabled=true",
    "-o",
    `capture.path_prefix=${place.file("around")}`,
  ];
  const live = await place.alerts([...options, "--enable-source=doors"]);
  assertEquals(live.map(({ rule }) => rule), ["Strange badge"]);
  const files = [...Deno.readDirSync(place.path)].map(({ name }) => name)
    .filter((name) => name.startsWith("around_"));
  assertEquals(files.length, 1);
  assertEquals(await place.alerts(["replay", place.file(files[0]!)]), live);
});

Deno.test("of a capture each source's rules judge its own events alone", async () => {
  await using place = new Stage();
  await place.set();
  const capture = place.file("mixed.scap");
  const second = 1_700_000_000;
  writeCapture(capture, [
    { path: "/first", second },
    { plugin: 999, data: "line 4 n=4", second: second + 1 },
    { plugin: 997, data: '{"door":"vault","badge":4711}', second: second + 2 },
    { plugin: 77, data: "nobody's", second: second + 3 },
    { path: "/second", second: second + 4 },
    { plugin: 997, data: '{"door":"gate","badge":4711}', second: second + 5 },
  ]);
  const told = (await place.alerts(["replay", capture]))
    .map(({ source, rule, output }) =>
      `${source}: ${rule}: ${output}`.replace(/\d\d:\d\d:\d\d\.\d+: \w+ /, "")
    );
  assertEquals(told.toSorted(), [
    "doors: Strange badge: badge 4711",
    "lines: Fours: 4 4 (line,4,n=4) lines [line 4 n=4]",
    "syscall: Anything of the host: openat /first",
    "syscall: Anything of the host: openat /second",
  ]);
  const tests = place.file("all_test.yaml");
  Deno.writeTextFileSync(
    tests,
    `rules: [rules.yaml]
cases:
  - {name: captured, capture: mixed.scap, fires: [Fours, Strange badge], quiet: []}
  - name: by hand
    source: doors
    events: [{fields: {door.name: vault, door.badge: 1001}}]
    fires: [Strange badge]
    quiet: others
  - name: too low
    source: doors
    events: [{fields: {door.name: vault, door.badge: 1000}}]
    quiet: others
`,
  );
  const tested = await place.saker(["rules", "test", tests]);
  assertEquals(tested.stdout, "3 passed, 0 failed\n", tested.stderr);
  const explained = await place.saker(["explain", "Strange badge", "--event", capture]);
  assertMatch(explained.stdout, /fires on this pluginevent event/);
  assertMatch(explained.stdout, /door\.badge > 1000 {3}\[door\.badge is 4711\]/);
});

Deno.test("a recording and a case name sources that there are", async () => {
  await using place = new Stage();
  await place.set();
  const told = async (args: readonly string[]) => {
    const { code, stdout, stderr } = await place.saker(args);
    assertEquals(code, 1, stderr);
    return stdout + stderr;
  };
  const record = ["record", place.file("none.scap")];
  assertEquals(
    await told([...record, "--enable-source=windows"]),
    "Error: Cannot record the source 'windows': expected syscall, lines, doors\n",
  );
  assertEquals(
    await told([...record, "--enable-source=lines", "--enable-source=doors"]),
    "Error: A recording is of one source: --enable-source names lines and doors\n",
  );
  assertMatch(
    await told([...record, "--enable-source=doors", "--filter", "lines.number > 1"]),
    /^Error: Cannot use the filter "lines\.number > 1": .*lines\.number/m,
  );
  const tests = place.file("all_test.yaml");
  Deno.writeTextFileSync(
    tests,
    "rules: [rules.yaml]\ncases:\n  - {name: a, source: windows, event: {}, quiet: others}\n",
  );
  assertMatch(
    await told(["rules", "test", tests]),
    /all_test\.yaml:3:23: there is no source "windows": expected syscall, k8s_audit, lines, doors/,
  );
});
