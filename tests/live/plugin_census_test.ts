// A plugin that parses system calls with the table of threads, sends events of its own, and
// listens: its column counts executions of threads, its events are judged by their name.
import { gunzipSync } from "node:zlib";
import { assert, assertEquals, assertIncludes } from "./expect.ts";
import { rustPlugin } from "../plugins/build.ts";
import { recorded } from "./recording.ts";
import { eventually, runSaker, Saker } from "./saker.ts";
import { isRoot, Place, shell, triggersOf } from "./trigger.ts";

function rules(marker: string): string {
  return `- rule: Executed again
  desc: d
  condition: >
    evt.type in (execve, execveat) and census.executions > 1 and census.args intersects
    (${marker}) and ${triggersOf(marker)}
  output: >
    ${marker} %census.executions %census.comm %census.program[true] %census.fds
    %census.rounds
  priority: NOTICE
- rule: Tick
  desc: d
  condition: evt.type = census.tick and evt.is_async = true
  output: "${marker} %evt.type %evt.asynctype %evt.source"
  priority: NOTICE
`;
}

Deno.test({
  name: "a plugin counts executions of each thread, and its own events match rules by name",
  ignore: !isRoot(),
  async fn() {
    await using place = new Place();
    const { marker } = place;
    const library = await rustPlugin("census");
    const config = place.file("falco.yaml");
    Deno.writeTextFileSync(
      config,
      `plugins:
  - name: census
    library_path: ${library}
    init_config: tick=50
load_plugins: [census]
json_output: true
`,
    );
    const file = place.file("rules.yaml");
    Deno.writeTextFileSync(file, rules(marker));
    await using saker = await Saker.start([marker], { args: ["-c", config, "-r", file] });
    assertIncludes(
      saker.told,
      "'census' runs in saker's own process, since it parses system calls",
    );
    const tick = await eventually(
      "an event of the plugin's own",
      () => saker.alerts().find(({ rule }) => rule === "Tick"),
    );
    assertIncludes(tick.output, `${marker} census.tick census.tick syscall`);
    // Three executions of one thread, each in the place of the one before.
    await shell(marker, `exec /bin/sh -c 'exec /bin/true "$0"' "$0"`);
    const again = await eventually(
      "an alert of the thread's third execution",
      () =>
        saker.alerts().find(({ rule, output_fields }) =>
          rule === "Executed again" && output_fields["census.comm"] === "true"
        ),
    );
    const { output_fields } = again;
    assertEquals(output_fields["census.executions"], 3);
    assert(Number(output_fields["census.program[true]"]) >= 1, JSON.stringify(output_fields));
    assert(Number(output_fields["census.rounds"]) >= 1, JSON.stringify(output_fields));
    await eventually("its work to be counted", async () => {
      const all = ((await saker.health())?.body["plugins"] ?? []) as readonly Work[];
      const one = all.find(({ name }) => name === "census");
      return one !== undefined && one.parsed >= 3 && one.sent >= 1 && one.asked >= 5 &&
          one.questions >= 5 || undefined;
    });
    assertEquals((await saker.stop()).code, 0);
  },
});

interface Work {
  readonly name: string;
  readonly questions: number;
  readonly asked: number;
  readonly parsed: number;
  readonly sent: number;
}

Deno.test({
  name: "a recording begins with the state that a plugin tells, and replays hold it",
  ignore: !isRoot(),
  async fn() {
    await using place = new Place();
    const { marker } = place;
    const config = place.file("falco.yaml");
    Deno.writeTextFileSync(
      config,
      `plugins:
  - {name: census, library_path: ${await rustPlugin("census")}, init_config: tick=50}
json_output: true
stdout_output: {enabled: true}
webserver: {enabled: false}
`,
    );
    const file = place.file("rules.yaml");
    Deno.writeTextFileSync(file, rules(marker));
    const capture = place.file("census.scap");
    const settings = ["-c", config, "-r", file];
    const live = await recorded(capture, settings, async () => {
      // Ticks come before, meanwhile and after.
      await shell(marker, `sleep 0.3; exec /bin/sh -c 'sleep 0.3; exec /bin/true "$0"' "$0"`);
    });
    assertEquals(live.code, 0, live.told.join("\n"));
    const bytes = gunzipSync(Deno.readFileSync(capture)).toString("latin1");
    assertEquals(bytes.split("census.state").length - 1, 1);
    const { code, stdout, stderr } = await runSaker([...settings, "replay", capture]);
    assertEquals(code, 0, stderr);
    const outputs = (text: string, rule: string) =>
      text.split("\n").filter((line) => line.includes(marker) && line.includes(`"rule":"${rule}"`))
        .map((line) => JSON.parse(line).output as string);
    // Those before the first other event are part of the state, as in Falco.
    const ticks = outputs(stdout, "Tick");
    assert(ticks.length > 0, "no event of the plugin's own was recorded");
    assertEquals(ticks, outputs(live.stdout, "Tick").slice(-ticks.length));
    // The recording does not know what the plugin saw before it.
    const again = outputs(live.stdout, "Executed again");
    assertEquals(outputs(stdout, "Executed again").length, again.length);
  },
});
