// The walk over a batch of a capture's blocks that only stops at events that matter: the addon
// looks at all of them first and says which those are (bindings-rs/src/sieve/). It asks now and
// then whose descriptors a thread has.
import type { CaptureSieve } from "../../../bindings-rs/index.d.ts";
import { type BlockWalk, Step } from "../../events/blocks.ts";
import type { ThreadParts } from "../../sieve/thread_parts.ts";
import { Context } from "../../state/contract/context.ts";
import type { MachineHost } from "../../state/contract/machine_host.ts";
import type { Thread } from "../../state/tables/thread.ts";

/** The sieve, and what it asks of threads. */
export interface ToldSieve {
  readonly sieve: CaptureSieve;
  readonly threads: ThreadParts;
  readonly executions: ThreadParts;
}

export interface SievedWalkParts extends ToldSieve {
  readonly walk: BlockWalk;
  readonly machine: MachineHost;
}

/** Offset, events passed over before it, flags. */
const ENTRY = 3;
/** Room for the events of a batch of 64 KiB. */
const ENTRIES = 4096;
/** The event only keeps the tables right. */
const STATE_ONLY = 1;
/** Of the event only its time matters. */
const TIME_ONLY = 2;

/** What `CaptureSieve.pass` returns. */
const END = 0;
const ASK = 2;
/** What it asks: whose descriptors a thread has. */
const TABLE = 1;
/** What it is told of one: no other thread has them; its process has the same id inside. */
const ALONE = 1;
const OUTSIDE = 2;
/** Its process has other descriptors. */
const APART = 4;

/** Longer working directories are not known to the sieve. */
const CWD_BYTES = 1024;
/** So many threads must have room where processes are held back, which are not in the tables: else
 * the bound would refuse others than without the sieve. More than a batch can make. */
const THREADS_ROOM = 1 << 15;
const NO_BYTES = new Uint8Array(0);

export class SievedWalk {
  /** Events that were passed over before the present one, or before the end. */
  passed = 0;
  /** The present event is told late, or of an older one: it does not count. */
  isCopy = false;
  readonly #parts: SievedWalkParts;
  readonly #entries = new Uint32Array(ENTRY * ENTRIES);
  readonly #state = new Uint32Array(5);
  readonly #cwd = new Uint8Array(CWD_BYTES);
  #bytes: Uint8Array = NO_BYTES;
  #length = 0;
  #from = 0;
  #used = 0;
  #index = 0;
  /** Events passed over behind the last entry: of earlier lists, of the present one. */
  #behind = 0;
  #tail = 0;
  #stop = END;
  /** It holds processes back. */
  #knows = false;

  /** Of the thread that is asked for, apart from the event at hand. */
  readonly #context: Context;

  constructor(parts: SievedWalkParts) {
    this.#parts = parts;
    this.#context = new Context(parts.machine, parts.walk.event);
  }

  /** Begins a walk over the first `length` bytes; what lies behind them is overwritten. */
  begin(bytes: Uint8Array, length: number): void {
    this.#parts.walk.begin(bytes, length);
    this.#lend(bytes);
    this.#length = length;
    this.#from = 0;
    if (this.#knows && !this.#mayHold()) this.know();
    this.#pass();
  }

  /** Other tables come: the walk is over what was held back from these. */
  beginAnew(bytes: Uint8Array): void {
    this.#parts.walk.begin(bytes, 0);
    this.#lend(bytes);
    this.#length = 0;
    this.#from = 1;
    this.#pass();
  }

  /** Moves to the next block that matters. */
  next(): Step {
    const { walk, machine } = this.#parts;
    for (;;) {
      while (this.#index === this.#used) {
        if (this.#stop === END) {
          this.passed = this.#behind + this.#tail;
          this.#behind = this.#tail = 0;
          this.isCopy = false;
          return Step.End;
        }
        if (this.#stop === ASK) this.#answer();
        this.#pass();
      }
      const at = ENTRY * this.#index++;
      const offset = this.#entries[at]!;
      const flags = this.#entries[at + 2]!;
      walk.seek(offset, offset < this.#length ? this.#length : this.#bytes.length);
      if (flags === TIME_ONLY) {
        if (walk.next() === Step.Event) machine.passTime(walk.event);
        continue;
      }
      this.passed = this.#entries[at + 1]!;
      this.isCopy = flags === STATE_ONLY;
      if (!this.isCopy) {
        this.passed += this.#behind;
        this.#behind = 0;
      }
      const step = walk.next();
      if (this.isCopy) walk.event.stateOnly = true;
      return step;
    }
  }

  #lend(bytes: Uint8Array): void {
    if (this.#bytes === bytes) return;
    this.#bytes = bytes;
    this.#parts.sieve.lend(bytes, this.#entries, this.#state, this.#cwd);
  }

  #pass(): void {
    const state = this.#state;
    const { sieve } = this.#parts;
    this.#behind += this.#tail;
    this.#stop = sieve.pass(this.#length, this.#from);
    this.#from = state[0]!;
    this.#used = state[1]!;
    this.#tail = state[2]!;
    this.#index = 0;
  }

  /** Tells which threads there are, once other tables have come. */
  know(): void {
    const { sieve, machine } = this.#parts;
    this.#knows = this.#mayHold();
    const tids = this.#knows ? Float64Array.from(machine.tids()) : undefined;
    sieve.know(tids, Float64Array.from(this.#knows ? machine.leaders() : []));
  }

  /** Whether processes may be held back. */
  #mayHold(): boolean {
    const { machine, executions } = this.#parts;
    return executions.decides && machine.hasRoom(THREADS_ROOM);
  }

  #answer(): void {
    const { walk } = this.#parts;
    walk.seek(this.#from, this.#length);
    walk.next();
    if (this.#state[3] === TABLE) this.#answerTable(this.#state[4]!);
    else this.#answerProgram();
  }

  /** Tells whose descriptors a thread has, and what holds of it. */
  #answerTable(asked: number): void {
    const { sieve, walk, machine, threads } = this.#parts;
    // Ids in events may have more bits than were asked by.
    const tid = walk.event.tid >>> 0 === asked ? walk.event.tid : asked;
    const table = machine.tableOf(tid);
    this.#ask(threads, table === undefined ? undefined : machine.threads.get(tid));
    const low = threads.facts[0]!;
    const high = threads.facts[1]!;
    if (table === undefined) {
      sieve.answer(tid, -1, 0, low, high, 0);
      return;
    }
    const { owner, cwd, isAlone, isOutside, isApart } = table;
    let cwdBytes = machine.strings.length(cwd);
    if (cwdBytes > CWD_BYTES) cwdBytes = 0;
    else machine.strings.copyTo(cwd, this.#cwd, 0);
    const marks = (isAlone ? ALONE : 0) | (isOutside ? OUTSIDE : 0) | (isApart ? APART : 0);
    sieve.answer(tid, owner, cwdBytes, low, high, marks);
  }

  /** Tells what holds of the thread that the event at `#from` makes. */
  #answerProgram(): void {
    const { sieve, walk, machine, threads, executions } = this.#parts;
    const thread = machine.foresee(walk.event);
    this.#ask(threads, thread);
    this.#ask(executions, thread);
    const own = threads.facts;
    const executed = executions.facts;
    sieve.answerProgram(own[0]!, own[1]!, executed[0]!, executed[1]!);
  }

  /** Puts into the facts of `parts` what holds of a thread. */
  #ask(parts: ThreadParts, thread: Thread | undefined): void {
    this.#context.thread = thread;
    parts.ask(this.#context);
  }
}
