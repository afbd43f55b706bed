// Walks a capture with the state machine: a stand-in for the engine that needs no rules.
import { gunzipSync } from "node:zlib";
import { Event } from "../../src/events/event.ts";
import { Context } from "../../src/state/context.ts";
import { createMachine } from "../../src/state/create_machine.ts";

const EVENT_BLOCKS: Readonly<Record<number, number>> = { 0x216: 2, 0x217: 6, 0x221: 2, 0x222: 6 };

/** Yields the one context after each event that rules may see. */
export function* replay(path: string): Generator<Context> {
  const bytes = new Uint8Array(gunzipSync(Deno.readFileSync(path)));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const machine = createMachine({
    paths: "caller",
    threadsMax: 262_144,
    fdsMax: 4_000_000,
    hostname: "saker-lab",
  });
  const event = new Event();
  const context = new Context(machine, event);
  event.bind(bytes);
  for (let at = 0; at + 12 <= bytes.length;) {
    const type = view.getUint32(at, true);
    const length = view.getUint32(at + 4, true);
    const lead = EVENT_BLOCKS[type];
    if (lead === undefined) {
      machine.load(type, bytes, at + 8, at + length - 4);
    } else {
      event.cpu = view.getUint16(at + 8, true);
      event.stateOnly = lead === 6 && (view.getUint32(at + 10, true) & 1) !== 0;
      if (event.moveTo(at + 8 + lead, at + length - 4)) {
        event.num++;
        machine.apply(context);
        if (!event.stateOnly) yield context;
      }
    }
    at += length;
  }
}
