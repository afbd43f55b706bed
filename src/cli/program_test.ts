// The command line in one process: what is printed where, and the exit code, for everything that
// needs neither root nor a capture.
import { deepStrictEqual, match, ok, strictEqual } from "node:assert";
import { runProgram } from "./program.ts";
import { PipeClosed, terminalOver } from "./terminal.ts";

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly error: string;
}

async function saker(...args: string[]): Promise<Outcome> {
  const written = { out: "", error: "" };
  const decoder = new TextDecoder();
  const terminal = terminalOver({
    out: (bytes) => void (written.out += decoder.decode(bytes)),
    error: (bytes) => void (written.error += decoder.decode(bytes)),
    outIsTerminal: false,
    errorIsTerminal: false,
    environment: () => undefined,
  });
  const code = await runProgram(args, terminal);
  return { code, ...written };
}

/** Runs saker and wants exit code 1 and exactly one line on standard error. */
async function refused(args: string[], line: RegExp): Promise<void> {
  const { code, out, error } = await saker(...args);
  strictEqual(code, 1);
  strictEqual(out, "");
  match(error, /^Error: [^\n]+\n$/);
  match(error, line);
}

Deno.test("help goes to standard output with exit code 0", async () => {
  for (const args of [["-h"], ["--help"], ["replay", "--help"]]) {
    const { code, out, error } = await saker(...args);
    strictEqual(code, 0);
    match(out, /^Usage: saker/);
    strictEqual(error, "");
  }
});

Deno.test("help says that no configuration is read without -c", async () => {
  match((await saker("--help")).out, /No configuration file is read without -c/);
});

Deno.test("arguments that are wrong are one line and exit code 1", async () => {
  await refused(["--frob"], /unknown option '--frob'/);
  await refused(["-A"], /unknown option '-A' \(it is -o base_syscalls\.all=true\)/);
  await refused(["-S", "80"], /falco_libs\.snaplen=BYTES/);
  await refused(["--nodriver"], /engine\.kind=nodriver/);
  await refused(["--unbufered"], /Did you mean --unbuffered\?/);
  await refused(["frob"], /unknown command "frob"/);
  await refused(["replay"], /missing required argument 'files'/);
  await refused(["-c"], /argument missing/);
  await refused(["--listen", "1"], /expected ADDRESS:PORT/);
  await refused(["-M", "x"], /expected a whole number of seconds/);
  await refused(["--format", "xml", "--list"], /Valid values are: text, markdown, json/);
});

Deno.test("a configuration that is wrong is one line and exit code 1", async () => {
  await refused(["-c", "/nowhere.yaml"], /Could not find configuration file at \/nowhere.yaml/);
  await refused(["-o", "json_output"], /Must be of the form key=val/);
  await refused(["-o", "engine.kind=dtrace"], /engine.kind: expected one of/);
  await refused(["-o", "engine.kind=replay"], /capture_file: expected a capture file/);
});

Deno.test("a configuration that leaves nothing to run ends at once", async () => {
  const file = Deno.makeTempFileSync({ suffix: ".yaml" });
  await refused(["-c", file], /You must specify at least one rules file/);
  Deno.removeSync(file);
  const port = ["--listen", "127.0.0.1:0"];
  await refused(["-o", "stdout_output.enabled=false", ...port], /No output configured/);
  await refused(["--disable-source", "syscall", ...port], /Must enable at least one event source/);
  await refused(["-o", "rules[].disable.rule=*", "--dry-run"], /No rule is left to watch with/);
});

Deno.test("rules files that do not exist are one line and exit code 1", async () => {
  await refused(["-r", "/nowhere.yaml"], /Cannot find the rules file or directory \/nowhere.yaml/);
  await refused(
    ["-o", "rules_files=/nowhere"],
    /rules_files: no rules file at \/nowhere; expected a file, or/,
  );
});

Deno.test("captures that do not exist are one line and exit code 1", async () => {
  await refused(
    ["replay", "/nowhere.scap"],
    /Cannot read the capture \/nowhere.scap: there is no such file or directory/,
  );
  await refused(["replay", "/"], /it is a directory/);
});

Deno.test("event sources are chosen as in Falco", async () => {
  await refused(["--enable-source", "a", "--disable-source", "b"], /can not mix/);
  await refused(["--enable-source", "ftp"], /unknown event source: ftp/);
  await refused(["--disable-source", "syscall"], /Must enable at least one event source/);
});

