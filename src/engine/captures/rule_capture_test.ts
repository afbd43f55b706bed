// Captures that alerts start, with the real tables and files: when they begin and end, what they
// are called, what is in them. Batches of close events stand for what a host does.
import { deepStrictEqual, match, ok, strictEqual } from "node:assert";
import { BlockBuffer } from "../../events/scap/block_buffer.ts";
import type { CompiledRule } from "../../rules/rule_set.ts";
import { Counter } from "../contract/counters.ts";
import type { CaptureRulesStart } from "../contract/messages.ts";
import { RuleCapture } from "./rule_capture.ts";
import type { InternalAlert } from "./tap.ts";
import { putClose, TapScene } from "./tap_fixture.ts";

const MS = 1_000_000n;

/** An event at a time in ms; `alert` names the rule that it matches. */
interface Happening {
  readonly ms: number;
  readonly alert?: Partial<CompiledRule>;
}

class Host extends TapScene {
  readonly alerts: InternalAlert[] = [];
  readonly #capture: RuleCapture;

  constructor(changes: Partial<CaptureRulesStart> = {}) {
    super();
    this.#capture = new RuleCapture({
      options: this.#options(changes),
      machine: this.machine,
      context: this.context,
      counters: this.counters,
      host: { alert: (alert) => this.alerts.push(alert) },
      notice: (line) => this.notices.push(line),
      clock: () => 0,
      isReplay: true,
      disk: this.disk,
    });
  }

  /** What a reload says. */
  change(changes: Partial<CaptureRulesStart>): void {
    this.#capture.setOptions(this.#options(changes));
  }

  #options(changes: Partial<CaptureRulesStart>): CaptureRulesStart {
    return {
      mode: "rules",
      pathPrefix: `${this.directory}/c`,
      durationMs: 100,
      maxFileMib: 0,
      maxTotalMib: 0,
      maxDurationMs: 0,
      beforeMs: 0,
      beforeBytes: 8 << 20,
      ...changes,
    };
  }

  batch(...happenings: Happening[]): void {
    const out = new BlockBuffer();
    for (const { ms } of happenings) putClose(out, BigInt(ms) * MS);
    const wantsNoMore = this.run(this.#capture, out, (at) => {
      const { alert } = happenings[at]!;
      if (alert === undefined) return;
      this.#capture.matched({ capture: false, captureDurationMs: 0, ...alert } as CompiledRule);
    });
    strictEqual(wantsNoMore, false);
  }

  /** Times, in ms, of the events of each capture, by name without prefix. */
  captures(): Record<string, number[]> {
    return this.written((event) => Number(event.time() / MS));
  }

  /** The same in order of time. */
  contents(): number[][] {
    return Object.values(this.captures());
  }

  close(): void {
    this.#capture.close();
  }
}

const CAPTURE = { capture: true };

Deno.test("an alert of a rule with capture starts one, named by its time and number", () => {
  using host = new Host();
  host.batch({ ms: 1 }, { ms: 2 }, { ms: 3, alert: CAPTURE }, { ms: 4 });
  host.batch({ ms: 50 }, { ms: 103 }, { ms: 104 });
  deepStrictEqual(host.captures(), {
    "c_00000000000003000000_00000000000000000003.scap": [3, 4, 50, 103],
  });
  strictEqual(host.counters.get(Counter.CapturesStarted), 1);
  strictEqual(
    Deno.statSync(`${host.directory}/${Object.keys(host.captures())[0]}`).mode! & 0o777,
    0o600,
  );
});

Deno.test("an alert of a rule without capture starts none, unless all rules do", () => {
  using some = new Host();
  some.batch({ ms: 1, alert: {} }, { ms: 2 });
  deepStrictEqual(some.contents(), []);
  using all = new Host({ mode: "all_rules" });
  all.batch({ ms: 1, alert: {} }, { ms: 2 });
  all.close();
  deepStrictEqual(all.contents(), [[1, 2]]);
});

Deno.test("other options hold from the next event on, and a capture that runs goes on", () => {
  using host = new Host();
  host.batch({ ms: 1, alert: {} }, { ms: 2, alert: CAPTURE });
  host.change({ mode: "all_rules", pathPrefix: `${host.directory}/other`, durationMs: 10 });
  host.batch({ ms: 101 }, { ms: 102 }, { ms: 103 }, { ms: 200, alert: {} }, { ms: 211 });
  host.close();
  deepStrictEqual(
    Object.entries(host.captures()).map(([name, times]) => [name.split("_")[0], times]),
    [["c", [2, 101, 102]], ["other", [200, 211]]],
  );
});

Deno.test("any alert while a capture runs makes it longer, as long as its rule says", () => {
  using host = new Host();
  host.batch({ ms: 1, alert: CAPTURE }, { ms: 90, alert: { captureDurationMs: 200 } });
  host.batch({ ms: 120 }, { ms: 200, alert: { captureDurationMs: 10 } }, { ms: 289 });
  host.batch({ ms: 290 }, { ms: 291 });
  deepStrictEqual(host.contents(), [[1, 90, 120, 200, 289, 290]]);
});

