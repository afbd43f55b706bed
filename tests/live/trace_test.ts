// `saker trace` by an ordinary user: alerts as from the probe, and a command that does not notice.
import { assert, assertEquals, assertIncludes } from "./expect.ts";
import { eventually } from "./saker.ts";
import {
  AS_NOBODY,
  CAN_BE_NOBODY,
  isRunning,
  reachableSaker,
  reachableTrigger,
  Trace,
  traced,
  tracerOf,
} from "./traced.ts";
import { has, isFile, Place, run } from "./trigger.ts";

const ignore = !CAN_BE_NOBODY || !has("cc");

/** A rule on opens of a place's own files, and one on what is executed there. */
async function rulesOf(place: Place): Promise<string> {
  const rules = place.file("rules.yaml");
  await Deno.writeTextFile(
    rules,
    `- rule: Opened
  desc: A file of the test was opened.
  condition: evt.type in (open, openat, openat2) and fd.name startswith ${place.path}/secret
  output: Opened %fd.name by %proc.name (%proc.cmdline) parent %proc.pname
  priority: WARNING
- rule: Executed
  desc: A program was executed.
  condition: evt.type in (execve, execveat) and proc.args contains "${place.marker}"
  output: Executed %proc.exepath %proc.cmdline %proc.pid %proc.vpid
  priority: NOTICE
`,
  );
  await Deno.writeTextFile(place.file("secret"), "x\n");
  return rules;
}

Deno.test("a command's alerts are those of the default rules, its output and code its own", {
  ignore,
}, async () => {
  await using place = new Place();
  await reachableSaker(place);
  const told = await traced(place, "--", "sh", "-c", "cat /etc/shadow; echo out; exit 42");
  assertEquals([told.code, told.stdout], [42, "out\n"], told.stderr);
  assertIncludes(told.stderr, "/etc/shadow: Permission denied");
  assert(told.alerts.length === 0, told.stderr);
  const odd = place.file("odd");
  await Deno.copyFile(realPath("/bin/true"), odd);
  await Deno.chmod(odd, 0o755);
  const ran = await traced(place, "--", "sh", "-c", `${odd}; echo $?`);
  assertEquals([ran.code, ran.stdout], [0, "0\n"], ran.stderr);
  const { rule, output_fields } = ran.alerts[0]!;
  assertEquals([rule, ran.alerts.length], ["Program run from a temporary directory", 1]);
  assertEquals(
    [output_fields["proc.exepath"], output_fields["proc.cmdline"]],
    [odd, "odd"],
    ran.stderr,
  );
});

Deno.test("a file is told by the name that the kernel has, whatever the command called it", {
  ignore,
}, async () => {
  await using place = new Place();
  await reachableSaker(place);
  const rules = await rulesOf(place);
  await Deno.symlink(place.path, place.file("link"));
  const { alerts, stderr, stdout } = await traced(
    place,
    ...["-r", rules, "--", "sh", "-c"],
    `cat link/../${place.marker}/secret; cd link && cat < secret; ` +
      `cat /proc/self/root${place.path}/secret`,
  );
  assertEquals(stdout, "x\nx\nx\n", stderr);
  const opened = alerts.filter(({ rule }) => rule === "Opened");
  assertEquals(opened.map((alert) => alert.output_fields["fd.name"]).slice(0, 1), [
    `${place.path}/secret`,
  ], stderr);
  assertEquals(opened.length, 3, stderr);
  assertEquals(opened.map((alert) => alert.output_fields["proc.name"]), ["cat", "sh", "cat"]);
});

Deno.test("exit codes are the command's, also of one that is not there or is killed", {
  ignore,
}, async () => {
  await using place = new Place();
  await reachableSaker(place);
  for (const fast of [[], ["--fast"]]) {
    const codeOf = async (...command: string[]) => {
      const { code, stderr } = await traced(place, ...fast, "--", ...command);
      return [code, stderr.trim()];
    };
    assertEquals(await codeOf("true"), [0, ""]);
    assertEquals(await codeOf("sh", "-c", "exit 200"), [200, ""]);
    assertEquals(await codeOf("sh", "-c", "kill -TERM $$"), [143, ""]);
    assertEquals((await codeOf("sh", "-c", "kill -SEGV $$"))[0], 139);
    const missing = await codeOf("saker-no-such-command");
    assertEquals(missing[0], 127);
    assertIncludes(`${missing[1]}`, "Cannot start saker-no-such-command: command not found");
    const refused = await codeOf("/etc/passwd");
    assertEquals(refused[0], 126);
    assertIncludes(`${refused[1]}`, "Cannot start /etc/passwd: permission denied");
  }
});

Deno.test("what tracers get wrong is as it is without one", { ignore }, async () => {
  await using place = new Place();
  await reachableSaker(place);
  const program = await reachableTrigger(place, "tracee");
  const rules = await rulesOf(place);
  const tries = ["trap", "stack", "stop", "sleep", "churn", "killed"].map((word) => [word]);
  tries.push(["exec", "/bin/echo", place.mark("exec")]);
  tries.push(["untraced", "/bin/echo", place.mark("untraced")]);
  for (const words of tries) {
    const plain = await run(program, words);
    for (const fast of [[], ["--fast"]]) {
      const told = await traced(place, "-r", rules, ...fast, "--", program, ...words);
      const of = `${words[0]} ${fast}: ${told.stderr}`;
      assertEquals([told.stdout, told.code], [plain.stdout, plain.code], of);
      const executed = told.alerts.filter(({ output_fields }) =>
        output_fields["proc.exepath"] === realPath("/bin/echo")
      );
      const expected = { exec: 1, untraced: 2 }[words[0]!] ?? 0;
      assertEquals(executed.length, expected, of);
    }
  }
  const self = await traced(place, "--", program, "traceme");
  assertEquals(self.stdout, "traceme 1\n", "a process has one tracer");
});