Deno.test("--version is text, and Falco's JSON under json_output", async () => {
  const text = await saker("--version");
  strictEqual(text.code, 0);
  match(text.out, /^saker version: \d+\.\d+\.\d+ /);
  // As Falco's own tests take it apart.
  const semver = "\\d+\\.\\d+\\.\\d+(?:-[0-9a-zA-Z.-]+)?(?:\\+[0-9a-zA-Z.-]+)?";
  const tag = "\\d+\\.\\d+\\.\\d+";
  const lines = `Falco version:\\s+${semver}\\s+Libs version:\\s+${semver}\\s+` +
    `Plugin API:\\s+${tag}\\s+Engine:\\s+${tag}\\s+Driver:\\s+API version:\\s+${tag}\\s+` +
    `Schema version:\\s+${tag}\\s+Default driver:\\s+${semver}\\s*`;
  match(text.out, new RegExp(lines));
  const json = JSON.parse((await saker("version", "-o", "json_output=true")).out);
  deepStrictEqual(Object.keys(json).filter((key) => key !== "saker_version"), [
    "default_driver_version",
    "driver_api_version",
    "driver_schema_version",
    "engine_version",
    "engine_version_semver",
    "falco_version",
    "libs_version",
    "plugin_api_version",
  ]);
  match(json.engine_version, /^\d+$/);
  match(json.engine_version_semver, new RegExp(`^0\\.${json.engine_version}\\.\\d+$`));
});