Deno.test("one capture may end and the next begin within a batch", () => {
  using host = new Host();
  host.batch(
    { ms: 1, alert: CAPTURE },
    { ms: 2 },
    { ms: 150 },
    { ms: 160 },
    { ms: 300, alert: CAPTURE },
    { ms: 301 },
  );
  host.close();
  deepStrictEqual(host.contents(), [[1, 2, 150], [300, 301]]);
});

Deno.test("a capture begins some time before its alert", () => {
  using host = new Host({ beforeMs: 1_000 });
  for (let ms = 100; ms <= 5_000; ms += 100) host.batch({ ms });
  host.batch({ ms: 5_050 }, { ms: 5_060, alert: CAPTURE }, { ms: 5_070 });
  host.close();
  const [inside] = host.contents();
  ok(inside![0]! <= 4_060, `it begins at ${inside![0]}`);
  ok(inside![0]! >= 3_000, `it begins at ${inside![0]}`);
  deepStrictEqual(inside!.slice(-4), [5_000, 5_050, 5_060, 5_070], "and misses nothing");
  strictEqual(inside!.length, (5_000 - inside![0]!) / 100 + 4);
});

Deno.test("a capture at the bound of its size ends with an alert of its own", () => {
  using host = new Host({ maxFileMib: 1, durationMs: 1_000_000_000 });
  // Times that nothing foretells are what gzip cannot make small.
  let seed = 1;
  const noise = () => (seed = Math.imul(seed, 1_103_515_245) + 12_345 >>> 0) >>> 4;
  host.batch({ ms: 1, alert: CAPTURE });
  for (let batch = 0; batch < 400 && host.alerts.length === 0; batch++) {
    host.batch(...Array.from({ length: 1_000 }, () => ({ ms: noise() / 1_000 | 0 })));
  }
  strictEqual(host.alerts.length, 1);
  const { rule, message, outputFields, priority } = host.alerts[0]!;
  strictEqual(rule, "Falco internal: capture size limit reached");
  strictEqual(message, `${rule}. Configured limit: 1 MB.`);
  strictEqual(priority, 6);
  const written = Object.fromEntries(outputFields);
  strictEqual(written["max_file_size_mb"], 1);
  const [name] = Object.keys(host.captures());
  const { size } = Deno.statSync(`${host.directory}/${name}`);
  strictEqual(written["written_bytes"], size);
  ok(size >= 1 << 20 && size < 1.3 * (1 << 20), `${size} bytes`);
});

Deno.test("a capture that cannot be written is told and counted; the next is tried", () => {
  using host = new Host();
  const missing = `${host.directory}/none`;
  using elsewhere = new Host({ pathPrefix: `${missing}/c` });
  elsewhere.batch({ ms: 1, alert: CAPTURE }, { ms: 2 });
  strictEqual(elsewhere.notices.length, 1);
  match(
    elsewhere.notices[0]!,
    /^Warning: Cannot write capture "[^"]+": there is no such directory$/,
  );
  strictEqual(elsewhere.counters.get(Counter.CapturesFailed), 1);
  Deno.mkdirSync(missing);
  elsewhere.batch({ ms: 3, alert: CAPTURE }, { ms: 4 });
  elsewhere.close();
  strictEqual([...Deno.readDirSync(missing)].length, 1);
});

Deno.test("a capture never writes over what is there", () => {
  using host = new Host();
  const name = "c_00000000000001000000_00000000000000000001.scap";
  Deno.symlinkSync(`${host.directory}/target`, `${host.directory}/${name}`);
  host.batch({ ms: 1, alert: CAPTURE });
  match(host.notices[0]!, /there is a file of that name/);
  Deno.removeSync(`${host.directory}/${name}`);
  deepStrictEqual([...Deno.readDirSync(host.directory)], []);
});

Deno.test("alerts prolong a capture no further than its bound", () => {
  using host = new Host({ maxDurationMs: 250 });
  for (let ms = 0; ms < 1000; ms += 50) host.batch({ ms, alert: CAPTURE });
  host.close();
  for (const found of host.contents()) ok(found.at(-1)! - found[0]! <= 300, found.join());
  ok(host.contents().length >= 3);
});

Deno.test("a run writes no more captures than their sizes together may have, and says so", () => {
  using host = new Host({ maxTotalMib: 0.001, durationMs: 100 });
  for (let ms = 0; ms < 10_000; ms += 100) {
    host.batch({ ms, ...(ms % 1000 === 0 ? { alert: CAPTURE } : {}) });
  }
  host.close();
  ok(host.counters.get(Counter.CapturesFailed) > 0);
  ok(host.contents().length < 10);
  match(host.notices.join(), /No more captures: they have capture.max_total_mb \(0.001 MB\)/);
});
