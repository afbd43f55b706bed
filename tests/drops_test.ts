// Lost events as Falco tells and acts on them, with losses that are simulated: one for each second
// of a capture's time. The figures are those of Falco's own end-to-end tests.
import { match, ok, strictEqual } from "node:assert";
import { writeCapture } from "./capture_file.ts";
import { runMain } from "./main_process.ts";

const RULES = `
- rule: Never
  desc: Nothing.
  condition: evt.type = openat and fd.name = /never
  output: Never
  priority: WARNING
`;

/** Replays a capture of ten seconds, two events in each, with the keys of syscall_event_drops. */
async function replayed(drops: string, ...options: string[]) {
  const directory = Deno.makeTempDirSync();
  try {
    writeCapture(
      `${directory}/c.scap`,
      Array.from({ length: 22 }, (_, at) => ({ path: "/f", second: 1_700_000_000 + (at >> 1) })),
    );
    Deno.writeTextFileSync(`${directory}/rules.yaml`, RULES);
    return await runMain([
      ...["-r", `${directory}/rules.yaml`],
      ...["-o", "engine.kind=replay", "-o", `engine.replay.capture_file=${directory}/c.scap`],
      ...["-o", `syscall_event_drops=${drops}`],
      ...options.flatMap((one) => one === "-v" ? [one] : ["-o", one]),
    ]);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

const SIMULATED = "rate: .03333, max_burst: 10, simulate_drops: true";
const MESSAGE = /Falco internal: syscall event drop\. 1 system calls dropped in last second\./;

/** How many losses were told at the end, and how many of them were acted on. */
function counted(error: string): [detected: number, acted: number] {
  const number = (words: string) => Number(new RegExp(`${words}: (\\d+)`).exec(error)![1]);
  return [number("event drop detected"), number("num times actions taken")];
}

Deno.test("a simulated loss that is ignored is counted and told at the end only", async () => {
  const { code, out, error } = await replayed(`{actions: [ignore], ${SIMULATED}}`);
  strictEqual(code, 0);
  const [detected, acted] = counted(error);
  ok(detected >= 5 && acted === detected, error);
  match(error, /Simulating syscall event drop/);
  ok(!MESSAGE.test(error) && !MESSAGE.test(out));
});

Deno.test("a simulated loss is logged, or told as an alert, or ends the run", async () => {
  const logged = await replayed(`{actions: [log], ${SIMULATED}}`, "log_level=debug");
  strictEqual(logged.code, 0);
  match(logged.error, MESSAGE);
  strictEqual(logged.out, "");

  const told = await replayed(`{actions: [alert], ${SIMULATED}}`, "json_output=true");
  strictEqual(told.code, 0);
  ok(!MESSAGE.test(told.error));
  const alerts = told.out.trim().split("\n").map((line) => JSON.parse(line));
  strictEqual(alerts.length, counted(told.error)[1]);
  strictEqual(alerts[0].rule, "Falco internal: syscall event drop");
  strictEqual(alerts[0].priority, "Debug");
  strictEqual(alerts[0].source, "internal");
  strictEqual(alerts[0].output_fields.n_drops, "1");
  match(alerts[0].output, MESSAGE);

  const ended = await replayed(`{actions: [exit], ${SIMULATED}}`);
  strictEqual(ended.code, 1);
  match(ended.error, MESSAGE);
  match(ended.error, /Exiting\./);
  match(ended.error, /event drop detected: 1 occurrences\n {3}- num times actions taken: 1/);
  strictEqual(ended.out, "");
});

Deno.test("losses are acted on as often as rate and max_burst say", async () => {
  const { error } = await replayed(
    "{actions: [ignore], rate: 0.1, max_burst: 2, " +
      "simulate_drops: true}",
  );
  const [detected, acted] = counted(error);
  ok(detected >= 5, error);
  strictEqual(acted, 2);
});

Deno.test("-v tells of the run in Falco's lines", async () => {
  const { error } = await replayed("{actions: [log]}");
  ok(!error.includes("Elapsed time"));
  const { error: verbose } = await replayed("{actions: [log]}", "-v");
  match(verbose, /Driver Events:22\nDriver Drops:0\nElapsed time: [\d.]+, Captured Events: 22, /);
});

Deno.test("without a simulation nothing is lost and nothing told", async () => {
  const { code, out, error } = await replayed("{actions: [log], simulate_drops: false}");
  strictEqual(code, 0);
  strictEqual(counted(error)[0], 0);
  ok(!MESSAGE.test(error) && !MESSAGE.test(out));
});

Deno.test("settings of losses that make no sense are refused in Falco's words", async () => {
  const refused = async (drops: string, words: RegExp) => {
    const { code, error } = await replayed(drops);
    strictEqual(code, 1);
    match(error, words);
    ok(!error.includes("event drop detected"));
  };
  const range = /syscall event drops threshold must be a double in the range \[0, 1\]/;
  await refused(`{threshold: 1.1, ${SIMULATED}}`, range);
  await refused(`{threshold: -1, ${SIMULATED}}`, range);
  await refused(
    `{actions: [ignore, log], ${SIMULATED}}`,
    /syscall event drop action "log" does not make sense with the "ignore" action/,
  );
});
