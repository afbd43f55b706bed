// Saker as a person or a script runs it: whole processes, on captures and rules made here. Needs
// no root; the live counterpart is in live/.
import { deepStrictEqual, match, ok, strictEqual } from "node:assert";
import { type Opened, writeCapture } from "./capture_file.ts";
import { type Ending, runMain, spawnMain } from "./main_process.ts";

const RULES = `
- rule: Secret opened
  desc: A file below /secret was opened.
  condition: evt.type = openat and fd.name startswith /secret/
  output: Opened %fd.name
  priority: WARNING
  tags: [b, a]
- rule: Anything opened
  desc: Any file was opened.
  condition: evt.type = openat and fd.name startswith /
  output: Seen %fd.name
  priority: NOTICE
`;

/** A fresh directory with the rules above and captures as they are described. */
class Workplace implements Disposable {
  readonly directory = Deno.makeTempDirSync();
  readonly rules = this.file("rules.yaml", RULES);

  file(name: string, text: string): string {
    Deno.writeTextFileSync(`${this.directory}/${name}`, text);
    return `${this.directory}/${name}`;
  }

  capture(name: string, opened: readonly Opened[]): string {
    const path = `${this.directory}/${name}`;
    writeCapture(path, opened);
    return path;
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.directory, { recursive: true });
  }
}

/** The alerts of a run as "rule: message's last word". */
function told({ out }: Ending): string[] {
  return out.split("\n").filter((line) => line !== "").map((line) => {
    const { rule, output } = JSON.parse(line);
    return `${rule}: ${output.split(" ").at(-1)}`;
  });
}

Deno.test("a replay writes its alerts as JSON lines and a summary to standard error", async () => {
  using place = new Workplace();
  const capture = place.capture("a.scap", [{ path: "/secret/x" }, { path: "/y" }]);
  const ending = await runMain(["replay", "-r", place.rules, capture]);
  strictEqual(ending.code, 0);
  deepStrictEqual(told(ending), ["Secret opened: /secret/x", "Anything opened: /y"]);
  const alert = JSON.parse(ending.out.split("\n")[0]!);
  deepStrictEqual(Object.keys(alert), [
    "degraded",
    "hostname",
    "id",
    "output",
    "output_fields",
    "priority",
    "rule",
    "seq",
    "source",
    "tags",
    "time",
  ]);
  strictEqual(alert.output, "22:13:20.000000000: Warning Opened /secret/x");
  deepStrictEqual(alert.tags, ["a", "b"]);
  ok(ending.error.startsWith("Events detected: 2\nRule counts by severity:\n   WARNING: 1\n"));
  ok(ending.error.includes("\n   Secret opened: 1\n   Anything opened: 1\n"));
});

Deno.test("a replay twice gives the same bytes", async () => {
  using place = new Workplace();
  const capture = place.capture(
    "a.scap",
    Array.from({ length: 500 }, (_, at) => ({ path: `/secret/${at}`, tid: at % 7 + 1 })),
  );
  const args = ["replay", "-r", place.rules, "-o", "rule_matching=all", capture];
  const [one, other] = [await runMain(args), await runMain(args)];
  strictEqual(told(one).length, 1000);
  strictEqual(one.out, other.out);
});

Deno.test("several captures are read in order, and standard input", async () => {
  using place = new Workplace();
  const first = place.capture("1.scap", [{ path: "/secret/1" }]);
  const second = place.capture("2.scap", [{ path: "/secret/2" }]);
  const both = await runMain(["replay", "-r", place.rules, second, first]);
  deepStrictEqual(told(both), ["Secret opened: /secret/2", "Secret opened: /secret/1"]);
  const input = await runMain(["replay", "-r", place.rules, "-"], {
    input: Deno.readFileSync(first),
  });
  deepStrictEqual(told(input), ["Secret opened: /secret/1"]);
});

Deno.test("Falco's way to name a capture is a replay", async () => {
  using place = new Workplace();
  const capture = place.capture("a.scap", [{ path: "/secret/x" }]);
  const ending = await runMain([
    "-r",
    place.rules,
    "-o",
    "engine.kind=replay",
    "-o",
    `engine.replay.capture_file=${capture}`,
  ]);
  deepStrictEqual(told(ending), ["Secret opened: /secret/x"]);
});

Deno.test("a capture that is cut short gives what it has, then one error", async () => {
  using place = new Workplace();
  const capture = place.capture(
    "a.scap",
    Array.from({ length: 20_000 }, (_, at) => ({ path: `/secret/${at}` })),
  );
  Deno.truncateSync(capture, Deno.statSync(capture).size - 20);
  const ending = await runMain(["replay", "-r", place.rules, capture]);
  strictEqual(ending.code, 1);
  ok(told(ending).length > 10_000, String(told(ending).length));
  match(ending.error, /^Error: Cannot read capture "[^"]*a.scap" at byte \d+: [^\n]+\n$/);
});

Deno.test("text is written where the configuration says so", async () => {
  using place = new Workplace();
  const capture = place.capture("a.scap", [{ path: "/secret/x" }]);
  const { out } = await runMain(["replay", "-r", place.rules, "-o", "json_output=false", capture]);
  strictEqual(out, "22:13:20.000000000: Warning Opened /secret/x\n");
});

