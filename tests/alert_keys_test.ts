// The keys of falco.yaml that shape alerts, each against what Falco's reference says, from the
// configuration file to the line on standard output.
import { deepStrictEqual, match, ok, strictEqual } from "node:assert";
import { writeCapture } from "./capture_file.ts";
import { runMain } from "./main_process.ts";

const RULES = `
- rule: Tagged
  desc: A file was opened.
  condition: evt.type = openat and fd.name = /a
  output: Opened %fd.name
  priority: WARNING
  tags: [z, a]
- rule: Plain
  desc: Another file was opened.
  condition: evt.type = openat and fd.name = /b
  output: "Opened %fd.name by %proc.name"
  priority: NOTICE
`;

interface Shown {
  readonly output?: string;
  readonly message?: string;
  readonly rule: string;
  readonly priority: string;
  readonly tags?: string[];
  readonly time: string;
  readonly output_fields?: Record<string, unknown>;
}

/** Lines that a replay of two opens writes under the configuration. */
async function lines(config: string): Promise<string[]> {
  const directory = Deno.makeTempDirSync();
  try {
    writeCapture(`${directory}/c.scap`, [{ path: "/a" }, { path: "/b" }]);
    Deno.writeTextFileSync(`${directory}/rules.yaml`, RULES);
    Deno.writeTextFileSync(
      `${directory}/falco.yaml`,
      `rules_files: [${directory}/rules.yaml]\nrule_matching: all\n${config}\n`,
    );
    const args = ["-c", `${directory}/falco.yaml`, "replay", `${directory}/c.scap`];
    const { code, out, error } = await runMain(args, { env: { SITE: "north" } });
    strictEqual(code, 0, error);
    return out.trim().split("\n");
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

async function alerts(config: string): Promise<Shown[]> {
  return (await lines(`json_output: true\n${config}`)).map((line) => JSON.parse(line));
}

Deno.test("json_include_* switch properties on and off", async () => {
  const [all] = await alerts("json_include_message_property: true");
  strictEqual(all!.message, "Opened /a");
  match(all!.output!, /^22:13:20\.000000000: Warning Opened \/a$/);
  deepStrictEqual(all!.tags, ["a", "z"]);
  deepStrictEqual(Object.keys(all!.output_fields!), ["evt.time", "fd.name"]);
  strictEqual(all!.output_fields!["evt.time"], 1_700_000_000_000_000_000);
  const [none] = await alerts(
    "json_include_output_property: false\njson_include_output_fields_property: false\n" +
      "json_include_tags_property: false",
  );
  for (const key of ["output", "output_fields", "tags", "message"]) ok(!(key in none!), key);
  strictEqual(none!.rule, "Tagged");
});

Deno.test("time_format_iso_8601 shows times in UTC, and names the field after it", async () => {
  const [alert] = await alerts("time_format_iso_8601: true");
  match(alert!.output!, /^2023-11-14T22:13:20\.000000000\+0000: Warning Opened/);
  ok("evt.time.iso8601" in alert!.output_fields!);
  strictEqual(alert!.time, "2023-11-14T22:13:20.000000000Z");
  const [line] = await lines("json_output: false\ntime_format_iso_8601: true");
  strictEqual(line, "2023-11-14T22:13:20.000000000+0000: Warning Opened /a");
});

Deno.test("priority leaves out rules that are less important", async () => {
  const found = await alerts("priority: Warning");
  deepStrictEqual(found.map(({ rule }) => rule), ["Tagged"]);
});

Deno.test("static_fields are fields of rules, and their values take the environment", async () => {
  const [alert] = await alerts(
    "static_fields: {site: '${SITE}', other: x}\n" +
      "append_output:\n  - extra_output: site=%static.site\n    extra_fields: [static.other]",
  );
  match(alert!.output!, /Opened \/a site=north$/);
  deepStrictEqual(
    [alert!.output_fields!["static.site"], alert!.output_fields!["static.other"]],
    ["north", "x"],
  );
});

Deno.test("append_output adds to the rules that it names: by tag, by name, by source", async () => {
  const [tagged, plain] = await alerts(`append_output:
  - match: {tags: [a]}
    extra_output: tag
  - match: {rule: Plain}
    extra_output: name %evt.type
    extra_fields: [evt.type, {both: "%evt.type/%fd.name"}]
  - match: {source: syscall}
    extra_output: source
  - match: {source: k8s_audit}
    extra_output: never
`);
  match(tagged!.output!, /Opened \/a tag source$/);
  match(plain!.output!, / name openat source$/);
  strictEqual(plain!.output_fields!["evt.type"], "openat");
  strictEqual(plain!.output_fields!["both"], "openat//b");
  ok(!("both" in tagged!.output_fields!));
});

Deno.test("suggested_output adds the fields that the engine suggests", async () => {
  const [without] = await alerts("");
  const [suggested] = await alerts(
    "static_fields: {site: here}\nappend_output: [{suggested_output: true}]",
  );
  const added = Object.keys(suggested!.output_fields!)
    .filter((key) => !(key in without!.output_fields!));
  ok(added.includes("static.site"), added.join());
  ok(added.some((key) => key.startsWith("container.")), added.join());
});