Deno.test("plugins are listed and described in Falco's shape", async () => {
  const plugin = "plugins[]={name: container, library_path: libcontainer.so}";
  const block = "Name: container\\s+Description: .*\\s+Contact: .*\\s+Version: .*\\s+" +
    "Capabilities:\\s+- Field Extraction\\s+- Event Parsing\\s+- Async Events\\s+";
  const listed = await saker("--list-plugins", "-o", plugin, "-o", "load_plugins[0]=container");
  strictEqual(listed.code, 0);
  match(listed.out, new RegExp(`^1 Plugins Loaded:\\s+${block}`));
  match((await saker("--list-plugins")).out, /^0 Plugins Loaded:\n\n/);
  for (const name of ["container", "libcontainer.so"]) {
    const { code, out } = await saker("--plugin-info", name, "-o", plugin);
    strictEqual(code, 0);
    match(out, new RegExp(`^${block}Init config schema type: JSON\\s+\\{`));
  }
  const audit = (await saker("--plugin-info", "k8saudit")).out;
  match(audit, /- Event Sourcing \(ID=1, source='k8s_audit'\)\n {2}- Field Extraction\n/);
  match(audit, /"webhookMaxBatchSize": \{[^]*Suggested open params:\nhttp:[^]*\nfile:/);
  await refused(["--plugin-info", "x"], /can't find plugin and print its info: x/);
});

Deno.test("a warning of the configuration goes to standard error, no more", async () => {
  const { code, out, error } = await saker("--version", "-o", "json_outptu=true");
  strictEqual(code, 0);
  ok(out.length > 0);
  match(error, /^Warning: .*unknown key, did you mean "json_output"\?\n$/);
});

Deno.test("--config-schema prints a JSON schema that knows saker's keys", async () => {
  const { code, out } = await saker("--config-schema");
  strictEqual(code, 0);
  const schema = JSON.parse(out);
  ok(schema.properties.engine.properties.paths.enum.includes("kernel"));
  strictEqual(schema.properties.json_output.type, "boolean");
});

Deno.test("a warning is not told where the configuration wants no log of it", async () => {
  for (const option of ["log_stderr=false", "log_level=error"]) {
    const { code, error } = await saker("--version", "-o", "json_outptu=true", "-o", option);
    deepStrictEqual([code, error], [0, ""]);
  }
});

Deno.test("a run that could write nothing is refused", async () => {
  await refused(["-o", "stdout_output.enabled=false", "--listen", "127.0.0.1:0"], /No output/);
});

Deno.test("rules are listed, described and tested", async () => {
  match((await saker("--list", "-N")).out, /^evt\.num\n/m);
  match((await saker("--list-events")).out, /^< openat\(/m);
  match((await saker("-L")).out, /^Rule +Description\n/);
  match(
    (await saker("--dry-run", "--listen", "127.0.0.1:0")).error,
    /^Dry run: \d+ rules can be used\.\n$/,
  );
  strictEqual((await saker("rules", "lint")).code, 0);
  await refused(["-l", "no such rule"], /Rule "no such rule" is not loaded/);
  await refused(["--list=ftp"], /Value for --list must be a valid source type/);
  await refused(["rules"], /missing command: rules lint, filter or test/);
  await refused(["explain", "x"], /required option '--event <file>' not specified/);
});

Deno.test("-i lists the calls that are not recorded", async () => {
  match((await saker("-i")).out, /^Ignored syscall\(s\):\n- pread\n[^]*- writev\n\n$/);
});

Deno.test("a closed pipe ends a command quietly", async () => {
  const terminal = terminalOver({
    out: () => {
      throw new PipeClosed();
    },
    error: () => {
      throw new Error("nothing is to be told");
    },
    outIsTerminal: false,
    errorIsTerminal: false,
    environment: () => undefined,
  });
  strictEqual(await runProgram(["--version"], terminal), 0);
});

Deno.test("an argument too many is one of its command", async () => {
  await refused(["doctor", "x"], /unexpected argument "x" of doctor/);
  await refused(["x"], /unknown command "x"/);
});

Deno.test("a format of -p that is wrong is told as that, not as a rule's", async () => {
  await refused(["-p", "%no.such", "--dry-run"], /^Error: -p: bad output format "%no.such"/);
  await refused(
    ["-o", "append_output[0].extra_output=%x", "--dry-run"],
    /append_output\[0\]: bad output format "%x"/,
  );
});

Deno.test("a name from others cannot steer the terminal", async () => {
  const { error } = await saker("-r", "/no\x1b[2J\u202e.yaml");
  strictEqual(error.includes("\x1b") || error.includes("\u202e"), false);
  match(error, /\\u001b\[2J\\u202e/);
});

Deno.test("rules that leave nothing to watch with are an error", async () => {
  const file = Deno.makeTempFileSync({ suffix: ".yaml" });
  await refused(["-r", file, "--dry-run"], /No rule is left to watch with in .*nothing in it/);
  Deno.writeTextFileSync(file, "- list: l\n  items: [x]\n");
  await refused(["-r", file, "--dry-run"], /No rule is left to watch with/);
  Deno.removeSync(file);
});

Deno.test("directories of rules are read without what editors leave in them", async () => {
  const directory = Deno.makeTempDirSync();
  const rule = "- {rule: r, desc: d, condition: evt.type = open, output: o, priority: INFO}\n";
  Deno.writeTextFileSync(`${directory}/a.yaml`, rule);
  Deno.writeTextFileSync(`${directory}/.hidden.yaml`, "- [");
  Deno.symlinkSync("user@host.123:456", `${directory}/.#a.yaml`);
  Deno.symlinkSync("nowhere", `${directory}/b.yaml`);
  const { code, out } = await saker("-V", directory);
  deepStrictEqual([code, out], [0, `${directory}/a.yaml: Ok\n`]);
  Deno.removeSync(directory, { recursive: true });
});

Deno.test("--dry-run tells what a start would: outputs that cannot be written", async () => {
  const { code, error } = await saker(
    ...["-o", "file_output={enabled: true, filename: /nowhere/x}"],
    ...["-o", "syslog_output={enabled: true, address: /nowhere/log}"],
    ...["-o", "webserver.enabled=false", "--dry-run"],
  );
  strictEqual(code, 0, error);
  match(error, /Cannot write alerts to file_output.filename \/nowhere\/x: there is no such file/);
  match(error, /Cannot write alerts to syslog_output.address \/nowhere\/log: there is no such/);
});

Deno.test("a capture is not overwritten without --force", async () => {
  const file = Deno.makeTempFileSync({ suffix: ".scap" });
  Deno.writeTextFileSync(file, "precious");
  await refused(["record", file, "-M", "1"], /there is a file of that name; --force overwrites it/);
  strictEqual(Deno.readTextFileSync(file), "precious");
  Deno.removeSync(file);
});

Deno.test("a sub-command's help shows its own options before those of all", async () => {
  const { out } = await saker("record", "--help");
  ok(out.indexOf("--filter") > 0 && out.indexOf("--filter") < out.indexOf("--config"));
});

Deno.test("config prints every key with its meaning, and tells of those of a file", async () => {
  const { code, out } = await saker("config");
  strictEqual(code, 0);
  match(out, /^stdout_output:\n {2}# Alerts on standard output\.\n {2}enabled: true$/m);
  const file = Deno.makeTempFileSync({ suffix: ".yaml" });
  Deno.writeTextFileSync(file, "json_output: false\nwebserver: {threadiness: 4}\nqqq: 1\n");
  const explained = await saker("config", "--explain", file);
  strictEqual(explained.code, 0);
  const lines = explained.out.replaceAll(file, "F").split("\n");
  match(lines[0]!, /^honoured +F:1: json_output: false$/);
  match(lines[1]!, /^ignored +F:2: webserver\.threadiness: 4 {2}\(one thread answers/);
  match(lines[2]!, /^F:3: qqq: unknown key$/);
  match(lines[3]!, /^2 keys: 1 honoured, 1 ignored, 1 wrong$/);
  const json = JSON.parse((await saker("config", "--explain", file, "-o", "json_output=true")).out);
  strictEqual(json.keys[0].key, "json_output");
  Deno.removeSync(file);
});

Deno.test("a token that cannot be one is told by its key, never by what it is", async () => {
  const file = Deno.makeTempFileSync();
  const secret = "short-secret";
  const wrong: [string[], RegExp][] = [
    [[`webserver.token=${secret}`], /webserver\.token: a token of 12 characters can be guessed/],
    [[`webserver.token=${secret} ${secret}`], /webserver\.token: expected one line of printable/],
    [[`webserver.token_file=${file}`], /webserver\.token_file: .*: expected one line/],
    [[`webserver.token_file=${file}.no`], /webserver\.token_file: Cannot read .*no such file/],
    [[`webserver.token=${secret}`, `webserver.token_file=${file}`], /both are set, expected one/],
  ];
  for (const [options, line] of wrong) {
    const args = options.flatMap((option) => ["-o", option]);
    const { code, error } = await saker("--dry-run", "--listen", "127.0.0.1:0", ...args);
    strictEqual(code, 1);
    match(error, line);
    strictEqual(error.includes(secret), false, error);
  }
  const { out } = await saker("--support", "-o", `webserver.token=${secret}`);
  strictEqual(JSON.parse(out).config.includes(secret), false);
  Deno.writeTextFileSync(file, `webserver: {token: ${secret}}\n`);
  strictEqual((await saker("config", "--explain", file)).out.includes(secret), false);
  Deno.removeSync(file);
});

Deno.test("metrics that nobody would be told of are an error", async () => {
  const args = ["--dry-run", "-o", "webserver.enabled=false", "-o", "metrics.enabled=true"];
  await refused(args, /Metrics are enabled with no output configured/);
});

Deno.test("help fits the terminal: commands first, then the options that matter", async () => {
  const help = async (columns: number, ...args: string[]) => {
    let out = "";
    const terminal = terminalOver({
      out: (bytes) => void (out += new TextDecoder().decode(bytes)),
      error: () => {},
      outIsTerminal: true,
      errorIsTerminal: true,
      columns: () => columns,
      environment: (name) => name === "NO_COLOR" ? "1" : undefined,
    });
    strictEqual(await runProgram(args, terminal), 0);
    return out.split("\n");
  };
  const commands = [
    ...["top", "alerts", "tune", "record", "replay", "rules", "explain", "plugin", "doctor"],
    ...["driver", "config", "install", "uninstall", "version"],
  ];
  for (const columns of [40, 80, 100]) {
    const lines = await help(columns, "--help");
    for (const command of commands) {
      const at = lines.findIndex((line) => line.startsWith(`  ${command}`));
      ok(at > 0 && at < lines.indexOf("Options:"), command);
    }
    for (const command of [[], ...commands.map((one) => [one]), ["rules", "lint"]]) {
      for (const line of await help(columns, ...command, "--help")) {
        ok(line.length <= columns, `${command.join(" ")} in ${columns}: ${line}`);
      }
    }
  }
  const top = await help(80, "help", "top");
  deepStrictEqual(top, await help(80, "top", "--help"));
  ok(top.some((line) => line.startsWith("  -c, ")) && !top.some((line) => /--canary/.test(line)));
});

Deno.test("what was mistyped is told by its name, with what was meant", async () => {
  await refused(["alert"], /^Error: unknown command "alert", did you mean alerts\? \(saker --help/);
  await refused(["-M", "x"], /^Error: --seconds x: expected a whole number of seconds \(saker --/);
  await refused(
    ["alerts", "--priority", "warn"],
    /^Error: --priority warn: expected one of .* \(saker alerts --help shows what there is\)/,
  );
});
