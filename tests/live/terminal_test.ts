// The built binary on a terminal, and what it shows of names that somebody chose: no colour where
// there is none, nothing that acts, nothing twice.
import { assert, assertEquals, assertIncludes } from "./expect.ts";
import { writeCapture } from "../capture_file.ts";
import { eventually, runSaker, SAKER } from "./saker.ts";
import { hasTmux, Tmux } from "./tmux.ts";
import { has, isRoot, Place, python } from "./trigger.ts";

/** Runs a command on a terminal of its own; what that terminal was sent. */
async function onTerminal(
  place: Place,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: number; shown: string }> {
  const program = `
import os, pty, sys
environment = dict(pair.split("=", 1) for pair in sys.argv[2].split("\\n") if pair)
os.environ.pop("NO_COLOR", None)
environment = {**os.environ, "TERM": "xterm-256color", **environment}
child, terminal = pty.fork()
if child == 0: os.execve(sys.argv[3], sys.argv[3:], environment)
shown = b""
while True:
    try: piece = os.read(terminal, 65536)
    except OSError: break
    if not piece: break
    shown += piece
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
sys.stdout.flush()
os.write(1, shown)
`;
  const pairs = Object.entries(env).map(([name, value]) => `${name}=${value}`).join("\n");
  const { stdout } = await python(place.marker, program, [pairs, SAKER, ...args]);
  const at = stdout.indexOf("\n");
  return { code: Number(stdout.slice(0, at)), shown: stdout.slice(at + 1) };
}

const RULE = `- rule: Opened
  desc: A file below /secret was opened.
  condition: evt.type = openat and fd.name startswith /secret/
  output: Opened %fd.name
  priority: WARNING
`;

/** A capture of one open of a file with the name, and the rule that tells of it. */
async function replayOf(place: Place, name: string): Promise<string[]> {
  const [capture, rules] = [place.file("a.scap"), place.file("rules.yaml")];
  writeCapture(capture, [{ path: `/secret/${name}` }]);
  await Deno.writeTextFile(rules, RULE);
  return ["replay", "-r", rules, capture];
}

Deno.test("a terminal has colour, one that is dumb or is told not to has none", {
  ignore: !has("python3"),
}, async () => {
  await using place = new Place();
  const replay = await replayOf(place, "x");
  assertIncludes((await onTerminal(place, replay)).shown, "\x1b[");
  for (const env of [{ TERM: "dumb" }, { NO_COLOR: "1" }]) {
    for (const args of [replay, ["--list"], ["-L"]]) {
      const { code, shown } = await onTerminal(place, args, env);
      assert(code === 0 && !shown.includes("\x1b"), JSON.stringify(shown.slice(0, 300)));
    }
  }
});

Deno.test("names show what they hold: no marks of direction, no lines of their own", async () => {
  await using place = new Place();
  const marks = "\u202e\u2066\u2028\u2029\u061c\x1b[2J\x9b\r\n";
  const shown = "\\u202e\\u2066\\u2028\\u2029\\u061c\\u001b[2J\\u009b\\r\\n";
  const replay = await replayOf(place, `a${marks}b`);
  const text = await runSaker([...replay, "-o", "json_output=false"]);
  assertEquals(text.stdout.trimEnd().split("\n").length, 1, text.stdout);
  assertIncludes(text.stdout, `Opened /secret/a${shown}b`);
  const json = await runSaker(replay);
  assert(!/[\u2028\u2029\u202e\u2066]/.test(json.stdout), JSON.stringify(json.stdout));
  assertEquals(JSON.parse(json.stdout).output_fields["fd.name"], `/secret/a${marks}b`);
});

Deno.test("-V of a directory prints its report once on a terminal", {
  ignore: !has("python3"),
}, async () => {
  await using place = new Place();
  const directory = place.file("rules");
  await Deno.mkdir(directory);
  await Deno.writeTextFile(`${directory}/a.yaml`, RULE);
  await Deno.writeTextFile(`${directory}/b.yaml`, RULE.replace("fd.name", "fd.nonsense"));
  // What editors leave: a dangling link, a hidden file.
  await Deno.symlink("user@host.1", `${directory}/.#a.yaml`);
  await Deno.writeTextFile(`${directory}/.a.yaml.swp`, "- [");
  const { code, shown } = await onTerminal(place, ["-V", directory]);
  assertEquals(code, 1, shown);
  for (const part of [`${directory}/a.yaml: Ok`, `${directory}/b.yaml: Invalid`, "fd.nonsense"]) {
    const count = shown.split(part).length - 1;
    assert(
      part === "fd.nonsense" ? count > 0 : count === 1,
      `${part} stands ${count} times: ${shown}`,
    );
  }
  assert(!shown.includes(".swp") && !shown.includes(".#a"), shown);
  const piped = await runSaker(["-V", directory]);
  assertEquals(piped.code, 1);
  assertEquals(piped.stdout.split(`${directory}/a.yaml: Ok`).length - 1, 1, piped.stdout);
});

