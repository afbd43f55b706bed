// `saker record` and `capture:` of rules as whole processes, on captures made here: what was
// recorded gives the alerts that it gave before. Needs no root; live/record_test.ts does.
import { deepStrictEqual, match, strictEqual } from "node:assert";
import { writeCapture } from "./capture_file.ts";

const MAIN = new URL("../src/main.ts", import.meta.url).pathname;

const RULES = `
- rule: Secret opened
  desc: A file below /secret was opened.
  condition: evt.type = openat and fd.name startswith /secret/
  output: Opened %fd.name by %thread.tid
  priority: WARNING
  capture: true
  capture_duration: 2000
- rule: Anything opened
  desc: Any file was opened.
  condition: evt.type = openat and fd.name startswith /
  output: Seen %fd.name by %thread.tid
  priority: NOTICE
`;

/** A fresh directory with the rules above and a capture of ten opened files, a second apart. */
class Workplace implements Disposable {
  readonly directory = Deno.makeTempDirSync();
  readonly rules = `${this.directory}/rules.yaml`;
  readonly capture = `${this.directory}/given.scap`;

  constructor() {
    Deno.writeTextFileSync(this.rules, RULES);
    writeCapture(
      this.capture,
      Array.from({ length: 10 }, (_, at) => ({
        path: at === 5 ? "/secret/key" : `/plain/${at}`,
        tid: 100 + at % 2,
        second: 1_700_000_000 + at,
      })),
    );
  }

  file(name: string): string {
    return `${this.directory}/${name}`;
  }

  /** Outputs of the alerts that captures give. */
  async alerts(...captures: string[]): Promise<string[]> {
    const args = ["-r", this.rules, "-o", "rule_matching=all", "-o", "json_output=true"];
    const { code, out, error } = await run([...args, "replay", ...captures]);
    strictEqual(code, 0, error);
    return out.trim().split("\n").filter((line) => line !== "").map((line) =>
      JSON.parse(line).output.replace(/^[^ ]+ \w+ /, "")
    );
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.directory, { recursive: true });
  }
}

interface Ending {
  readonly code: number;
  readonly out: string;
  readonly bytes: Uint8Array;
  readonly error: string;
}

async function run(args: readonly string[]): Promise<Ending> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "-A", MAIN, ...args],
    env: { TZ: "UTC", NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), bytes: stdout, error: decoder.decode(stderr) };
}

Deno.test("a recording gives the alerts of what was recorded", async () => {
  using place = new Workplace();
  const before = await place.alerts(place.capture);
  strictEqual(before.length, 11);
  for (const compress of ["0", "1", "9"]) {
    const { code, error } = await run(
      ["record", place.file("r.scap"), "--read", place.capture, "--compress", compress, "--force"],
    );
    strictEqual(code, 0, error);
    match(error, /^Recorded 10 events, 0\.0 MB in \d\d:\d\d; 0 lost\n$/);
    deepStrictEqual(await place.alerts(place.file("r.scap")), before);
  }
  strictEqual(Deno.statSync(place.file("r.scap")).mode! & 0o777, 0o600);
});

Deno.test("a recording on standard output is the same", async () => {
  using place = new Workplace();
  const { code, bytes, error } = await run(["record", "-", "--read", place.capture]);
  strictEqual(code, 0, error);
  Deno.writeFileSync(place.file("r.scap"), bytes);
  deepStrictEqual(await place.alerts(place.file("r.scap")), await place.alerts(place.capture));
});

Deno.test("a filter, a number of events and a row of files hold together", async () => {
  using place = new Workplace();
  const args = ["record", place.file("r.scap"), "--force", "--read", place.capture];
  await run([...args, "--filter", "thread.tid = 101", "-n", "3"]);
  const some = await place.alerts(place.file("r.scap"));
  deepStrictEqual(some, [
    "Seen /plain/1 by 101",
    "Seen /plain/3 by 101",
    "Opened /secret/key by 101",
    "Seen /secret/key by 101",
  ]);
  const { error } = await run([...args, "--filter", "thread.tid = "]);
  match(error, /^Error: Cannot use the filter "thread.tid = ": /);
});

Deno.test("alerts are written while it records", async () => {
  using place = new Workplace();
  const { code, out } = await run([
    ...["-r", place.rules, "record", place.file("r.scap"), "--read", place.capture, "--alerts"],
  ]);
  strictEqual(code, 0);
  strictEqual(out.trim().split("\n").length, 10, "the first rule that matches");
  strictEqual((await place.alerts(place.file("r.scap"))).length, 11);
});

Deno.test("mistakes with record are one line", async () => {
  using place = new Workplace();
  const read = ["--read", place.capture];
  const cases: [string[], RegExp][] = [
    [["record"], /missing required argument/],
    [["record", "/nowhere/x.scap", ...read], /"\/nowhere\/x.scap": there is no such directory/],
    [["record", place.directory, ...read], /it is a directory/],
    [["record", place.file("x"), "--read", "/nowhere"], /capture \/nowhere: there is no such file/],
    [["record", place.file("x"), ...read, "--files", "2"], /--files needs --file-size/],
    [["record", "-", ...read, "--alerts"], /both the capture and --alerts/],
    [["record", place.file("x"), ...read, "--compress", "10"], /a number from 0 to 9/],
  ];
  for (const [args, expected] of cases) {
    const { code, error } = await run(args);
    strictEqual(code, 1, args.join(" "));
    match(error, /^Error: [^\n]+\n$/);
    match(error, expected);
  }
});

Deno.test("a rule with capture: writes what is around its alert, the same twice", async () => {
  using place = new Workplace();
  const prefix = place.file("c");
  const args = [
    ...["-r", place.rules, "-o", "capture.enabled=true", "-o", `capture.path_prefix=${prefix}`],
    // Any alert makes a capture longer, and the other rule has one each second.
    ...["-o", "rules[0].disable.rule=Anything opened", "replay", place.capture],
  ];
  const name = `${prefix}_01700000005000000005_00000000000000000006.scap`;
  const runs: Uint8Array[] = [];
  for (let round = 0; round < 2; round++) {
    const { code, error } = await run(args);
    strictEqual(code, 0, error);
    runs.push(Deno.readFileSync(name));
    Deno.removeSync(name);
  }
  deepStrictEqual(runs[0], runs[1]);
  Deno.writeFileSync(name, runs[0]!);
  // All is one batch, so what is before it is there too; two seconds later it ends.
  const seen = (await place.alerts(name)).filter((output) => output.startsWith("Seen"));
  deepStrictEqual(seen.map((output) => output.split(" ")[1]), [
    ...["/plain/0", "/plain/1", "/plain/2", "/plain/3", "/plain/4", "/secret/key", "/plain/6"],
    "/plain/7",
  ]);

  Deno.removeSync(name);
  const { code } = await run(["-o", "capture.before_duration=0", ...args]);
  strictEqual(code, 0);
  const after = (await place.alerts(name)).filter((output) => output.startsWith("Seen"));
  deepStrictEqual(after.map((output) => output.split(" ")[1]), [
    "/secret/key",
    "/plain/6",
    "/plain/7",
  ]);
});