Deno.test("a reader that goes ends saker quietly", async () => {
  using place = new Workplace();
  const capture = place.capture(
    "a.scap",
    Array.from({ length: 50_000 }, (_, at) => ({ path: `/secret/${at}` })),
  );
  const child = spawnMain(["replay", "-r", place.rules, capture]);
  const reader = child.stdout.getReader();
  strictEqual((await reader.read()).done, false);
  await reader.cancel();
  const error = await new Response(child.stderr).text();
  strictEqual((await child.status).code, 0);
  strictEqual(error, "");
});

Deno.test("a reader that is slow gets every alert of a replay", async () => {
  using place = new Workplace();
  const opened = Array.from({ length: 30_000 }, (_, at) => ({ path: `/secret/${at}` }));
  const capture = place.capture("a.scap", opened);
  const child = spawnMain(["replay", "-r", place.rules, capture]);
  const stderr = new Response(child.stderr).text();
  let lines = 0;
  for await (const chunk of child.stdout) {
    for (const byte of chunk) if (byte === 10) lines++;
    // Long enough for the pipe and every queue before it to fill.
    if (lines < 100) await new Promise((resolve) => setTimeout(resolve, 300));
  }
  strictEqual(lines, opened.length);
  strictEqual((await child.status).code, 0);
  match(await stderr, /Events detected: 30000\n/);
});

Deno.test("alerts go to a file beside standard output", async () => {
  using place = new Workplace();
  const capture = place.capture("a.scap", [{ path: "/secret/x" }]);
  const file = `${place.directory}/alerts.txt`;
  await runMain([
    "replay",
    "-r",
    place.rules,
    "-o",
    "file_output={enabled: true, filename: " + file + "}",
    "-o",
    "json_output=true",
    "-o",
    "stdout_output.enabled=false",
    capture,
  ]);
  strictEqual(JSON.parse(Deno.readTextFileSync(file)).rule, "Secret opened");
});

Deno.test("rules that cannot be used are one line with file and place", async () => {
  using place = new Workplace();
  const capture = place.capture("a.scap", [{ path: "/secret/x" }]);
  const refused = async (text: string, line: RegExp) => {
    const rules = place.file("bad.yaml", text);
    const ending = await runMain(["replay", "-r", rules, capture]);
    strictEqual(ending.code, 1);
    strictEqual(ending.out, "");
    match(ending.error, /^Error: [^\n]+\n$/);
    match(ending.error, line);
  };
  await refused("- rule: [a\n  b", /bad.yaml:\d+:\d+: .*\(LOAD_ERR_YAML_PARSE\)/);
  await refused(
    RULES.replace("fd.name startswith /secret/", "fd.nam = x"),
    /bad.yaml:\d+:\d+: rule "Secret opened": .*fd\.nam, did you mean .*COMPILE_CONDITION\)/,
  );
  await refused(RULES.replace("WARNING", "LOUD"), /rule "Secret opened": /);
});

Deno.test("a limit of seconds ends a replay by the events' own time", async () => {
  using place = new Workplace();
  const capture = place.capture(
    "a.scap",
    [10, 11, 12, 13].map((second) => ({ path: `/secret/${second}`, second })),
  );
  const ending = await runMain(["replay", "-M", "1", "-r", place.rules, capture]);
  deepStrictEqual(told(ending), ["Secret opened: /secret/10"]);
});

Deno.test("events of a pipe are taken as they come; SIGINT ends the wait for more", async () => {
  using place = new Workplace();
  const capture = place.capture("a.scap", [{ path: "/secret/x" }]);
  const child = spawnMain(["replay", "-r", place.rules, "-"], { isFed: true });
  const writer = child.stdin.getWriter();
  await writer.write(Deno.readFileSync(capture));
  const reader = child.stdout.getReader();
  strictEqual((await reader.read()).done, false);
  child.kill("SIGINT");
  const error = await new Response(child.stderr).text();
  // An engine that already waits for the pipe hears nothing and is cut off; both ends are right.
  if ((await child.status).code === 0) match(error, /^Events detected: 1$/m);
  else strictEqual(error, "Error: The engine did not stop and was cut off\n");
  await reader.cancel();
  await writer.abort().catch(() => {});
});

Deno.test("a replay tells its metrics in their interval, as alerts and in a file", async () => {
  using place = new Workplace();
  const capture = place.capture("a.scap", [{ path: "/secret/x" }]);
  const file = place.file("metrics.jsonl", "");
  const options = ["enabled=true", "interval=100ms", "output_rule=true", `output_file=${file}`]
    .flatMap((option) => ["-o", `metrics.${option}`]);
  const child = spawnMain(["replay", "-r", place.rules, "-", ...options], { isFed: true });
  const writer = child.stdin.getWriter();
  await writer.write(Deno.readFileSync(capture));
  const out = new Response(child.stdout).text();
  // The pipe stays open until there are two of them.
  const lines = () => {
    const text = Deno.readTextFileSync(file);
    return text.split("\n").slice(0, -1).map((line) => JSON.parse(line));
  };
  while (lines().length < 2) await new Promise((resolve) => setTimeout(resolve, 20));
  await writer.close();
  strictEqual((await child.status).code, 0);
  await child.stderr.cancel();
  const [first] = lines();
  strictEqual(first.sample, 1);
  strictEqual(first.output_fields["scap.engine_name"], "savefile");
  match(await out, /"rule":"Falco internal: metrics snapshot"/);
});
