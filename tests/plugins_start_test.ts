// Plugins at a start, by the built binary without a probe: what they say of themselves, what rules
// may ask of them, and what is told of those that cannot be used.
import { match as assertMatch } from "node:assert";
import { assert, assertEquals } from "./live/expect.ts";
import { runSaker } from "./live/saker.ts";
import { Place } from "./live/trigger.ts";
import { cPlugin } from "./plugins/build.ts";

const LINES_RULES = `- required_plugin_versions:
    - {name: lines, version: 0.3.0}
- rule: Even line
  desc: d
  condition: lines.even = true and lines.word[0] != x
  output: "%lines.number %lines.key[n]"
  priority: NOTICE
  source: lines
`;

function configOf(place: Place, entries: readonly string[]): string {
  const config = place.file("falco.yaml");
  Deno.writeTextFileSync(config, `plugins:\n${entries.map((one) => `  - ${one}\n`).join("")}`);
  return config;
}

Deno.test("a library's plugin is listed and described, and its fields are among all", async () => {
  await using place = new Place();
  const library = await cPlugin("lines");
  const config = configOf(place, [`{name: lines, library_path: ${library}}`]);
  const listed = await runSaker(["-c", config, "--list-plugins"]);
  assertEquals(listed.code, 0, listed.stderr);
  assertMatch(listed.stdout, /^1 Plugins Loaded:\n\nName: lines\n/);
  assertMatch(listed.stdout, /\n {2}- Event Sourcing \(ID=999, source='lines'\)\n/);
  assertMatch(listed.stdout, /\n {2}- Field Extraction\n/);
  const described = await runSaker(["-c", config, "--plugin-info", "lines"]);
  assertMatch(described.stdout, /Init config schema type: JSON\n\{/);
  assertMatch(described.stdout, /Suggested open params:\n/);
  const alone = await runSaker(["--plugin-info", library]);
  assertMatch(alone.stdout, /^Name: lines\n/);
  const names = await runSaker(["-c", config, "--list=lines", "-N"]);
  for (const name of ["lines.number", "lines.words", "evt.pluginname"]) {
    assert(names.stdout.split("\n").includes(name), `no ${name}`);
  }
  assert(!names.stdout.includes("lines.never"), "a hidden field is listed");
  assert(!names.stdout.includes("proc.name"), "fields of system calls are listed");
  const all = await runSaker(["-c", config, "--list"]);
  assertMatch(all.stdout, /Field Class: +lines\n(.*\n)?Event Sources: +lines /);
});

Deno.test("plugins are listed in the order of their loading, and described", async () => {
  await using place = new Place();
  const lines = await cPlugin("lines");
  Deno.writeTextFileSync(
    place.file("plain.ts"),
    "export const source = { name: 'plain', *events() { yield 'x'; } };",
  );
  const config = configOf(place, [
    `{name: lines, library_path: ${lines}, init_config: {prefix: 3}}`,
    "{name: k8saudit, library_path: libk8saudit.so}",
    `{name: plain, library_path: ${place.file("plain.ts")}}`,
    "{name: lines, library_path: libother.so}",
  ]);
  const names = async (...args: readonly string[]) => {
    const { code, stdout, stderr } = await runSaker(["-c", config, "--list-plugins", ...args]);
    assertEquals(code, 0, stderr);
    return [...stdout.matchAll(/^Name: (.*)$/gm)].map(([, name]) => name);
  };
  assertEquals(await names(), ["lines", "k8saudit", "plain"]);
  assertEquals(await names("-o", "load_plugins[]=plain", "-o", "load_plugins[]=lines"), [
    "plain",
    "lines",
  ]);
  assertEquals(await names("-o", "load_plugins=[]"), []);
  const unknown = await runSaker(["-c", config, "-o", "load_plugins[]=no", "--list-plugins"]);
  assertMatch(unknown.stderr, /Cannot load plugin 'no': plugin config not found for given name/);
  const plain = await runSaker(["-c", config, "--plugin-info", "plain"]);
  assertMatch(plain.stdout, /Init config schema type: Not available, plugin does not implement /);
  assertMatch(plain.stdout, /No suggested open params available: plugin has not been configured/);
  // Its schema is told before its configuration is found to be none.
  const refused = await runSaker(["-c", config, "--plugin-info", "lines"]);
  assertEquals(refused.code, 1);
  assertMatch(refused.stdout, /Init config schema type: JSON\n\{"\$schema": .*\}\n\n$/);
  assertMatch(refused.stderr, /^Error: Plugin 'lines': .*prefix.* must be of type string$/m);
});

Deno.test("rules on a plugin's source are checked with its fields and its version", async () => {
  await using place = new Place();
  const library = await cPlugin("lines");
  const config = configOf(place, [`{name: lines, library_path: ${library}}`]);
  const rules = place.file("rules.yaml");
  const validate = async (text: string, args = ["-c", config]) => {
    Deno.writeTextFileSync(rules, text);
    const { code, stdout, stderr } = await runSaker([...args, "-V", rules]);
    return { code, said: stdout + stderr };
  };
  assertEquals((await validate(LINES_RULES)).code, 0);
  const unknown = await validate(LINES_RULES.replaceAll("lines.even", "lines.odd"));
  assertEquals(unknown.code, 1);
  assertMatch(unknown.said, /lines\.odd/);
  const argument = await validate(LINES_RULES.replaceAll("lines.word[0]", "lines.word[a]"));
  assertMatch(argument.said, /invalid index argument not composed only by digits/);
  const either = LINES_RULES.replace(
    "{name: lines, version: 0.3.0}",
    "{name: words, version: 2.0.0, alternatives: [{name: lines, version: 0.3.0}]}",
  );
  assertEquals((await validate(either)).code, 0);
  const told = await runSaker(["-c", config, "-o", "json_output=true", "-r", rules, "-L"]);
  const { rules: [rule], required_plugin_versions: [required] } = JSON.parse(told.stdout);
  assertEquals(rule.details.plugins, ["lines"]);
  assertEquals(required.alternatives, [{ name: "lines", version: "0.3.0" }]);
  const newer = await validate(LINES_RULES.replaceAll("0.3.0", "0.4.0"));
  assertEquals(newer.code, 1);
  assertMatch(
    newer.said,
    /Plugin requirement not satisfied, must load one of: lines \(>= 0\.4\.0\)/,
  );
  // Without the plugin the rule is passed over, and the requirement is not met.
  const without = await validate(LINES_RULES.replace(/^- required[^]*?\n- rule/, "- rule"), []);
  assertEquals(without.code, 0);
  assertMatch(without.said, /LOAD_UNKNOWN_SOURCE/);
});

Deno.test("what is wrong with a plugin ends the start with its name and the reason", async () => {
  await using place = new Place();
  const lines = await cPlugin("lines");
  const hostile = (define = {}) => cPlugin("hostile", define);
  const noLibrary = place.file("libno.so");
  Deno.writeTextFileSync(noLibrary, "no library");
  const plain = await hostile();
  const cases: [entries: string[], told: RegExp][] = [
    [[`{name: no, library_path: ${place.file("none.so")}}`], /'no'.*none\.so/],
    [[`{name: no, library_path: ${noLibrary}}`], /'no'.*libno\.so/],
    [[`{name: no, library_path: ${await hostile({ WITHOUT_INIT: "1" })}}`], /'no'.*init/],
    [[`{name: no, library_path: ${await hostile({ HOSTILE_API: '"4.0.0"' })}}`], /'no'.*4\.0\.0/],
    [[`{name: no, library_path: ${plain}, init_config: mode=init_fail}`], /'no'.*it will not/],
    [
      [`{name: no, library_path: ${plain}, init_config: mode=init_crash}`],
      /'no': its process was ended by signal 11 \(Segmentation fault\)$/m,
    ],
    [
      [`{name: no, library_path: ${plain}, init_config: mode=init_panic}`],
      /'no': its process was ended by signal 6 \(Aborted\); it printed: panic: it cannot go on$/m,
    ],
    [
      [`{name: no, library_path: ${plain}, init_config: mode=init_exit}`],
      /'no': its process ended with exit code 0$/m,
    ],
    [[`{name: lines, library_path: ${lines}, init_config: {prefix: 3}}`], /'lines'.*prefix/],
    [
      [`{name: lines, library_path: ${lines}}`, `{name: again, library_path: ${lines}}`],
      /'again'.*a plugin named 'lines' is loaded before it/,
    ],
    [
      [`{name: lines, library_path: ${lines}}`, `{name: h, library_path: ${await twin(hostile)}}`],
      /Plugin 'hostile' has the ID of plugin 'lines': found another plugin with ID 999/,
    ],
    [
      [
        `{name: lines, library_path: ${lines}}`,
        `{name: h, library_path: ${await hostile({ HOSTILE_FIELDS: FIELDS_OF_PROCESSES })}}`,
      ],
      /Plugin 'hostile' supports extraction of field 'evt.num' that is overlapping/,
    ],
  ];
  for (const [entries, told] of cases) {
    const args = ["-c", configOf(place, entries), "--dry-run"];
    const { code, stderr } = await runSaker(args);
    assertEquals(code, 1, `${entries}: ${stderr}`);
    assertMatch(stderr, told);
    assert(!/\n\s+at /.test(stderr), stderr);
  }
});

function twin(build: (define: Record<string, string>) => Promise<string>): Promise<string> {
  return build({ HOSTILE_ID: "999" });
}

const FIELDS_OF_PROCESSES = String.raw`"[{\"type\": \"uint64\", \"name\": \"evt.num\", ` +
  String.raw`\"desc\": \"d\"}]"`;

Deno.test("sources are enabled and disabled as in Falco; a run ends with its last", async () => {
  await using place = new Place();
  const library = await cPlugin("lines");
  const params = "count=100 time=1700000000000000000";
  const config = configOf(place, [
    `{name: lines, library_path: ${library}, open_params: "${params}"}`,
  ]);
  const rules = place.file("rules.yaml");
  Deno.writeTextFileSync(rules, LINES_RULES);
  const args = ["-c", config, "-r", rules, "--listen", "127.0.0.1:0"];
  const unknown = await runSaker([...args, "--enable-source=words"]);
  assertEquals(unknown.code, 1);
  assertMatch(unknown.stderr, /Attempted disabling\/enabling an unknown event source: words/);
  const both = await runSaker([...args, "--disable-source=lines", "--disable-source=syscall"]);
  assertMatch(both.stderr, /Must enable at least one event source/);
  const alone = await runSaker([
    ...args,
    "--enable-source=lines",
    "-o",
    "json_output=true",
    "-p",
    "%lines.text",
  ]);
  assertEquals(alone.code, 0, alone.stderr);
  const alerts = alone.stdout.trim().split("\n").map((line) => JSON.parse(line));
  assertEquals(alerts.length, 50);
  assertEquals(alerts[0].source, "lines");
  assertMatch(alerts[0].output, /\d+ \d+ line \d+ n=/);
  assertMatch(alone.stderr, /Events of lines: 100; malformed: 0, not judged: 0/);
});
