// The compiled rules say what the interpreter says: on generated conditions, over generated events
// of threads, names and parameters that change as the contracts of the state allow.
import { deepStrictEqual, ok, strictEqual } from "node:assert";
import { EVENTS } from "../../events/table.ts";
import { FieldSet } from "../../fields/field_set.ts";
import type { Bound, Elements, Value } from "../../fields/row/field.ts";
import type { Context } from "../../state/contract/context.ts";
import { Fd, FdKind } from "../../state/tables/fd.ts";
import { Strings } from "../../state/tables/strings.ts";
import { Thread } from "../../state/tables/thread.ts";
import { AtomFunctions } from "./atom_functions.ts";
import { Chance, conditionByChance, valuesByChance } from "../check/condition_fixture.ts";
import { generate, walk } from "./generate.ts";
import { interpret } from "./interpret.ts";
import { loadTexts, ruleText } from "../load_fixture.ts";
import { Matcher } from "./matcher.ts";
import { wantedCodes } from "./compile.ts";
import type { CheckedRule } from "../check/resolve.ts";

const encoder = new TextEncoder();

/** A world of which fields are read without a kernel: values by field, by what they depend on. */
class World {
  readonly strings = new Strings();
  readonly threads = new Map<number, Thread>();
  readonly ofThread = new Map<Thread, Map<string, Value>>();
  readonly ofName = new Map<number, Map<string, Value>>();
  readonly fds: Fd[] = [];
  readonly context: Context;
  readonly machine = { strings: this.strings, lineage: 1, threads: this.threads };
  readonly arrays = new Map<string, Uint8Array>();
  ofEvent = new Map<string, Value>();

  constructor(chance: Chance) {
    for (let tid = 1; tid <= 5; tid++) {
      const thread = new Thread(tid, tid);
      this.threads.set(tid, thread);
      this.ofThread.set(thread, valuesByChance(chance));
    }
    for (let index = 0; index < 8; index++) {
      const fd = new Fd(FdKind.File, this.strings.internText(`name ${index}`));
      this.fds.push(fd);
      this.ofName.set(fd.name, valuesByChance(chance));
    }
    this.context = { machine: this.machine, event: { code: 0 } } as unknown as Context;
  }

  /** The next event; `type` values are those of its code. */
  next(chance: Chance): void {
    const code = chance.of(CODES);
    Object.assign(this.context.event, { code });
    const thread = chance.below(12) === 0 ? undefined : chance.of([...this.threads.values()]);
    this.context.thread = thread;
    const fd = chance.below(5) === 0 ? undefined : chance.of(this.fds);
    this.context.fd = fd;
    this.context.fdName = fd?.name ?? -1;
    this.ofEvent = valuesByChance(chance);
    this.ofEvent.set("evt.type", EVENTS[code]!.name);
    if (thread !== undefined && chance.below(6) === 0) {
      this.ofThread.set(thread, valuesByChance(chance));
      thread.version++;
    }
    if (chance.below(20) === 0) {
      for (const known of this.threads.values()) this.change(known, chance);
      this.machine.lineage++;
    }
  }

  /** What depends on ancestors and users changes without the thread. */
  change(thread: Thread, chance: Chance): void {
    const values = this.ofThread.get(thread)!;
    const fresh = valuesByChance(chance);
    for (const field of LINEAGE_FIELDS) {
      if (fresh.has(field)) values.set(field, fresh.get(field));
      else values.delete(field);
    }
  }

  read(bound: Bound): Value {
    const { thread, fdName } = this.context;
    switch (bound.domain) {
      case "thread":
        return thread && this.ofThread.get(thread)!.get(bound.text);
      case "name":
        return this.ofName.get(fdName)?.get(bound.text);
      case "event":
        return this.ofEvent.get(bound.text);
    }
  }

  /** One array for each value that is made of arguments. */
  madeOf(value: Value): Uint8Array | undefined {
    if (typeof value !== "string") return undefined;
    const known = this.arrays.get(value) ?? encoder.encode(value);
    this.arrays.set(value, known);
    return known;
  }

  idOf(value: string): number {
    const bytes = encoder.encode(value);
    return this.strings.intern(bytes, 0, bytes.length);
  }

