// What all fields show of a long walk of made up events, as a table that is compared: for each
// event of the walk what stands in the foreground, as text, and what is known of all the fields,
// as a digest. UPDATE=1 writes walk.json anew; its changes are to be read like code. LINES=1 leaves
// all that the digests stand for in walk.txt beside it, for a diff of two versions.
import { deepStrictEqual, ok } from "node:assert";
import { createHash } from "node:crypto";
import { BlockBuffer } from "../events/scap/block_buffer.ts";
import { putInterfaces } from "../events/scap/state_blocks.ts";
import { Bench } from "./context_fixture.ts";
import { FieldSet } from "./field_set.ts";
import { asShown, jsonOf, shownValue, valueText } from "./render.ts";
import type { Bound, Value } from "./row/field.ts";
import { inZone } from "./shown_fixture.ts";
import { walk } from "./walk_fixture.ts";

const FILE = new URL("./walk.json", import.meta.url);
const FIELDS = new FieldSet({ zone: "utc" });
const SEEDS = [1, 2, 3, 4];
const EVENTS_EACH = 300;
/** In the foreground. */
const SHOWN = ["evt.res", "fd.num", "fd.typechar", "fd.name", "proc.cmdline", "proc.ppid"];
const ARGUMENTS = ["0", "1", "3", "PATH", "A", "cpu", "src", "flags", "fd", "name", "res"];
/** They count what was asked, or need names of their own. */
const LEFT_OUT = /^(util\.cnt|static\.)/;

/** The fields, each without an argument and with each that it takes. */
const BOUNDS: readonly Bound[] = FIELDS.fields.filter(({ name }) => !LEFT_OUT.test(name))
  .flatMap((field) =>
    [...field.argument?.required ? [] : [undefined], ...field.argument === null ? [] : ARGUMENTS]
      .map((argument) => field.bind(argument))
      .flatMap((bound) => "error" in bound ? [] : [bound])
  );

const plain = (value: Value) => value instanceof Uint8Array ? value.join() : String(value);

/** What a condition, a message and JSON see of the field. */
function lineOf({ context }: Bench, bound: Bound): string {
  const value = bound.extract(context);
  return asShown(context, () => {
    const text = valueText(bound, shownValue(bound, context));
    return `${bound.text} ${plain(value)} ${text} ${plain(jsonOf(bound, context))}`;
  });
}

/** The machine has the address that most sockets of the walk come from. */
function loadInterfaces(bench: Bench): void {
  const out = new BlockBuffer(256);
  const address = Uint8Array.of(127, 0, 0, 1);
  const netmask = Uint8Array.of(255, 0, 0, 0);
  putInterfaces(out, [{ name: "i", address, netmask, broadcast: address, linkspeed: 0n }]);
  const view = new DataView(out.bytes.buffer, out.bytes.byteOffset);
  bench.machine.load(view.getUint32(0, true), out.bytes, 8, view.getUint32(4, true) - 4);
}

const digest = (lines: readonly string[]) =>
  createHash("sha256").update(lines.join("\n")).digest("hex").slice(0, 8);

function shown(paths: "kernel" | "caller", seed: number, all: string[]) {
  const bench = new Bench(paths, FIELDS);
  loadInterfaces(bench);
  return walk(seed, EVENTS_EACH).map((values) => {
    bench.apply(values);
    const lines = BOUNDS.map((bound) => lineOf(bench, bound));
    const title = `${values.id} of ${values.tid}`;
    all.push(title, ...lines);
    return `${title}: ${SHOWN.map((name) => bench.text(name)).join(" | ")} (${digest(lines)})`;
  });
}

Deno.test("what fields show of a long walk of made up events is what walk.json says", () => {
  const all: string[] = [];
  const made = inZone(
    "Asia/Kolkata",
    () => SEEDS.map((seed, at) => shown(at % 2 === 0 ? "kernel" : "caller", seed, all)),
  );
  if (Deno.env.get("LINES") === "1") {
    Deno.writeTextFileSync(new URL("./walk.txt", import.meta.url), all.join("\n"));
  }
  const text = `${JSON.stringify(made, null, 2)}\n`;
  if (Deno.env.get("UPDATE") === "1") Deno.writeTextFileSync(FILE, text);
  deepStrictEqual(made, JSON.parse(Deno.readTextFileSync(FILE)));
});

Deno.test("what rules know of elements and origins says the same as the values of the walk", () => {
  let elements = 0;
  for (const seed of SEEDS) {
    const bench = new Bench("kernel", FIELDS);
    /** By field, string and array: the value. */
    const seen = new Map<string, Map<Uint8Array, Value>>();
    const check = (key: string, bytes: Uint8Array, value: Value) => {
      const values = seen.get(key) ?? new Map<Uint8Array, Value>();
      seen.set(key, values);
      deepStrictEqual(value, values.get(bytes) ?? value, key);
      values.set(bytes, value);
    };
    for (const values of walk(seed, EVENTS_EACH)) {
      bench.apply(values);
      const { context } = bench;
      for (const bound of BOUNDS) {
        const { origin, elements: list } = bound;
        const bytes = origin?.bytes(context);
        if (bytes !== undefined) {
          check(`${bound.text} ${origin!.id(context)}`, bytes, bound.extract(context));
        }
        if (list === undefined) continue;
        const found: Value[] = [];
        const isThere = list.begin(context);
        while (isThere && list.next()) {
          const value = list.value();
          found.push(value);
          elements++;
          if (list.bytes() === undefined) {
            deepStrictEqual(value, context.machine.strings.text(Math.max(0, list.id())));
          } else check(`${bound.text} ${list.id()}`, list.bytes()!, value);
        }
        deepStrictEqual(isThere ? found : undefined, bound.extract(context), bound.text);
      }
    }
  }
  ok(elements > 1_000, `${elements} elements were compared`);
});
