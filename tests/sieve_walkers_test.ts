// The two walks over a sieve's table say the same of the same bytes: the reference in TypeScript,
// which the property tests of src/sieve/ use, and the one in Rust that captures go through. Rules
// and events by chance; only events whose fate hangs on the guard alone: calls that change no
// table, opens that failed, with whole paths.
import { ok, strictEqual } from "node:assert";
import { type Addon, loadAddon } from "../src/engine/host/addon.ts";
import { BlockWalk, Step } from "../src/events/blocks.ts";
import { Event } from "../src/events/event.ts";
import { BlockBuffer } from "../src/events/scap/block_buffer.ts";
import { CURRENT_COUNTS } from "../src/events/scap/convert.ts";
import { Chance } from "../src/rules/check/condition_fixture.ts";
import { loadTexts } from "../src/rules/load_fixture.ts";
import { type ChanceEvent, eventByChance, rulesByChance } from "../src/sieve/chance_fixture.ts";
import { isOpen, textsOf } from "../src/sieve/event_texts.ts";
import {
  PARAM_COUNTS,
  PID_PARAMS,
  type RulesSieve,
  sieveOf,
  USED_PARAMS,
} from "../src/sieve/sieve.ts";
import { Effect, effectOf } from "../src/sieve/state_effects.ts";
import { type NameTexts, TableWalk } from "../src/sieve/walk_fixture.ts";
import { putEvent } from "./sieve_captures.ts";

const EVENTS = 60;
const SEEDS = 150;
const ASK = 2;
const ALL = 0xffff_ffff;

Deno.test("both walks keep and drop the same events under rules by chance", () => {
  const { CaptureSieve } = loadAddon();
  let pairs = 0;
  let dropped = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    const chance = new Chance(seed);
    const text = rulesByChance(chance, 4);
    const { enabled, ruleSet } = loadTexts([text]);
    if (ruleSet === undefined) continue;
    const { isOpen: keepsAll, threads: _, executions: __, ...derived } = sieveOf(enabled);
    const { table } = derived;
    if (keepsAll) continue;
    const bytes = blocksByChance(chance);
    const kept = keptInRust(CaptureSieve, bytes, derived);
    const reference = new TableWalk(table);
    const event = new Event();
    const walk = new BlockWalk(event);
    walk.begin(bytes, bytes.length);
    walk.next();
    for (let step = walk.next(); step !== Step.End; step = walk.next()) {
      strictEqual(step, Step.Event);
      const names = wholeNames(event);
      if (names === undefined || !hangsOnGuard(event)) continue;
      pairs++;
      const keeps = reference.keeps(event, names);
      if (!keeps) dropped++;
      strictEqual(kept.has(event.offset), keeps, `seed ${seed}, code ${event.code}:\n${text}`);
    }
  }
  ok(pairs > 1000, `${pairs} pairs`);
  ok(dropped > pairs / 8 && dropped < pairs * 7 / 8, `${dropped} of ${pairs} dropped`);
});

/** The first event is kept in any case: the engine takes its time. */
const FIRST: ChanceEvent = { id: "SYSCALL_GETUID_X", tid: 10, params: { uid: 0 } };

function blocksByChance(chance: Chance): Uint8Array<ArrayBuffer> {
  const out = new BlockBuffer(1 << 12);
  for (let index = 0; index <= EVENTS; index++) {
    const { id, tid, params } = index === 0 ? FIRST : eventByChance(chance);
    putEvent(out, { id, tid, params });
  }
  return out.bytes.slice(0, out.length);
}

/** Offsets of the events that the walk in Rust keeps. */
function keptInRust(
  native: Addon["CaptureSieve"],
  bytes: Uint8Array,
  derived: Omit<RulesSieve, "isOpen" | "threads" | "executions">,
): Set<number> {
  const sieve = native.make({
    ...derived,
    counts: PARAM_COUNTS,
    uses: USED_PARAMS,
    pids: PID_PARAMS,
    current: CURRENT_COUNTS,
    keepsDescriptors: false,
    asksRaw: false,
    asksEnv: false,
    ignoresDescriptors: false,
  });
  const room = new Uint8Array(bytes.length * 2);
  room.set(bytes);
  const entries = new Uint32Array(3 * 4 * EVENTS);
  const state = new Uint32Array(5);
  const event = new Event();
  const walk = new BlockWalk(event);
  walk.begin(room, bytes.length);
  const kept = new Set<number>();
  const cwd = new TextEncoder().encode("/tmp/");
  sieve.lend(room, entries, state, cwd);
  for (let from = 0;;) {
    const stop = sieve.pass(bytes.length, from);
    from = state[0]!;
    for (let at = 0; at < state[1]!; at++) {
      const [offset, , flags] = entries.subarray(3 * at, 3 * at + 3);
      if (flags === 0) kept.add(offset! + 10);
    }
    if (stop !== ASK) return kept;
    walk.seek(from, bytes.length);
    walk.next();
    sieve.answer(event.tid, event.tid, cwd.length, ALL, ALL, 0);
  }
}

function hangsOnGuard(event: Event): boolean {
  const effect = effectOf(event.code);
  if (effect === Effect.None) return true;
  return isOpen(event.code) && effect === Effect.Open && event.has(0) && event.int64(0) < 0;
}

/** All names of an event; undefined where one is relative or missing. */
function wholeNames(event: Event): NameTexts[] | undefined {
  const names: NameTexts[] = [];
  for (const { kind, param } of textsOf(event.code) ?? []) {
    const raw = event.bytes.slice(event.param(param), event.textEnd(param));
    if (kind === "descriptor" || raw[0] !== 0x2f || raw.length > 900) return undefined;
    names.push({ joined: raw, raw });
  }
  return names;
}