  /** The elements of a list: those of some lengths are made of arguments, the others have ids. */
  elementsOf(bound: Bound): Elements {
    let list: readonly string[] = [];
    let at = -1;
    const isMade = () => list[at]!.length % 2 === 0;
    return {
      begin: () => {
        const value = this.read(bound);
        list = value as readonly string[];
        at = -1;
        return value !== undefined;
      },
      next: () => ++at < list.length,
      bytes: () => isMade() ? this.madeOf(list[at]) : undefined,
      id: () => isMade() ? 1 : this.idOf(list[at]!),
      value: () => list[at]!,
    };
  }

  /** The field as one of this world; texts have ids, as those of the machine's tables. */
  bind(bound: Bound): Bound {
    const id = (): number => {
      const value = this.read(bound);
      return typeof value === "string" ? this.idOf(value) : -1;
    };
    return {
      ...bound,
      extract: () => this.read(bound),
      ...bound.extractId && { extractId: id },
      ...bound.elements && { elements: this.elementsOf(bound) },
      ...bound.origin && { origin: { bytes: () => this.madeOf(this.read(bound)), id: () => 1 } },
    };
  }
}

const LINEAGE_FIELDS = ["proc.pname", "proc.aname", "proc.aname[2]", "user.name", "container.id"];
const CODES = EVENTS.filter(({ name, code, flags }) =>
  ["open", "openat", "execve", "close", "connect", "kill"].includes(name) && code % 2 === 1 &&
  !flags.has("old_version")
).map(({ code }) => code);

/** The fields, bound to a world. */
class FieldsOfWorld extends FieldSet {
  readonly #world: World;

  constructor(world: World) {
    super({ zone: "utc" });
    this.#world = world;
  }

