// The process of a plugin in TypeScript (`saker plugin-process`, started by relay_worker.ts): what
// it is to run comes in by standard input, the plugin's thread runs it, and what stands in that
// thread's channel goes out by standard output (frames.ts). It ends with its standard input.
import { Channel, EVENT_WORDS, Owner, State, Word } from "./channel.ts";
import { answerFrame, Frame, type FrameBody, frameOf, FrameReader, jsonFrame } from "./frames.ts";
import { takeAsk } from "./frames.ts";
import { takeLines } from "./log_ring.ts";
import { workerPermissions } from "./permissions.ts";
import type { PluginOrder } from "./plugin_worker.ts";
import type { ProcessOrder, Status } from "./relay_worker.ts";

/** How often it tells how the plugin is, and looks at its memory. */
const STATUS_MS = 200;
const MEMORY_MS = 25;
const decoder = new TextDecoder();

/** Comes back once nobody wants the process any more; `exit` ends it before. */
export async function runPluginProcess(exit: (code: number) => never): Promise<number> {
  const frames = new FrameReader();
  let running: PluginProcess | undefined;
  for await (const piece of Deno.stdin.readable) {
    for (const frame of frames.take(piece)) {
      if (frame.kind === Frame.Run) {
        running ??= new PluginProcess(frame.json() as ProcessOrder, exit);
      } else running?.take(frame);
    }
  }
  return 0;
}

class PluginProcess {
  readonly #channel = new Channel();
  readonly #worker: Worker;
  readonly #memoryMb: number;
  readonly #exit: (code: number) => never;
  readonly #beganBytes = Deno.memoryUsage().rss;
  #answered = 0;
  #state: number = State.Starting;
  /** Batches that saker has. */
  readonly #away = [false, false];

  constructor(
    { files, config, permissions, memoryMb }: ProcessOrder,
    exit: (code: number) => never,
  ) {
    this.#exit = exit;
    this.#memoryMb = memoryMb;
    const worker = this.#worker = new Worker(new URL("./plugin_worker.ts", import.meta.url), {
      type: "module",
      deno: { permissions: workerPermissions(permissions) },
    } as WorkerOptions);
    // Told in the channel, or seen by its silence.
    worker.onerror = (event) => event.preventDefault();
    worker.onmessageerror = (event) => event.preventDefault();
    worker.onmessage = () => this.#look();
    this.#order({ kind: "run", files, config, shared: this.#channel.shared, tells: true });
    setInterval(() => this.#tell(), STATUS_MS);
    setInterval(() => this.#weigh(), MEMORY_MS);
  }

  take(frame: FrameBody): void {
    const channel = this.#channel;
    if (frame.kind === Frame.Ask) takeAsk(frame, channel);
    else if (frame.kind === Frame.Free) {
      const slot = frame.words(1)[0]!;
      this.#away[slot] = false;
      channel.set(Word.SlotOwner + slot, Owner.Plugin);
    } else return;
    if (channel.rouse(Word.Wake) === 0) this.#order(0);
  }

  #order(order: PluginOrder): void {
    this.#worker.postMessage(order);
  }

  /** Sends what the plugin's thread has put there: an answer belongs to what was given before. */
  #look(): void {
    const channel = this.#channel;
    for (const slot of [0, 1]) {
      if (this.#away[slot] || channel.get(Word.SlotOwner + slot) !== Owner.Judge) continue;
      this.#away[slot] = true;
      this.#sendBatch(slot);
    }
    const answered = channel.get(Word.Answered);
    if (answered !== this.#answered) {
      this.#answered = answered;
      this.#send(answerFrame(channel));
    }
    if (channel.get(Word.State) !== this.#state) this.#tell();
  }

  #sendBatch(slot: number): void {
    const channel = this.#channel;
    const heads = channel.heads[slot]!;
    const events = channel.get(Word.SlotEvents + slot);
    let bytes = 0;
    for (let event = 0; event < events; event++) bytes += heads[event * EVENT_WORDS]!;
    this.#send(frameOf(Frame.Batch, [slot, events, bytes], [
      [heads, events * EVENT_WORDS * 4],
      [channel.data[slot]!, bytes],
    ]));
  }

  /** `failure`: why it is to end. */
  #tell(failure?: string): void {
    const channel = this.#channel;
    const { lines, dropped } = takeLines(channel);
    this.#state = channel.get(Word.State);
    this.#send(jsonFrame(
      Frame.Status,
      {
        state: failure === undefined ? this.#state : State.Failed,
        heapKib: this.#takenBytes() >> 10,
        fieldErrors: channel.get(Word.FieldErrors),
        eventsDropped: channel.get(Word.EventsDropped),
        pending: channel.get(Word.Pending),
        beat: channel.get(Word.Beat),
        failure: failure ??
          decoder.decode(channel.failure.slice(0, channel.get(Word.FailureBytes))),
        lines,
        linesDropped: dropped,
      } satisfies Status,
    ));
  }

  /** Whatever takes memory here is the plugin's. */
  #weigh(): void {
    if (this.#takenBytes() >> 20 < this.#memoryMb) return;
    this.#tell(`it has more memory than ${this.#memoryMb} MB (memory_mb)`);
    this.#exit(1);
  }

  #takenBytes(): number {
    return Math.max(Deno.memoryUsage().rss - this.#beganBytes, 0);
  }

  /** All of it; who reads takes it as it comes. */
  #send(frame: Uint8Array): void {
    try {
      for (let at = 0; at < frame.length;) at += Deno.stdout.writeSync(frame.subarray(at));
    } catch {
      // Nobody wants it any more.
      this.#exit(0);
    }
  }
}
