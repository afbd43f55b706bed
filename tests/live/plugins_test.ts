// Plugins beside system calls in one saker: rules on their fields fire, rules change under way for
// all sources at once, and versions, health and metrics tell of them.
import { match } from "node:assert";
import { cPlugin } from "../plugins/build.ts";
import { assert, assertEquals, assertIncludes } from "./expect.ts";
import { eventually, Saker } from "./saker.ts";
import { isRoot, Place, shell, triggersOf } from "./trigger.ts";

function rules(marker: string, word: string): string {
  return `- rule: Marked file opened
  desc: d
  condition: evt.type in (open, openat) and fd.name contains ${marker} and ${triggersOf(marker)}
  output: "${word} %fd.name"
  priority: NOTICE
- rule: Line
  desc: d
  condition: lines.even = true and lines.net = 10.0.0.0/8 and lines.digits intersects (4)
  output: "${word} %lines.number %lines.text %lines.words %lines.word[0] %evt.pluginname"
  priority: NOTICE
  source: lines
- rule: Other line
  desc: d
  condition: other.number >= 0 and evt.source = other
  output: "${word} other %other.key[n] %other.text"
  priority: NOTICE
  source: other
- rule: Nobody's
  desc: d
  condition: evt.num > 0
  output: "x"
  priority: NOTICE
  source: nobodys
`;
}

Deno.test({
  name: "rules on fields of plugins fire beside those on system calls, and change with them",
  ignore: !isRoot(),
  async fn() {
    await using place = new Place();
    const { marker } = place;
    const lines = await cPlugin("lines");
    const other = await cPlugin("lines", { LINES_NAME: '"other"', LINES_ID: "998" });
    const config = place.file("falco.yaml");
    Deno.writeTextFileSync(
      config,
      `plugins:
  - name: lines
    library_path: ${lines}
    init_config: {prefix: ${marker}}
    open_params: "rate=50 count=1000000 end=wait"
  - name: other
    library_path: ${other}
    init_config: {prefix: ${marker}}
    open_params: "count=20 end=eof"
json_output: true
metrics: {enabled: true, output_rule: false}
webserver: {prometheus_metrics_enabled: true}
`,
    );
    const file = place.file("rules.yaml");
    Deno.writeTextFileSync(file, rules(marker, "first"));
    await using saker = await Saker.start([marker], { args: ["-c", config, "-r", file] });
    const seen = (source: string, word: string, what = "") =>
      eventually(
        `an alert of ${source} by the rules "${word}"`,
        () =>
          saker.alerts().find((alert) =>
            alert.source === source && alert.output.includes(`${word} `) &&
            alert.output.includes(what)
          ),
      );
    const marked = place.file("marked");
    Deno.writeTextFileSync(marked, "");
    await shell(marker, `true < ${marked}`);
    await seen("syscall", "first");
    const line = await seen("lines", "first");
    assertEquals(line.rule, "Line");
    const number = Number(line.output_fields["lines.number"]);
    assert(number % 2 === 0 && `${number}`.includes("4"), `${number}`);
    match(line.output, new RegExp(`^.*first ${number} ${marker} ${number} n=${number} `));
    assertIncludes(line.output, ` (${marker},${number},n=${number}`);
    match(line.output, / lines$/);
    await seen("other", "first", "other 19 ");

    const get = async (path: string) => {
      const response = await fetch(`http://127.0.0.1:${saker.port}${path}`);
      return await response.text();
    };
    const versions = JSON.parse(await get("/versions"));
    assertEquals(versions.plugin_versions.lines, "0.3.1");
    const metrics = await eventually("metrics of the plugins", async () => {
      const text = await get("/metrics");
      return text.includes("falcosecurity_plugins_lines_") ? text : undefined;
    });
    match(metrics, /^saker_plugin_up\{plugin="lines",source="lines"\} 1$/m);
    match(metrics, /^saker_plugin_source_events_total\{source="other"\} 20$/m);
    const health = await eventually("health of the plugins", async () => {
      const { plugins, plugin_sources } = (await saker.health())?.body as unknown as PluginsBody;
      const isWhole = plugins?.length === 2 && plugins.every(({ questions }) => questions > 0);
      return isWhole ? { plugins, plugin_sources } : undefined;
    });
    const told = health.plugins.find(({ name }) => name === "lines")!;
    assertEquals([told.state, told.restarts, told.errors], ["running", 0, 0]);
    assert(told.asked >= told.questions, JSON.stringify(told));
    match(
      await get("/metrics"),
      /^saker_plugin_asked_total\{plugin="lines",source="lines"\} [1-9]/m,
    );
    assertEquals(health.plugin_sources.find(({ source }) => source === "other")!.ended, true);
    assertIncludes(saker.told, "LOAD_UNKNOWN_SOURCE");

    Deno.writeTextFileSync(file, rules(marker, "second"));
    await seen("lines", "second");
    // Rules of all sources that there are: of system calls, lines, other.
    assertIncludes(saker.told, "Reloaded: 3 rules.");
    await shell(marker, `true < ${marked}`);
    await seen("syscall", "second");
    const { code } = await saker.stop();
    assertEquals(code, 0);
  },
});

interface PluginsBody {
  readonly plugins: readonly {
    readonly name: string;
    readonly state: string;
    readonly restarts: number;
    readonly errors: number;
    readonly questions: number;
    readonly asked: number;
  }[];
  readonly plugin_sources: readonly { readonly source: string; readonly ended: boolean }[];
}