Deno.test("doctor is short, tells all with --verbose, and all of it in JSON", {
  ignore: !isRoot(),
}, async () => {
  const short = await runSaker(["doctor"]);
  const verbose = await runSaker(["doctor", "--verbose"]);
  const json = await runSaker(["doctor", "-o", "json_output=true"]);
  const lines = (text: string) => text.trimEnd().split("\n");
  assert(lines(short.stdout).length <= 6, short.stdout);
  assert(lines(verbose.stdout).length > 50, verbose.stdout);
  assertIncludes(verbose.stdout, "sys_exit");
  assertEquals(lines(json.stdout).length, 1);
  const { host, well, findings } = JSON.parse(json.stdout);
  assertEquals([typeof host, well], ["string", true]);
  assert(findings.length > 50 && findings.every(({ verdict }: { verdict: string }) => verdict));
  const extra = await runSaker(["doctor", "x"]);
  assertEquals(extra.code, 1);
  assertEquals(lines(extra.stderr).length, 1, extra.stderr);
  assert(!extra.stderr.includes("unknown command"), extra.stderr);
});

Deno.test("replay - ends at once on SIGINT and SIGTERM, whatever came so far", async () => {
  await using place = new Place();
  await Deno.writeTextFile(place.file("rules.yaml"), RULE);
  writeCapture(place.file("a.scap"), [{ path: "/secret/x" }]);
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    for (const bytes of [new Uint8Array(), Deno.readFileSync(place.file("a.scap"))]) {
      const child = new Deno.Command(SAKER, {
        args: ["replay", "-r", place.file("rules.yaml"), "-"],
        stdin: "piped",
        stdout: "piped",
        stderr: "piped",
      }).spawn();
      const writer = child.stdin.getWriter();
      await writer.write(bytes);
      const alerts = child.stdout.getReader();
      if (bytes.length > 0) assertEquals((await alerts.read()).done, false);
      // It answers signals once its engine waits for the pipe.
      else await waitsForPipe(child.pid);
      child.kill(signal);
      const { code } = await child.status;
      assertEquals(code === 0 || code === 130 || code === 143, true, `exit code ${code}`);
      const told = await new Response(child.stderr).text();
      assert(!/panicked|Uncaught|cut off/.test(told), told);
      await alerts.cancel();
      await writer.abort().catch(() => {});
    }
  }
});

async function waitsForPipe(pid: number): Promise<void> {
  await eventually("it to wait for the pipe", () => {
    const waits = [...Deno.readDirSync(`/proc/${pid}/task`)].some(({ name }) => {
      try {
        return Deno.readTextFileSync(`/proc/${pid}/task/${name}/wchan`).includes("pipe_read");
      } catch {
        return false;
      }
    });
    return waits || undefined;
  });
}

Deno.test({
  name: "what commands print fits terminals of 80 and of 40 columns",
  ignore: !hasTmux() || !isRoot(),
  async fn() {
    await using place = new Place();
    await Deno.writeTextFile(place.file("rules.yaml"), RULE);
    await Deno.writeTextFile(
      place.file("event.yaml"),
      `type: openat\nfields: {fd.name: "/secret/${"long name ".repeat(20)}"}\n`,
    );
    await Deno.writeTextFile(
      place.file("falco.yaml"),
      "json_output: false\nfalco_libs: {thread_table_auto_purging_interval_s: 30}\n",
    );
    const rules = `-r ${place.file("rules.yaml")}`;
    const commands = [
      "--help",
      "alerts --help",
      `-L ${rules}`,
      "--list",
      `rules filter ${rules}`,
      `rules lint ${rules}`,
      `explain Opened ${rules} --event ${place.file("event.yaml")}`,
      `config --explain ${place.file("falco.yaml")}`,
      "doctor",
    ];
    // Alerts of a replay too.
    const secrets = Array.from(
      { length: 5 },
      (_, at) => ({ path: `/secret/${at} ${"word ".repeat(12)}` }),
    );
    writeCapture(place.file("a.scap"), secrets);
    commands.push(`replay ${rules} ${place.file("a.scap")} 2> /dev/null`);
    for (const columns of [80, 40]) {
      for (const command of commands) {
        await using screen = await Tmux.open(
          place,
          `clear; ${SAKER} ${command}; echo "ended with $?"`,
          { columns, rows: 24 },
        );
        await screen.until("the end", (lines) => lines.some((line) => /^ended with/.test(line)));
        // What the terminal itself had to break, it has as one line.
        const [shown, joined] = [await screen.history(), await screen.history(true)];
        assertEquals(joined.length, shown.length, `${command} in ${columns} columns`);
        assert(shown.length > 1 && shown.every((line) => line.length <= columns));
      }
    }
  },
});
