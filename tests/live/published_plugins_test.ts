// Falco's published plugins on the built binary, where they are given (SAKER_TEST_PLUGINS): each
// loads, lists its fields and fires a rule, in a process of its own and in saker's.
import {
  ASKED_FOR,
  libraryOf,
  named,
  PUBLISHED,
  type Published,
  type Run,
  whyNot,
} from "../plugins/published.ts";
import { childrenOf } from "./children.ts";
import { assert, assertEquals, assertIncludes } from "./expect.ts";
import { type Alert, freePort, runSaker, Saker } from "./saker.ts";
import { Place } from "./trigger.ts";

if (ASKED_FOR.length === 0) {
  const name = "Falco's published plugins load, list their fields and fire";
  Deno.test({ ...named(name, whyNot("")), fn() {} });
}

for (const plugin of ASKED_FOR) {
  Deno.test({
    ...named(
      `Falco's plugin ${plugin.name} loads, lists its fields${plugin.run ? ", fires" : ""}`,
      whyNot(plugin.name),
    ),
    async fn(t) {
      await using place = new Place();
      const config = configOf(place, plugin, false);
      const args = ["-c", config];
      const listed = await runSaker([...args, "--list-plugins"]);
      assertEquals([listed.code, listed.stderr], [0, ""]);
      assertIncludes(listed.stdout, `Name: ${plugin.name}\n`);
      if (plugin.source !== "") assertIncludes(listed.stdout, `source='${plugin.source}'`);
      const fields = await runSaker([...args, `--list=${plugin.source || "syscall"}`]);
      assertEquals(fields.code, 0, fields.stderr);
      for (const field of plugin.fields) assertIncludes(fields.stdout, `\n${field} `);
      await readsRule(place, plugin, args);
      const { run } = plugin;
      if (run === undefined) return;
      const lacks = run.beside === undefined ? undefined : whyNot(run.beside);
      for (const inProcess of [false, true]) {
        await t.step({
          ...named(`it fires in ${inProcess ? "saker's process" : "a process of its own"}`, lacks),
          fn: () => fires(place, plugin, run, inProcess),
        });
      }
    },
  });
}

/** A rule on its first field is read. */
async function readsRule(place: Place, plugin: Published, args: string[]): Promise<void> {
  const rules = place.file("read.yaml");
  const [field = "evt.num"] = plugin.fields;
  // Most of them take an argument, and all would be content with none that is empty.
  const named = /^(json|jevt)\.value$/.test(field) ? `${field}[/a]` : field;
  const source = plugin.source || "syscall";
  const condition = `${source === "syscall" ? "evt.type = execve and " : ""}${named} exists`;
  const rule = { rule: "Read", desc: "d", condition, output: `%${named}`, priority: "NOTICE" };
  Deno.writeTextFileSync(rules, JSON.stringify([{ ...rule, source }]));
  const { code, stdout, stderr } = await runSaker([
    ...args,
    "-V",
    rules,
    "-o",
    "json_output=false",
  ]);
  assertEquals([code, stdout.trimEnd()], [0, `${rules}: Ok`], stdout + stderr);
}

async function fires(
  place: Place,
  plugin: Published,
  run: Run,
  inProcess: boolean,
): Promise<void> {
  const config = configOf(place, plugin, inProcess);
  const rules = place.file("rules.yaml");
  const output = Object.keys(run.output).map((field) => `%${field}`).join(" ");
  const source = plugin.source || PUBLISHED.find(({ name }) => name === run.beside)!.source;
  const rule = { rule: "Fires", desc: "d", condition: run.condition, priority: "NOTICE", source };
  Deno.writeTextFileSync(rules, JSON.stringify([{ ...rule, output: `seen ${output}` }]));
  const args = ["-c", config, "-r", rules, "--disable-source", "syscall"];
  args.push("-o", "webserver.enabled=false");
  const { code, stdout, stderr } = await runSaker(args);
  assertEquals(code, 0, stderr);
  const alerts = stdout.trim().split("\n").map((line) => JSON.parse(line) as Alert);
  assertEquals(alerts.length, run.alerts, stderr);
  const last = alerts.at(-1)!;
  assertEquals(last.source, source);
  for (const [field, value] of Object.entries(run.output)) {
    assertEquals(last.output_fields[field], value, field);
  }
}

function configOf(place: Place, plugin: Published, inProcess: boolean): string {
  const { run } = plugin;
  for (const [name, text] of Object.entries(run?.files ?? {})) {
    Deno.mkdirSync(place.file(name).replace(/\/[^/]*$/, ""), { recursive: true });
    Deno.writeTextFileSync(place.file(name), text);
  }
  const entry = (name: string, open: string | undefined, config: unknown) => ({
    ...{ name, library_path: libraryOf(name), builtin: false, in_process: inProcess },
    ...open === undefined ? {} : { open_params: open.replaceAll("DIR", place.path) },
    ...config === undefined ? {} : { init_config: config },
  });
  const own = entry(plugin.name, run?.beside ? undefined : run?.open, plugin.initConfig);
  const beside = run?.beside === undefined ? [] : [entry(run.beside, run.open, undefined)];
  const path = place.file("falco.yaml");
  Deno.writeTextFileSync(path, JSON.stringify({ plugins: [...beside, own], json_output: true }));
  return path;
}

Deno.test({
  ...named(
    "bodies posted to Falco's collector are judged by fields of JSON, also after it was ended",
    whyNot("collector") ?? whyNot("json"),
  ),
  async fn() {
    await using place = new Place();
    const { marker } = place;
    const port = freePort();
    const entries = [
      {
        ...{ name: "collector", library_path: libraryOf("collector") },
        open_params: JSON.stringify({ addr: `127.0.0.1:${port}` }),
      },
      { name: "json", library_path: libraryOf("json"), builtin: false },
    ];
    const config = place.file("falco.yaml");
    Deno.writeTextFileSync(config, JSON.stringify({ plugins: entries, json_output: true }));
    const rules = place.file("rules.yaml");
    const rule = { rule: "Posted", desc: "d", priority: "NOTICE", source: "collector" };
    const condition = `json.value[/mark] = ${marker}`;
    Deno.writeTextFileSync(
      rules,
      JSON.stringify([{ ...rule, condition, output: `%json.value[/mark] %json.value[/n]` }]),
    );
    const args = ["-c", config, "-r", rules, "--disable-source", "syscall"];
    await using saker = await Saker.start([marker], { args });
    const post = async (n: number) => {
      const body = JSON.stringify({ mark: marker, n });
      for (;;) {
        try {
          const answer = await fetch(`http://127.0.0.1:${port}/`, { method: "POST", body });
          return await answer.body?.cancel();
        } catch {
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      }
    };
    const seen = async (n: number) => {
      const alert = await saker.alert("Posted", `${n}`);
      assertEquals(alert.output_fields["json.value[/n]"], `${n}`);
    };
    await post(1001);
    await seen(1001);
    // One for each source that is judged, and system calls are not.
    assertEquals(childrenOf(saker.pid, "saker: plugin json").length, 1);
    const [child] = childrenOf(saker.pid, "saker: plugin collector");
    assert(child !== undefined, "the collector has no process of its own");
    Deno.kill(child, "SIGKILL");
    await post(1002);
    await seen(1002);
    assertIncludes(saker.told, "plugin collector: its process was ended by signal 9");
    assertEquals((await saker.stop()).code, 0);
  },
});
