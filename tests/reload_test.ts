// Rules exchanged under way: each exchange that was asked for is carried out, the last one holds,
// and what the new rules need of the tables is there.
import { deepStrictEqual, strictEqual } from "node:assert";
import { writeCapture } from "./capture_file.ts";
import { NO_RULES } from "../src/engine/captures/compile_filter.ts";
import { Counters } from "../src/engine/contract/counters.ts";
import type { RulesStart } from "../src/engine/contract/messages.ts";
import { startEngineThread } from "../src/engine/thread/engine_thread.ts";

function rules(name: string, output = "o"): RulesStart {
  const text = `- rule: ${name}\n  desc: d\n  condition: evt.type in (open, openat)\n` +
    `  output: "${output}"\n  priority: WARNING\n`;
  return { ...NO_RULES, files: [{ name: "r.yaml", text }] };
}

/** Replays a capture with the first rules, the others asked for before the engine looks. */
async function replayed(first: RulesStart, ...next: RulesStart[]) {
  const file = Deno.makeTempFileSync({ suffix: ".scap" });
  writeCapture(file, [
    ...Array.from({ length: 20 }, (_, at) => ({ path: `/f${at}` })),
    { path: "/d", fd: 4, isDirectory: true },
  ]);
  const counters = new Counters();
  const fired = new Set<string>();
  const messages: string[] = [];
  const outcomes: string[] = [];
  const thread = startEngineThread(
    {
      counters: counters.buffer,
      source: { kind: "capture", files: [file] },
      rules: first,
      machine: { paths: "kernel", threadsMax: 10_000, fdsMax: 100_000, hostname: "h" },
      baseSyscalls: { customSet: [], repair: false, all: false },
      drops: { threshold: 1, rate: 1, burst: 1, alert: false, exit: false, log: false },
      seconds: undefined,
      sieve: false,
      kernelSieve: false,
    },
    counters,
    {
      onAlerts(alerts) {
        for (const { rule, message } of alerts) {
          fired.add(rule);
          messages.push(message);
        }
        return Promise.resolve();
      },
      onReady() {},
      onReloaded(outcome) {
        outcomes.push("error" in outcome ? outcome.error : "taken");
      },
      onNotice() {},
    },
  );
  for (const one of next) thread.reload(one);
  const end = await thread.ended;
  Deno.removeSync(file);
  strictEqual(end.error, undefined);
  return { fired: [...fired], outcomes, last: messages.at(-1) };
}

Deno.test("two exchanges before the engine looks are both carried out", async () => {
  const { fired, outcomes } = await replayed(rules("First"), rules("Second"), rules("Third"));
  deepStrictEqual(outcomes, ["taken", "taken"]);
  deepStrictEqual(fired, ["Third"]);
});

Deno.test("rules that are bad, or leave nothing, change nothing", async () => {
  const bad = { ...NO_RULES, files: [{ name: "b.yaml", text: "- rule: [" }] };
  const none = { ...NO_RULES, files: [{ name: "n.yaml", text: "# nothing\n" }] };
  const { fired, outcomes } = await replayed(rules("First"), bad, none);
  strictEqual(outcomes.length, 2);
  strictEqual(outcomes.includes("taken"), false);
  deepStrictEqual(fired, ["First"]);
});

Deno.test("rules that show the order of descriptors have it also by a reload", async () => {
  const types = rules("Types", "%fd.types");
  const atOnce = await replayed(types);
  // The newest first, as in Falco; by their numbers where nobody keeps the order.
  strictEqual(atOnce.last, "(directory,file)");
  strictEqual((await replayed(rules("Types"), types)).last, atOnce.last);
});
