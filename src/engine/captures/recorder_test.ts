// What `saker record` writes: all or what a filter takes, up to its limits, in one file or a row.
import { deepStrictEqual, ok, strictEqual, throws } from "node:assert";
import { BLOCK_EVENT } from "../../events/blocks.ts";
import { BlockBuffer } from "../../events/scap/block_buffer.ts";
import { CaptureSource } from "../../events/scap/capture.ts";
import { codeOf, EVENTS } from "../../events/table.ts";
import type { RuleSet } from "../../rules/rule_set.ts";
import { compileFilter } from "./compile_filter.ts";
import { Counter } from "../contract/counters.ts";
import type { RecordStart } from "../contract/messages.ts";
import { numbered, Recorder } from "./recorder.ts";
import { TapScene } from "./tap_fixture.ts";

const CLOSE = codeOf("SYSCALL_CLOSE_X");
const KILL = codeOf("SYSCALL_KILL_X");

interface Happening {
  readonly second: number;
  readonly tid?: number;
  readonly code?: number;
}

function putEvent(out: BlockBuffer, { second, tid = 7, code = CLOSE }: Happening): void {
  const count = EVENTS[code]!.params.length;
  out.beginBlock(BLOCK_EVENT);
  out.u16(0);
  out.u64(BigInt(second) * 1_000_000_000n);
  out.i64(tid);
  out.u32(26 + count * 2);
  out.u16(code);
  out.u32(count);
  for (let index = 0; index < count; index++) out.u16(0);
  out.endBlock();
}

const NO_RULES: RuleSet = {
  rules: [],
  wanted: new Uint8Array(EVENTS.length),
  seen: 0,
  eventNames: new Set(),
  match: () => 0,
};

class Host extends TapScene {
  readonly recorder: Recorder;
  readonly #rules: RuleSet | undefined;

  constructor(changes: Partial<RecordStart> = {}) {
    super();
    this.recorder = new Recorder({
      options: { path: `${this.directory}/r.scap`, compression: 1, ...changes },
      machine: this.machine,
      counters: this.counters,
      clock: () => 0,
      disk: this.disk,
    });
    if (changes.filter !== undefined) {
      this.#rules = this.recorder.rules(compileFilter(changes.filter), NO_RULES);
    }
  }

  /** One batch; whether the recorder wants no more. */
  batch(...happenings: Happening[]): boolean {
    const out = new BlockBuffer();
    for (const happening of happenings) putEvent(out, happening);
    return this.run(this.recorder, out, () => {
      if (this.#rules?.wanted[this.context.event.code] !== 1) return;
      this.#rules.match(this.context, new Int32Array(1));
    });
  }

  /** Closes, and tells what is in each file: `second/tid`, state-only ones in brackets. */
  files(): Record<string, string[]> {
    this.recorder.close();
    return this.written((event) => {
      const text = `${event.time() / 1_000_000_000n}/${event.tid}`;
      return event.stateOnly ? `(${text})` : text;
    });
  }
}

Deno.test("a recorder writes everything that passes", () => {
  using host = new Host();
  strictEqual(host.batch({ second: 1 }, { second: 2, tid: 9 }), false);
  strictEqual(host.batch({ second: 3 }), false);
  deepStrictEqual(host.files(), { "r.scap": ["1/7", "2/9", "3/7"] });
  strictEqual(host.counters.get(Counter.RecordedEvents), 3);
  ok(host.counters.get(Counter.RecordedBytes) > 100);
});

Deno.test("a filter takes events, and of the others those that the tables need, silent", () => {
  using host = new Host({ filter: "thread.tid = 9" });
  host.batch(
    { second: 1, tid: 7 },
    { second: 2, tid: 9 },
    { second: 3, tid: 7, code: KILL },
    { second: 4, tid: 9, code: KILL },
  );
  host.batch({ second: 5, tid: 9 });
  deepStrictEqual(host.files(), { "r.scap": ["(1/7)", "2/9", "4/9", "5/9"] });
});

Deno.test("a recorder stops at its number of events", () => {
  using host = new Host({ events: 3 });
  strictEqual(host.batch({ second: 1 }, { second: 2 }), false);
  strictEqual(host.batch({ second: 3 }, { second: 4 }), true);
  deepStrictEqual(host.files(), { "r.scap": ["1/7", "2/7", "3/7"] });
});

Deno.test("a row of files goes on where the last one ended, the oldest go", () => {
  using host = new Host({ fileSeconds: 10, filesKept: 2 });
  for (let second = 0; second < 45; second += 5) host.batch({ second });
  deepStrictEqual(host.files(), {
    "r_00004.scap": ["30/7", "35/7"],
    "r_00005.scap": ["40/7"],
  });
  strictEqual(host.counters.get(Counter.RecordedEvents), 9, "those of all files");
});

Deno.test("a file of a row is about as large as it may be", () => {
  using host = new Host({ fileBytes: 100_000, compression: 0 });
  for (let batch = 0; batch < 100; batch++) {
    host.batch(...Array.from({ length: 100 }, () => ({ second: batch })));
  }
  const names = Object.keys(host.files());
  ok(names.length > 1);
  for (const name of names.slice(0, -1)) {
    const { size } = Deno.statSync(`${host.directory}/${name}`);
    ok(size >= 100_000 && size < 400_000, `${name}: ${size} bytes`);
  }
});

Deno.test("another section of the source begins another in the recording", () => {
  using host = new Host();
  host.batch({ second: 1 });
  host.recorder.section();
  host.batch({ second: 2 });
  host.recorder.close();
  const source = new CaptureSource([`${host.directory}/r.scap`]);
  const first = source.snapshot().length;
  const buffer = new Uint8Array(1 << 16);
  ok(source.read(buffer) > 0);
  ok(source.read(buffer) === -2 && source.snapshot().length === first);
  ok(source.read(buffer) > 0);
  strictEqual(source.read(buffer), -1);
  source.close();
});

Deno.test("a recording without an event still has the tables", () => {
  using host = new Host();
  deepStrictEqual(host.files(), { "r.scap": [] });
});

Deno.test("a recorder that cannot open its file says so at once", () => {
  throws(
    () => new Host({ path: "/nowhere/at/all.scap" }),
    /Cannot write capture "\/nowhere\/at\/all.scap": there is no such directory$/,
  );
});

Deno.test("numbers stand before the extension", () => {
  strictEqual(numbered("trace.scap", 1), "trace_00001.scap");
  strictEqual(numbered("/a.b/trace", 12), "/a.b/trace_00012");
  strictEqual(numbered("/a/.hidden", 3), "/a/.hidden_00003");
});