  override resolve(text: string): ReturnType<FieldSet["resolve"]> {
    const found = super.resolve(text);
    return "error" in found ? found : { ...found, bound: this.#world.bind(found.bound) };
  }
}

function rulesByChance(world: World, chance: Chance, count: number): readonly CheckedRule[] {
  const texts = Array.from(
    { length: count },
    (_, index) => ruleText(`rule ${index}`, JSON.stringify(conditionByChance(chance, 3))),
  );
  const loaded = loadTexts([texts.join("")], { fields: new FieldsOfWorld(world) });
  deepStrictEqual(loaded.results.flatMap(({ errors }) => errors.map(({ message }) => message)), []);
  return loaded.rules;
}

function expected(rules: readonly CheckedRule[], world: World): number[] {
  const { code } = world.context.event;
  return rules.flatMap((rule, index) =>
    wantedCodes(rule, "syscall").includes(code) &&
      interpret(rule.node, (bound) => bound.extract(world.context))
      ? [index]
      : []
  );
}

Deno.test("Matcher says what the interpreter says, event by event", () => {
  let hits = 0;
  for (let seed = 1; seed <= 60; seed++) {
    const chance = new Chance(seed);
    const world = new World(chance);
    const rules = rulesByChance(world, chance, 12);
    const matchables = rules.map((rule) => ({
      node: rule.node,
      codes: wantedCodes(rule, "syscall"),
    }));
    const all = new Matcher(matchables, "all");
    const first = new Matcher(matchables, "first");
    const matched = new Int32Array(rules.length);
    for (let event = 0; event < 120; event++) {
      world.next(chance);
      const wanted = expected(rules, world);
      const count = all.match(world.context, matched);
      deepStrictEqual([...matched.subarray(0, count)], wanted, `seed ${seed}, event ${event}`);
      hits += count;
      if (chance.below(40) === 0) world.strings.sweep(() => {});
    }
    // One matcher at a time has the threads' places: the second takes them over here.
    for (let event = 0; event < 60; event++) {
      world.next(chance);
      const wanted = expected(rules, world).slice(0, 1);
      const count = first.match(world.context, matched);
      deepStrictEqual([...matched.subarray(0, count)], wanted, `seed ${seed}, first ${event}`);
    }
  }
  ok(hits > 1_000, `the rules matched ${hits} times: the test asks something`);
});

Deno.test("Matcher says the same of an event that it times, and adds up what it took", () => {
  const chance = new Chance(7);
  const world = new World(chance);
  const rules = rulesByChance(world, chance, 12);
  const matchables = rules.map((rule) => ({
    node: rule.node,
    codes: wantedCodes(rule, "syscall"),
  }));
  for (const matching of ["first", "all"] as const) {
    const plain = new Matcher(matchables, matching);
    const timed = new Matcher(matchables, matching);
    let now = 0;
    timed.costs.oneIn = 2;
    timed.costs.clock = () => now += 1;
    const [expected, got] = [new Int32Array(rules.length), new Int32Array(rules.length)];
    for (let event = 0; event < 400; event++) {
      world.next(chance);
      const count = plain.match(world.context, expected);
      strictEqual(timed.match(world.context, got), count);
      deepStrictEqual(got.subarray(0, count), expected.subarray(0, count));
    }
    const { samples, sharedNs, ownNs } = timed.costs;
    strictEqual(samples, 200);
    // Of each two events one is timed, and each part of it takes a millisecond.
    strictEqual(sharedNs, 2e6 * samples);
    ok(ownNs.some((ns) => ns > 0));
    strictEqual(plain.costs.samples, 0);
  }
});

Deno.test("generated functions and walks say what the interpreter says", () => {
  for (let seed = 1; seed <= 150; seed++) {
    const chance = new Chance(seed);
    const world = new World(chance);
    const [rule] = rulesByChance(world, chance, 1);
    const functions = new AtomFunctions();
    const generated = generate(rule!.node, (atom) => functions.of(atom));
    const walked = walk(rule!.node, (atom) => functions.of(atom));
    for (let event = 0; event < 40; event++) {
      world.next(chance);
      functions.begin();
      const wanted = interpret(rule!.node, (bound) => bound.extract(world.context));
      strictEqual(generated(world.context), wanted, `seed ${seed}, event ${event}`);
      strictEqual(walked(world.context), wanted, `seed ${seed}, event ${event}`);
    }
  }
});

Deno.test("answers about strings are kept within a bound, and stay right beyond it", () => {
  const refused = [0, 1 << 10, 1 << 26].map((bytesMax) => {
    const chance = new Chance(3);
    const world = new World(chance);
    const functions = new AtomFunctions(bytesMax);
    for (const rule of rulesByChance(world, chance, 20)) {
      const generated = generate(rule.node, (atom) => functions.of(atom));
      for (let event = 0; event < 20; event++) {
        world.next(chance);
        functions.begin();
        const wanted = interpret(rule.node, (bound) => bound.extract(world.context));
        strictEqual(generated(world.context), wanted);
      }
    }
    ok(functions.answerBytes <= bytesMax, `${functions.answerBytes} bytes`);
    return functions.answersRefused;
  });
  ok(refused[0]! > refused[1]! && refused[1]! > 0, `${refused} were refused`);
  strictEqual(refused[2], 0);
});

Deno.test("Matcher begins anew for another machine's threads", () => {
  const chance = new Chance(5);
  const world = new World(chance);
  const rules = rulesByChance(world, chance, 6);
  const matcher = new Matcher(
    rules.map((rule) => ({ node: rule.node, codes: wantedCodes(rule, "syscall") })),
    "all",
  );
  for (const thread of world.threads.values()) thread.rulePlace = 3;
  const matched = new Int32Array(rules.length);
  for (let event = 0; event < 100; event++) {
    world.next(chance);
    const count = matcher.match(world.context, matched);
    deepStrictEqual([...matched.subarray(0, count)], expected(rules, world));
  }
});

Deno.test("Matcher forgets what it learnt when its tables are full, and goes on", () => {
  const chance = new Chance(9);
  const world = new World(chance);
  const rules = rulesByChance(world, chance, 20);
  const matcher = new Matcher(
    rules.map((rule) => ({ node: rule.node, codes: wantedCodes(rule, "syscall") })),
    "all",
    { ways: 40, states: 1_000, entries: 1_000_000, nodes: 1_000_000 },
  );
  const matched = new Int32Array(rules.length);
  for (let event = 0; event < 400; event++) {
    world.next(chance);
    const count = matcher.match(world.context, matched);
    deepStrictEqual([...matched.subarray(0, count)], expected(rules, world), `event ${event}`);
  }
  const { resets, ways } = matcher.stats();
  ok(resets > 3 && ways <= 60, `${resets} resets, ${ways} ways`);
});
