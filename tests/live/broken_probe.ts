// An executable like the built one, but with one program of its probe that no kernel takes: its
// first instruction reads a register that nobody has written. Saker has no switch for this, so the
// probe is changed inside a copy of the file.
import { Buffer } from "node:buffer";
import { assert } from "./expect.ts";
import { SAKER } from "./saker.ts";
import type { Place } from "./trigger.ts";

const PROBE = new URL("../../dist/embed/probe.o", import.meta.url).pathname;
/** ELF64: offsets of the section headers, one's size, and of a symbol. */
const SECTION_BYTES = 64;
const SYMBOL_BYTES = 24;
const SYMBOL_TABLE = 2;
/** r6 = r1, which every program begins with; r6 = r9. */
const FIRST = "bf16000000000000";
const UNREADABLE = "bf96000000000000";

export function withRefused(place: Place, program: string): string {
  const object = Buffer.from(Deno.readFileSync(PROBE));
  const whole = Buffer.from(Deno.readFileSync(SAKER));
  const at = whole.indexOf(object);
  assert(at > 0, "the executable carries the probe as it was built");
  const first = at + offsetOf(object, program);
  const instruction = whole.subarray(first, first + 8);
  assert(instruction.toString("hex") === FIRST, instruction.toString("hex"));
  instruction.write(UNREADABLE, "hex");
  const path = place.file("saker");
  Deno.writeFileSync(path, whole, { mode: 0o755 });
  return path;
}

/** Where a function of the object begins in its file. */
function offsetOf(object: Buffer, name: string): number {
  const headers = Number(object.readBigUInt64LE(0x28));
  const section = (index: number) => {
    const at = headers + index * SECTION_BYTES;
    return {
      type: object.readUInt32LE(at + 4),
      offset: Number(object.readBigUInt64LE(at + 24)),
      bytes: Number(object.readBigUInt64LE(at + 32)),
      link: object.readUInt32LE(at + 40),
    };
  };
  const count = object.readUInt16LE(0x3c);
  const sections = Array.from({ length: count }, (_, index) => section(index));
  const symbols = sections.find(({ type }) => type === SYMBOL_TABLE)!;
  const names = sections[symbols.link]!;
  for (let at = symbols.offset; at < symbols.offset + symbols.bytes; at += SYMBOL_BYTES) {
    const from = names.offset + object.readUInt32LE(at);
    if (object.subarray(from, object.indexOf(0, from)).toString() !== name) continue;
    return sections[object.readUInt16LE(at + 6)]!.offset + Number(object.readBigUInt64LE(at + 8));
  }
  throw new Error(`there is no program ${name} in ${PROBE}`);
}
