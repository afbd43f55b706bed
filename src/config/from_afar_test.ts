// What a signed bundle may set: the closed list, and nothing beside it.
import { deepStrictEqual, ok, strictEqual, throws } from "node:assert";
import { FROM_AFAR } from "./from_afar.ts";
import { readConfig } from "./read_config.ts";
import { schema } from "./schema.ts";
import { needsRestart, USES } from "./uses.ts";

const NAME = "rollout fleet 7: c.yaml";

function read(text: string, options: readonly string[] = []) {
  const environment = () => "secret";
  return readConfig({ file: undefined, options, environment, afar: { name: NAME, text } });
}

const refused = (text: string, message: RegExp) => throws(() => read(text), message, text);

Deno.test("every key that may come from afar is there, and a reload takes it", () => {
  const initial = schema.initial() as unknown as Record<string, unknown>;
  for (const key of FROM_AFAR) {
    const path = key.split(".");
    const holder = path.slice(0, -1).reduce((at, step) => at[step] as typeof initial, initial);
    ok(Object.hasOwn(holder, path.at(-1)!), key);
    ok(!needsRestart(path), key);
  }
});

Deno.test("every other key is refused from afar", () => {
  const others = Object.keys(USES).filter((key) =>
    !FROM_AFAR.some((one) => one === key || one.startsWith(`${key}.`))
  );
  // What runs, loads, writes, listens, or says where to.
  for (
    const key of [
      ...["program_output", "file_output", "http_output", "grpc", "plugins", "load_plugins"],
      ...["rules_files", "config_files", "engine", "capture", "webserver", "spool", "rollout"],
      ...["stdout_output", "syslog_output", "falco_libs"],
    ]
  ) {
    ok(others.includes(key), key);
  }
  for (const key of others) refused(`${key}: x\n`, /: the key is never taken from elsewhere/);
  const parts: readonly [string, string][] = [
    ["metrics", "output_file"],
    ["syscall_event_drops", "actions"],
    ["grouping", "max_groups"],
  ];
  for (const [group, key] of parts) {
    refused(
      `${group}: {${key}: x}\n`,
      new RegExp(`${NAME}:1: ${group}\\.${key}: the key is never`),
    );
  }
});

Deno.test("nothing gets past the list by how it is written", () => {
  for (
    const text of [
      "program_output.program: touch /tmp/x\n",
      '"metrics.enabled": true\n',
      "__proto__: {program_output: {enabled: true}}\n",
      "constructor: {x: y}\n",
      '"pro\\x67ram_output": {enabled: true}\n',
      "priority: error\nengine: &a {kind: nodriver}\n",
      "x: &a {output_file: /etc/x}\nmetrics: *a\n",
      "metrics: {<<: {output_file: /etc/x}}\n",
      "metrics: {enabled: true, output_file: /etc/x}\n",
    ]
  ) refused(text, /: the key is never taken from elsewhere/);
  refused("metrics: true\n", /metrics: expected a map/);
  refused("- priority\n", /expected a map of configuration keys/);
  refused("priority: error\npriority: debug\n", /the key stands twice/);
  refused("priority: error\n---\nengine: {}\n", /a second document/);
  refused("static_fields: {a: '${HOME}'}\n", /variables of hosts are not read here: \$\{HOME\}/);
  refused("priority: [\n", /:\d+: invalid YAML/);
});

Deno.test("values that a host would warn of are refused from afar", () => {
  refused("json_output: maybe\n", new RegExp(`${NAME}:1: json_output: .*found "maybe"`));
  refused(
    "\nrules: [{enabel: {rule: '*'}}]\n",
    new RegExp(`${NAME}:2: rules.*enabel.*unknown key`),
  );
  refused("priority: loud\n", /priority/);
});

Deno.test("what comes from afar stands above the files and below the options", () => {
  const file = Deno.makeTempFileSync({ suffix: ".yaml" });
  try {
    Deno.writeTextFileSync(
      file,
      "priority: error\nmetrics: {enabled: false, output_file: /own}\nlog_level: debug\n",
    );
    const text = "priority: notice\nmetrics: {enabled: true}\njson_output: true\n";
    const { config, fates } = readConfig({
      file,
      options: ["json_output=false"],
      environment: () => undefined,
      afar: { name: NAME, text },
    });
    deepStrictEqual(
      [config.priority, config.metrics.enabled, config.metrics.output_file, config.json_output],
      ["notice", true, "/own", false],
    );
    strictEqual(config.log_level, "debug");
    strictEqual(fates.find(({ key }) => key === "priority")!.where, `${NAME}:1`);
  } finally {
    Deno.removeSync(file);
  }
});

Deno.test("docs/rollout.md names every key that may come from afar, and no other", () => {
  const page = Deno.readTextFileSync(new URL("../../docs/rollout.md", import.meta.url));
  const table = /these keys may come so[^]*?\n\n(\| keys[^]*?)\n\n/i.exec(page)![1]!;
  let group = "";
  const named = [...table.matchAll(/`([^`]+)`/g)].map(([, name]) => {
    if (name!.startsWith(".")) return `${group}${name}`;
    group = name!.split(".")[0]!;
    return name!;
  });
  const whole = [...FROM_AFAR.filter((key) => !key.startsWith("base_syscalls.")), "base_syscalls"];
  deepStrictEqual(named.toSorted(), whole.toSorted());
  const calls = FROM_AFAR.filter((key) => key.startsWith("base_syscalls.")).length;
  strictEqual(calls, Object.keys(schema.initial().base_syscalls).length);
});
