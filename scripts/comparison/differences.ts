// Pairs two streams of alerts and says how they differ. Both are in the order of events, so that
// only the alerts of one point in time are held at once.
import type { ComparedAlert, Json } from "./alert_stream.ts";

/** How one alert of ours differs from Falco's, or stands alone. */
export type Difference =
  | { readonly kind: "missing"; readonly expected: ComparedAlert }
  | { readonly kind: "extra"; readonly actual: ComparedAlert }
  | {
    readonly kind: "different";
    readonly expected: ComparedAlert;
    readonly actual: ComparedAlert;
    /** Names of what differs: fields, or priority, source, tags, output. */
    readonly parts: readonly string[];
  };

export interface Totals {
  expected: number;
  actual: number;
  equal: number;
  /** Of the equal ones, those with a control character, which Falco 0.44.1 shows as U+FFFD. */
  controls: number;
}

export interface PairOptions {
  /** Compare no more than this of ours: what was recorded is cut. */
  readonly limit: number;
  readonly onDifference: (difference: Difference) => void;
}

type Stream = AsyncIterator<ComparedAlert> | Iterator<ComparedAlert>;

/** Holds `actual` against `expected` as multisets. */
export async function comparePairs(
  expected: Stream,
  actual: Stream,
  options: PairOptions,
): Promise<Totals> {
  const totals: Totals = { expected: 0, actual: 0, equal: 0, controls: 0 };
  const left = new Groups(expected, Infinity);
  const right = new Groups(actual, options.limit);
  let one = await left.next();
  let other = await right.next();
  while (one.length > 0 || other.length > 0) {
    const order = one.length === 0
      ? 1
      : other.length === 0
      ? -1
      : one[0]!.time < other[0]!.time
      ? -1
      : Number(one[0]!.time > other[0]!.time);
    const expectedNow = order <= 0 ? one : [];
    const actualNow = order >= 0 ? other : [];
    totals.expected += expectedNow.length;
    totals.actual += actualNow.length;
    matchGroup(expectedNow, actualNow, totals, options.onDifference);
    if (order <= 0) one = await left.next();
    if (order >= 0) other = await right.next();
  }
  return totals;
}

/** The alerts of a stream, those of one time together. */
class Groups {
  readonly #stream: Stream;
  #left: number;
  #ahead: ComparedAlert | undefined;

  constructor(stream: Stream, limit: number) {
    this.#stream = stream;
    this.#left = limit;
  }

  /** The next group; empty at the end. */
  async next(): Promise<ComparedAlert[]> {
    const first = this.#ahead ?? await this.#take();
    this.#ahead = undefined;
    if (first === undefined) return [];
    const group = [first];
    for (;;) {
      const next = await this.#take();
      if (next === undefined) return group;
      if (next.time !== first.time) {
        this.#ahead = next;
        return group;
      }
      group.push(next);
    }
  }

  async #take(): Promise<ComparedAlert | undefined> {
    if (this.#left-- <= 0) return undefined;
    const next = await this.#stream.next();
    return next.done ? undefined : next.value;
  }
}

/** Pairs alerts of the same rule, the most alike first, and counts those that are equal. */
function matchGroup(
  expected: readonly ComparedAlert[],
  actual: readonly ComparedAlert[],
  totals: Totals,
  report: (difference: Difference) => void,
): void {
  const left = [...actual];
  for (const alert of expected) {
    let best = -1;
    let bestParts: readonly string[] = [];
    for (const [place, candidate] of left.entries()) {
      if (candidate.rule !== alert.rule) continue;
      const parts = differingParts(alert, candidate);
      if (best < 0 || parts.length < bestParts.length) [best, bestParts] = [place, parts];
      if (parts.length === 0) break;
    }
    if (best < 0) {
      report({ kind: "missing", expected: alert });
      continue;
    }
    const [paired] = left.splice(best, 1);
    if (bestParts.length > 0) {
      report({ kind: "different", expected: alert, actual: paired!, parts: bestParts });
      continue;
    }
    totals.equal++;
    if (hasControls(paired!)) totals.controls++;
  }
  for (const alert of left) report({ kind: "extra", actual: alert });
}

/** The one known difference: Falco 0.45 and saker show control characters, 0.44.1 has U+FFFD. */
// deno-lint-ignore no-control-regex
const CONTROLS = /[\x00-\x1f\x7f]/g;

function sameText(expected: string, actual: string): boolean {
  return expected === actual || expected === actual.replace(CONTROLS, "\ufffd");
}

function hasControls({ output, fields }: ComparedAlert): boolean {
  const has = (value: Json | undefined): boolean =>
    Array.isArray(value)
      ? value.some(has)
      : typeof value === "string" && value.search(CONTROLS) >= 0;
  return has(output) || [...fields.values()].some(has);
}

function differingParts(expected: ComparedAlert, actual: ComparedAlert): string[] {
  const parts: string[] = [];
  if (expected.priority !== actual.priority) parts.push("(priority)");
  if (expected.source !== actual.source) parts.push("(source)");
  if (expected.tags.join() !== actual.tags.join()) parts.push("(tags)");
  if (
    expected.output !== undefined && actual.output !== undefined &&
    !sameText(expected.output, actual.output)
  ) parts.push("(output)");
  for (const [name, value] of expected.fields) {
    if (!actual.fields.has(name) || !sameValue(value, actual.fields.get(name)!)) {
      parts.push(name);
    }
  }
  for (const name of actual.fields.keys()) if (!expected.fields.has(name)) parts.push(name);
  return parts;
}

function sameValue(one: Json, other: Json): boolean {
  if (Array.isArray(one) && Array.isArray(other)) {
    return one.length === other.length && one.every((item, at) => sameValue(item, other[at]!));
  }
  if (typeof one === "string" && typeof other === "string") return sameText(one, other);
  // 5n and 5 are the same number, 5 and "5" are not.
  const number = (value: Json) => typeof value === "number" || typeof value === "bigint";
  return number(one) && number(other) ? String(one) === String(other) : one === other;
}