Deno.test("alerts go to a file where that is wanted, and to nothing else", { ignore }, async () => {
  await using place = new Place();
  await reachableSaker(place);
  const rules = await rulesOf(place);
  const file = place.file("alerts.json");
  const command = ["--", "cat", place.file("secret")];
  const told = await traced(place, "-r", rules, "--alerts", file, ...command);
  assertEquals([told.code, told.stdout, told.stderr], [0, "x\n", ""]);
  assertIncludes(await Deno.readTextFile(file), `Warning Opened ${place.file("secret")}`);
});

Deno.test("a process that runs is followed and let go without a trace", { ignore }, async () => {
  await using place = new Place();
  await reachableSaker(place);
  const rules = await rulesOf(place);
  const loop = `while :; do cat ${place.path}/secret >/dev/null; sleep 0.05; done`;
  // Its own user: one may trace what is one's own.
  const [as, ...rest] = [...AS_NOBODY, "sh", "-c", loop];
  const target = new Deno.Command(as!, { args: rest, stdin: "null", stdout: "null" }).spawn();
  try {
    const trace = new Trace(place, ["-r", rules, "-p", `${target.pid}`, "-v"]);
    await eventually("it to be traced", () => tracerOf(target.pid) !== 0 || undefined);
    await eventually("an alert", () => trace.told.includes('"rule":"Opened"') || undefined);
    trace.child.kill("SIGINT");
    const told = await trace.ended();
    assertEquals(told.code, 0, told.stderr);
    assert(told.alerts.some(({ rule }) => rule === "Opened"), told.stderr);
    assertEquals(tracerOf(target.pid), 0);
    assert(isRunning(target.pid), "it goes on");
  } finally {
    target.kill("SIGKILL");
    await target.status;
  }
});

Deno.test("a command goes on when its tracer is killed", { ignore }, async () => {
  await using place = new Place();
  await reachableSaker(place);
  const cat = "cat /etc/passwd >/dev/null || exit 9";
  // It runs until the tracer has been killed, some while before and some while longer.
  const some = `i=0; while [ $i -lt 50 ]; do ${cat}; i=$((i+1)); done`;
  const script = `${some}; : > ${place.path}/begun; until [ -e ${place.path}/gone ]; do ${cat}; ` +
    `done; ${some}; echo whole > ${place.path}/end`;
  const trace = new Trace(place, ["--", "sh", "-c", `echo $$; ${script}`]);
  await eventually("the command to run", () => isFile(place.file("begun")) || undefined);
  trace.child.kill("SIGKILL");
  await trace.child.status;
  await Deno.writeTextFile(place.file("gone"), "");
  await eventually("the command's end", () => {
    try {
      return Deno.readTextFileSync(place.file("end"));
    } catch {
      return undefined;
    }
  });
  await trace.ended();
});

Deno.test("it works in an unprivileged container, with ids of its own", { ignore }, async () => {
  await using place = new Place();
  await reachableSaker(place);
  const rules = await rulesOf(place);
  const container = ["unshare", "-Ur", "--pid", "--fork", "--mount-proc"];
  if (
    (await run(AS_NOBODY[0] ?? "env", [...AS_NOBODY.slice(1), ...container, "true"])).code !== 0
  ) {
    return;
  }
  const command = ["--", "sh", "-c", `/bin/echo ${place.marker}; cat ${place.path}/secret`];
  const told = await new Trace(place, ["-r", rules, ...command], container).ended();
  assertEquals([told.code, told.stdout], [0, `${place.marker}\nx\n`], told.stderr);
  const rulesMet = told.alerts.map(({ rule }) => rule);
  assertEquals(rulesMet.filter((rule) => rule === "Opened").length, 1, told.stderr);
  const executed = told.alerts.find(({ output_fields }) =>
    output_fields["proc.exepath"] === realPath("/bin/echo")
  );
  assert(Number(executed?.output_fields["proc.vpid"]) < 100, told.stderr);
});

Deno.test("who cannot be traced is told with what to do", { ignore }, async () => {
  await using place = new Place();
  await reachableSaker(place);
  const other = await traced(place, "-p", "1");
  assertEquals(other.code, 1);
  assert(/Cannot trace process 1: it belongs to user 0, and you are/.test(other.stderr));
  const none = await traced(place, "-p", "4194303");
  assertIncludes(none.stderr, "Cannot trace process 4194303: there is no such process");
  assertIncludes((await traced(place)).stderr, "saker trace needs a command or a process");
  const nested = await traced(place, "--", place.file("saker"), "trace", "--", "true");
  assertEquals(nested.code, 1);
  assertIncludes(nested.stderr, "traces it already");
});

Deno.test("a signal to saker is the command's, which ends as it likes", { ignore }, async () => {
  await using place = new Place();
  await reachableSaker(place);
  const ready = place.file("ready");
  const script = `trap 'echo term; exit 3' TERM; : > ${ready}; while :; do sleep 0.05; done`;
  const trace = new Trace(place, ["--", "sh", "-c", script]);
  await eventually("the command", () => {
    try {
      return Deno.statSync(ready);
    } catch {
      return undefined;
    }
  });
  trace.child.kill("SIGINT");
  trace.child.kill("SIGTERM");
  const { code, stdout, stderr } = await trace.ended();
  assertEquals([code, stdout], [3, "term\n"], stderr);
});

function realPath(path: string): string {
  return Deno.realPathSync(path);
}
