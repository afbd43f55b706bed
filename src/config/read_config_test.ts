// Configuration as a person writes it: files, includes, environment, -o; and what is told of it.
import { deepStrictEqual, ok, strictEqual, throws } from "node:assert";
import { problemLine } from "./problem.ts";
import { type ConfigRead, readConfig } from "./read_config.ts";

const VARIABLES: Record<string, string> = { YES: "true", PORT: "9000" };
const environment = (name: string) => VARIABLES[name];

/** Reads a main file (and files beside it) from a fresh directory, `DIR` in the texts. */
function read(main: string, options: string[] = [], beside: Record<string, string> = {}) {
  const directory = Deno.makeTempDirSync();
  try {
    const file = `${directory}/main.yaml`;
    const place = (text: string) => text.replaceAll("DIR", directory);
    for (const [name, text] of Object.entries(beside)) {
      Deno.mkdirSync(`${directory}/${name}`.replace(/\/[^/]*$/, ""), { recursive: true });
      Deno.writeTextFileSync(`${directory}/${name}`, place(text));
    }
    Deno.writeTextFileSync(file, place(main));
    const result = readConfig({ file, options: options.map(place), environment });
    return { ...result, lines: linesOf(result, directory) };
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

function linesOf({ problems }: ConfigRead, directory: string): string[] {
  return problems.map(problemLine).map((line) => line.replaceAll(`${directory}/`, ""));
}

function refused(main: string, options: string[], message: RegExp) {
  throws(() => read(main, options), message);
}

Deno.test("a configuration without a file has saker's defaults", () => {
  const { config } = readConfig({ file: undefined, options: [], environment });
  strictEqual(config.stdout_output.enabled, true);
  strictEqual(config.syslog_output.enabled, false);
  strictEqual(config.rule_matching, "first");
  strictEqual(config.webserver.listen_address, "127.0.0.1");
  strictEqual(config.engine.paths, "both");
  strictEqual(config.rules_files, undefined);
});

Deno.test("a configuration cannot be changed once it is read", () => {
  const { config } = read("json_output: true");
  throws(() => Object.assign(config.engine, { kind: "kmod" }), TypeError);
});

Deno.test("scalars convert as in yaml-cpp, quoted or not", () => {
  const { config, lines } = read(
    "json_output: 'yes'\ntime_format_iso_8601: ON\nwebserver:\n  listen_port: 0x10\n" +
      "syscall_event_drops:\n  threshold: .5\n",
  );
  deepStrictEqual(lines, []);
  strictEqual(config.json_output, true);
  strictEqual(config.time_format_iso_8601, true);
  strictEqual(config.webserver.listen_port, 16);
  strictEqual(config.syscall_event_drops.threshold, 0.5);
});

Deno.test("environment variables stand in values, not in keys", () => {
  const { config } = read(
    "json_output: ${YES}\nwebserver: {listen_port: '${PORT}'}\n" +
      "static_fields: {a: '$${PORT}', b: 'x${NONE}y', c: '${PORT'}\n",
  );
  strictEqual(config.json_output, true);
  strictEqual(config.webserver.listen_port, 9000);
  deepStrictEqual({ ...config.static_fields }, { a: "${PORT}", b: "xy", c: "${PORT" });
});

Deno.test("an unknown key is told with its line and the nearest known key", () => {
  const { lines } = read("json_output: true\nengine:\n  kid: ebpf\nqqq: 1\n");
  deepStrictEqual(lines, [
    'main.yaml:3: engine.kid: unknown key, did you mean "kind"?',
    "main.yaml:4: qqq: unknown key",
  ]);
});

Deno.test("a value that does not convert leaves the default and is told", () => {
  const { config, lines } = read("json_output: maybe\n");
  strictEqual(config.json_output, false);
  deepStrictEqual(lines, [
    'main.yaml:1: json_output: expected true or false, found "maybe"; the default is used',
  ]);
});

Deno.test("a value of another shape leaves the default, wherever it stands", () => {
  const options = [
    "plugins[]=x",
    "rules[]={enable: x}",
    "static_fields=x",
    "static_fields={a: [b]}",
    "base_syscalls.custom_set={a: b}",
    "load_plugins={a: b}",
    "append_output[]={extra_fields: [[a]]}",
    "engine=x",
    "webserver[]=x",
  ];
  for (const option of options) {
    const { lines } = read("", [option]);
    strictEqual(lines.length, 1, option);
    ok(/: expected .*, found .*; the default is used$/.test(lines[0]!), lines[0]);
  }
});

Deno.test("an entry with nothing in it is one", () => {
  const { config, lines } = read("", ["append_output[]={}", "rules[]={}"]);
  deepStrictEqual(lines, []);
  strictEqual(config.append_output.length, 1);
});

Deno.test("values that Falco refuses are errors", () => {
  refused("priority: loud", [], /main.yaml:1: priority: Unknown priority "loud"--must be one of/);
  refused(
    "rule_matching: x",
    [],
    /: Unknown rule matching strategy "x"--must be one of first, all/,
  );
  refused("rule_matching: {a: b}", [], /Unknown rule matching strategy "a map"/);
  refused("syscall_event_drops: {threshold: 1.1}", [], /must be a double in the range \[0, 1\]/);
  refused("syscall_event_drops: {threshold: -1}", [], /must be a double in the range \[0, 1\]/);
  refused(
    "syscall_event_drops: {actions: [ignore, log]}",
    [],
    /drop action "log" does not make sense with the "ignore" action/,
  );
  refused("", ["engine.kind=dtrace"], /-o engine.kind=dtrace: engine.kind: expected one of/);
  refused("engine: {kmod: {buf_size_preset: 11}}", [], /from 1 to 10, found "11"/);
  refused("webserver: {listen_address: localhost}", [], /an IPv4 or IPv6 address/);
  refused("rules_file: a\nrules_files: [b]", [], /cannot both be set/);
  refused("engine: {kind: replay}", [], /capture_file: expected a capture file/);
});

Deno.test("broken YAML is one error with file and line", () => {
  refused("json_output: true\nengine: {a\n", [], /main.yaml:[23]: invalid YAML/);
  refused("- a\n- b", [], /expected a map of configuration keys/);
});

Deno.test("a byte order mark is no part of the text", () => {
  const { config, lines } = read("\ufeffpriority: error\n");
  deepStrictEqual(lines, []);
  strictEqual(config.priority, "error");
});

Deno.test("of a key that stands twice the last holds, and it is told", () => {
  const { config, lines } = read(
    "priority: info\nwebserver: {enabled: true}\npriority: error\n" +
      "webserver:\n  enabled: false\n  enabled: true\n  enabled: false\n",
  );
  strictEqual(config.priority, "error");
  strictEqual(config.webserver.enabled, false);
  const twice = "the key stands twice: this one holds, the one before is ignored";
  deepStrictEqual(lines, [
    `main.yaml:3: priority: ${twice}`,
    `main.yaml:4: webserver: ${twice}`,
    `main.yaml:7: enabled: ${twice}`,
    `main.yaml:7: enabled: ${twice}`,
  ]);
});

Deno.test("the first document of a file counts, and what is lost is told", () => {
  const { config, lines } = read("priority: error\n---\npriority: info\n");
  strictEqual(config.priority, "error");
  deepStrictEqual(lines, [
    "main.yaml:2: a second document begins here: only the first of a file is read",
  ]);
  deepStrictEqual(read("---\npriority: error\n---\n...\n").lines, []);
  strictEqual(read("# nothing\n---\n---\npriority: error\n").config.priority, "debug");
});

Deno.test("a quote that is open at the end of a file is closed there, and told", () => {
  const { config, lines } = read('json_output: true\nprogram_output: {}\npriority: "error\n');
  strictEqual(config.priority, "error");
  deepStrictEqual(lines, ["main.yaml:3: a quote is not closed: it ends with the file"]);
});

Deno.test("what is nothing is the text null in a sequence, and nothing elsewhere", () => {
  const { config, lines } = read("rules_files: [~, a]\nprogram_output: {program: ~}\n");
  deepStrictEqual(config.rules_files, ["null", "a"]);
  strictEqual(config.program_output.program, "");
  const remark = 'main.yaml:1: an item that is nothing is read as the text "null"';
  deepStrictEqual(lines, [remark]);
  const commas = read("rules_files: [, a, , b,]\n");
  deepStrictEqual(commas.config.rules_files, ["null", "a", "null", "b"]);
  deepStrictEqual(commas.lines, [remark, remark]);
});

Deno.test("mistakes of YAML are told in words for people", () => {
  refused("a: b: c\n", [], /main.yaml:1: invalid YAML: a second ': ' on one line/);
  refused("a: [b\n", [], /main.yaml:\d: invalid YAML: a \[ or \{ is not closed/);
  refused("a:\n\tb: c\n", [], /a tab is used as indentation/);
  refused("a: *b\n", [], /there is no anchor &b before the alias \*b/);
  refused("", ["a={b: [}"], /-?invalid YAML: a /);
});

Deno.test("an option below a value that has no parts is an error", () => {
  for (const option of ["json_output.x=1", "priority[0]=a", "priority[]=a", "priority.a.b=1"]) {
    refused("", [option], /Config error at key ".*": .*no parts/);
    refused(
      "json_output: true\npriority: error\n",
      [option],
      /Config error at key ".*": .*no parts/,
    );
  }
  deepStrictEqual(read("engine:\n", ["engine.kind=ebpf"]).config.engine.kind, "ebpf");
});

Deno.test("an output that is on without a target is an error", () => {
  refused("file_output: {enabled: true}", [], /file_output.filename: expected a file/);
  refused("", ["program_output.enabled=true"], /program_output.program: expected a program/);
  refused("", ["http_output.enabled=true"], /http_output.url: expected a URL/);
});

Deno.test("aliases that blow up are refused", () => {
  const bomb = ["a: &a [x, x, x, x, x, x, x, x, x, x]"];
  for (let at = 0; at < 9; at++) {
    const [from, to] = ["abcdefghij"[at], "abcdefghij"[at + 1]];
    bomb.push(`${to}: &${to} [${Array(10).fill(`*${from}`).join(", ")}]`);
  }
  refused(bomb.join("\n"), [], /aliases make too much of a small text/);
});

Deno.test("a missing file is named", () => {
  throws(
    () => readConfig({ file: "/nowhere/falco.yaml", options: [], environment }),
    /^ConfigError: Could not find configuration file at \/nowhere\/falco.yaml$/,
  );
});

Deno.test("options set nested keys, sequences and maps", () => {
  const { config, lines } = read("rules_files: [x, y]\n", [
    "engine.kind=ebpf",
    "rules_files[1]=z",
    "rules_files[]=w",
    "append_output[]={match: {rule: r}, extra_fields: [a.b, {n: '%c'}]}",
    "static_fields.a\\.b=1",
  ]);
  deepStrictEqual(lines, []);
  strictEqual(config.engine.kind, "ebpf");
  deepStrictEqual(config.rules_files, ["x", "z", "w"]);
  strictEqual(config.append_output[0]!.match.rule, "r");
  deepStrictEqual(config.append_output[0]!.extra_fields, ["a.b", { n: "%c" }]);
  deepStrictEqual({ ...config.static_fields }, { "a.b": "1" });
});

Deno.test("an option that names a sequence replaces it by one item", () => {
  deepStrictEqual(read("rules_files: [x, y]", ["rules_files=/z"]).config.rules_files, ["/z"]);
});

Deno.test("options that cannot be read are errors in Falco's words", () => {
  refused("", ["json_output"], /Must be of the form key=val or key.subkey=val/);
  refused("", ["a\\q=1"], /Config error at key "a\\q": Parsing error: unknown escape/);
  refused("", ["a\\=1"], /Config error at key "a\\": Parsing error: trailing backslash/);
  refused("", ["a[x]=1"], /"x" is not an index/);
  refused("", ["a[999999999]=1"], /an index is at most/);
  refused("", ["__proto__.a=1"], /not a configuration key/);
});

Deno.test("included files append to sequences and replace everything else", () => {
  const { config, files } = read(
    "config_files: [DIR/conf.d]\nrules_files: [a]\nengine: {paths: caller}\npriority: error\n",
    [],
    {
      "conf.d/20.yaml": "rules_files: [c]\npriority: notice\n",
      "conf.d/10.yaml": "rules_files: [b]\nengine: {kind: ebpf}\n",
    },
  );
  deepStrictEqual(config.rules_files, ["a", "b", "c"]);
  strictEqual(config.priority, "notice");
  strictEqual(config.engine.paths, "both");
  strictEqual(files.length, 3);
});

Deno.test("included files obey their strategy and options come last", () => {
  const { config } = read(
    "rules_files: [a]\npriority: error\n",
    [
      "config_files[]={path: DIR/over.yaml, strategy: override}",
      "config_files[]={path: DIR/add.yaml, strategy: add-only}",
      "config_files[]=DIR/missing.yaml",
      "json_output=true",
    ],
    { "over.yaml": "rules_files: [b]\njson_output: false\n", "add.yaml": "priority: debug\n" },
  );
  deepStrictEqual(config.rules_files, ["b"]);
  strictEqual(config.priority, "error");
  strictEqual(config.json_output, true);
});

Deno.test("an included file cannot include others, nor the main file itself", () => {
  throws(() => read("config_files: [DIR/main.yaml]"), /cannot include itself/);
  throws(
    () => read("config_files: [DIR/b.yaml]", [], { "b.yaml": "config_files: []" }),
    /an included file cannot include others/,
  );
});

Deno.test("a problem in an included file is told with that file", () => {
  const { lines } = read("config_files: [DIR/b.yaml]", [], { "b.yaml": "\njson_output: hm\n" });
  ok(lines[0]!.startsWith("b.yaml:2: json_output: expected true or false"), lines[0]);
});

Deno.test("a file that says nothing names no rules, unlike one that says something", () => {
  deepStrictEqual(read("# nothing\n").config.rules_files, []);
  strictEqual(read("json_output: true\n").config.rules_files, undefined);
  strictEqual(read("", ["json_output=true"]).config.rules_files, undefined);
});

Deno.test("what config_files names is known, whether it is there or not", () => {
  const { includes } = read("config_files: [DIR/conf.d, {path: /nowhere, strategy: override}]\n");
  deepStrictEqual(includes.map((path) => path.replace(/.*\//, "")), ["conf.d", "nowhere"]);
});

Deno.test("an option in square brackets is a sequence where one is expected", () => {
  const { config } = read("rules_files: [x]\n", [
    "rules_files=[/a.yaml, '/b, c.yaml']",
    "base_syscalls.custom_set=[]",
    'plugins=[{"name": "p", "library_path": "p.so", "init_config": {"a": 1}}]',
    "http_output.url=[x]",
  ]);
  deepStrictEqual(config.rules_files, ["/a.yaml", "/b, c.yaml"]);
  deepStrictEqual(config.base_syscalls.custom_set, []);
  deepStrictEqual(config.plugins[0]!.init_config, { a: "1" });
  strictEqual(config.http_output.url, "[x]");
  deepStrictEqual(read("", ["rules_files=[a, "]).config.rules_files, ["[a, "]);
});

Deno.test("a name that is no UTF-8 is an error where the runtime would have to open it", () => {
  const byte = "\udcff";
  const keys = [
    ["rules_files", `[/r${byte}.yaml]`],
    ["rules_file", `[/r${byte}.yaml]`],
    ["config_files", `/c${byte}.yaml`],
    ["spool.directory", `/s${byte}`],
    ["webserver.ssl_certificate", `/c${byte}`],
    ["webserver.token_file", `/t${byte}`],
    ["http_output.client_key", `/k${byte}`],
    ["syslog_output.ca_cert", `/a${byte}`],
    ["grpc.private_key", `/k${byte}`],
    ["grpc.root_certs", `/r${byte}`],
  ] as const;
  for (const [key, value] of keys) {
    const options = [`${key}=${value}`];
    refused(
      "",
      options,
      new RegExp(`${key.replace(".", "[.]")}: expected a name in UTF-8, found /`),
    );
  }
  strictEqual(
    read("", [`file_output.filename=/f${byte}`]).config.file_output.filename,
    `/f${byte}`,
  );
});
