// The ancestors that a process was born with, in the process lists of our own captures: behind all
// else that an entry has.
//
//   for each from the process's maker on:
//     u8 what follows (Link), u8 whether a list told it, u32 how many between are not known
//     Living: u32 pid, and the chain ends; that process's own entry goes on
//     Past: u32 number of the ancestor in this dump, u32 pid, u64 when it was made, texts of comm,
//       exe, exepath, u8 whether its arguments are all there, the arguments
//     Again: u32 number; the chain ends, since it was told before
//     Unsaid: nothing was said of the process, and nothing follows
//     End: nobody further up is known
import type { BlockBuffer } from "../../events/scap/block_buffer.ts";
import type { Strings } from "../tables/strings.ts";
import type { Tables } from "../tables/tables.ts";
import { Birth, type Thread } from "../tables/thread.ts";
import type { Cursor } from "./snapshot_cursor.ts";

const enum Link {
  End = 0,
  Living = 1,
  Past = 2,
  Again = 3,
  /** Nothing was said of the process. */
  Unsaid = 4,
}

const UNCOUNTED_BITS = 0xffff_ffff;
const TEXT_MAX = 65_535;

/** Writes chains; one for all entries of a dump. */
export class BirthWriter {
  readonly #strings: Strings;
  readonly #numbers = new Map<Birth, number>();

  constructor(strings: Strings) {
    this.#strings = strings;
  }

  put(out: BlockBuffer, birth: Birth | undefined): void {
    if (birth === undefined) return out.u8(Link.Unsaid);
    for (let at: Birth | undefined = birth; at !== undefined; at = at.maker) {
      const { maker, between, listed } = at;
      if (maker === undefined) break;
      const known = this.#numbers.get(maker);
      const living = maker.thread !== undefined;
      out.u8(living ? Link.Living : known === undefined ? Link.Past : Link.Again);
      out.u8(listed ? 1 : 0);
      out.u32(between < 0 ? UNCOUNTED_BITS : between);
      if (living) return out.u32(maker.pid);
      if (known !== undefined) return out.u32(known);
      this.#putPast(out, maker);
    }
    out.u8(Link.End);
  }

  #putPast(out: BlockBuffer, birth: Birth): void {
    const number = this.#numbers.size;
    this.#numbers.set(birth, number);
    out.u32(number);
    out.u32(birth.pid);
    out.u64(BigInt(birth.madeNs));
    for (const id of [birth.comm, birth.exe, birth.exepath]) {
      out.text(this.#strings.bytes(id), TEXT_MAX);
    }
    out.u8(birth.hasArgs ? 1 : 0);
    out.text(birth.args, TEXT_MAX);
  }
}

/** A chain that was read: who made whom, from the process on. */
interface Read {
  readonly links: { maker: Birth | number | undefined; between: number; listed: boolean }[];
}

/** Reads chains, and puts them together once all processes of the lists are known. */
export class BirthReader {
  readonly #tables: Tables;
  #past: Birth[] = [];
  #read = new Map<Thread, Read>();

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  forget(): void {
    this.#tables.births.settleRestored(this.#past);
    this.#past = [];
    this.#read.clear();
  }

  take(input: Cursor, end: number, thread: Thread): void {
    const links: Read["links"] = [];
    while (input.at < end) {
      const what = input.u8();
      if (what === Link.Unsaid) return;
      if (what === Link.End) break;
      const listed = input.u8() !== 0;
      const bits = input.u32();
      const between = bits === UNCOUNTED_BITS ? -1 : bits;
      if (what === Link.Living) {
        links.push({ maker: input.u32(), between, listed });
        break;
      }
      if (what === Link.Again) {
        links.push({ maker: this.#past[input.u32()], between, listed });
        break;
      }
      if (what !== Link.Past) break;
      const past = this.#pastOne(input);
      if (past === undefined || input.cut) break;
      links.push({ maker: past, between, listed });
    }
    this.#read.set(thread, { links });
  }

  /** Says of a loaded process who made it; whether the lists told it. */
  settle(thread: Thread): boolean {
    const read = this.#read.get(thread);
    if (read === undefined) return false;
    const { births, threads } = this.#tables;
    let below = births.of(thread);
    for (const { maker, between, listed } of read.links) {
      const process = typeof maker === "number" ? threads.get(maker) : undefined;
      const above = typeof maker === "number" ? process && births.of(process) : maker;
      births.restore(below, above, between, listed);
      if (above === undefined) return true;
      below = above;
    }
    if (read.links.length === 0) births.restore(below, undefined, 0, false);
    return true;
  }

  #pastOne(input: Cursor): Birth | undefined {
    const number = input.u32();
    const birth = new Birth(input.u32());
    birth.madeNs = Number(input.u64());
    birth.comm = input.string(this.#tables);
    birth.exe = input.string(this.#tables);
    birth.exepath = input.string(this.#tables);
    birth.hasArgs = input.u8() !== 0;
    birth.args = input.raw(input.u16());
    if (number !== this.#past.length || !this.#tables.births.restorePast(birth)) return undefined;
    this.#past.push(birth);
    return birth;
  }
}
