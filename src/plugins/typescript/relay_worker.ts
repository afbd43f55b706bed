// The thread that stands for a plugin in TypeScript whose thread is in a process of its own: to who
// judges its events it looks like the plugin's thread (channel.ts); what stands in the channel goes
// to the process and comes back over its pipes (frames.ts). Nothing of the plugin runs here.
import type { PluginPermissions } from "../contract.ts";
import { Channel, EVENT_WORDS, Owner, SLOT_EVENTS, State, Word } from "./channel.ts";
import { askFrame, Frame, type FrameBody, FrameReader, jsonFrame, takeAnswer } from "./frames.ts";
import { frameOf } from "./frames.ts";
import { type LogLine, putLine } from "./log_ring.ts";
import type { ModuleText } from "./module_text.ts";

/** What the process is to run. */
export interface ProcessOrder {
  readonly files: readonly ModuleText[];
  readonly config: unknown;
  readonly permissions: PluginPermissions;
  readonly memoryMb: number;
}

export interface RelayOrder extends ProcessOrder {
  readonly kind: "relay";
  readonly shared: SharedArrayBuffer;
  /** The program and its arguments. */
  readonly command: readonly string[];
}

/** How the plugin is, as its process tells it. */
export interface Status {
  readonly state: number;
  /** Memory of the process beyond what it began with. */
  readonly heapKib: number;
  readonly fieldErrors: number;
  readonly eventsDropped: number;
  readonly pending: number;
  readonly beat: number;
  readonly failure: string;
  readonly lines: readonly LogLine[];
  readonly linesDropped: number;
}

const scope = globalThis as unknown as { close(): void };
const thread: { relay: Relay | undefined } = { relay: undefined };

for (const kind of ["error", "unhandledrejection"]) {
  globalThis.addEventListener(kind, (event) => {
    event.preventDefault();
    const { error, reason } = event as Partial<ErrorEvent & PromiseRejectionEvent>;
    thread.relay?.fail(`a mistake in saker: ${error ?? reason}`);
  });
}
globalThis.addEventListener("message", (event) => {
  const order = (event as MessageEvent<RelayOrder | 0>).data;
  if (order === 0) thread.relay?.look();
  else thread.relay = new Relay(order);
});

/** So often it looks by itself whether the plugin is to end. */
const LOOK_MS = 100;

class Relay {
  readonly #channel: Channel;
  readonly #child: Deno.ChildProcess | undefined;
  readonly #input: WritableStreamDefaultWriter<Uint8Array> | undefined;
  #asked = 0;
  #beat = 0;
  /** Batches that the judge has. */
  readonly #away = [false, false];

  constructor({ command: [program, ...args], shared, files, config, ...order }: RelayOrder) {
    this.#channel = new Channel(shared);
    setInterval(() => this.look(), LOOK_MS);
    try {
      this.#child = new Deno.Command(program!, {
        args,
        stdin: "piped",
        stdout: "piped",
        // What the runtime says of its own end would stand among saker's lines.
        stderr: "null",
      }).spawn();
    } catch (error) {
      this.fail(`its process cannot be started: ${(error as Error).message}`);
      return;
    }
    this.#input = this.#child.stdin.getWriter();
    this.#send(jsonFrame(Frame.Run, { files, config, ...order } satisfies ProcessOrder));
    // Neither rejects: all that goes wrong is told in the channel.
    this.#read(this.#child);
  }

  /** There may be a question, a batch that is judged, or the end. */
  look(): void {
    const channel = this.#channel;
    if (channel.get(Word.Stop) !== 0) return this.#end();
    const asked = channel.get(Word.Asked);
    if (asked !== this.#asked) {
      this.#asked = asked;
      if (asked !== channel.get(Word.Answered)) this.#send(askFrame(channel));
    }
    for (const slot of [0, 1]) {
      if (!this.#away[slot] || channel.get(Word.SlotOwner + slot) === Owner.Judge) continue;
      this.#away[slot] = false;
      this.#send(frameOf(Frame.Free, [slot]));
    }
  }

  #send(frame: Uint8Array): void {
    // A process that is gone is told by its end.
    this.#input?.write(frame).catch(() => {});
  }

  async #read(child: Deno.ChildProcess): Promise<void> {
    const frames = new FrameReader();
    try {
      for await (const piece of child.stdout) {
        for (const frame of frames.take(piece)) this.#take(frame);
      }
      const { code, signal } = await child.status;
      this.fail(`its process ended with ${signal ?? `exit code ${code}`}`);
    } catch (error) {
      this.fail((error as Error).message);
      kill(child);
    }
  }

  #take(frame: FrameBody): void {
    const channel = this.#channel;
    channel.add(Word.Beat);
    switch (frame.kind) {
      case Frame.Batch:
        return this.#takeBatch(frame);
      case Frame.Answer:
        channel.set(Word.Answered, takeAnswer(frame, channel));
        break;
      case Frame.Status:
        this.#takeStatus(frame.json() as Status);
    }
    channel.rouse(Word.News);
  }

  #takeBatch(frame: FrameBody): void {
    const channel = this.#channel;
    const [slot, events, bytes] = frame.words(3);
    const isFree = (slot === 0 || slot === 1) && !this.#away[slot];
    if (!isFree || events! < 0 || events! > SLOT_EVENTS) throw new Error("it gave no batch");
    frame.into(channel.heads[slot]!, events! * EVENT_WORDS * 4);
    frame.into(channel.data[slot]!, bytes!);
    this.#away[slot] = true;
    channel.set(Word.SlotEvents + slot, events!);
    channel.set(Word.SlotOwner + slot, Owner.Judge);
    channel.rouse(Word.News);
  }

  #takeStatus(status: Status): void {
    const channel = this.#channel;
    // The beat of this thread is not that of the plugin's.
    if (status.beat === this.#beat) channel.add(Word.Beat, -1);
    this.#beat = status.beat;
    channel.set(Word.HeapKib, status.heapKib);
    channel.set(Word.FieldErrors, status.fieldErrors);
    channel.set(Word.EventsDropped, status.eventsDropped);
    channel.set(Word.Pending, status.pending);
    for (const { isWarning, text } of status.lines) putLine(channel, isWarning, text);
    channel.add(Word.LogDropped, status.linesDropped);
    if (status.state === State.Failed) this.fail(status.failure);
    else channel.set(Word.State, status.state);
  }

  fail(error: string): void {
    this.#channel.fail(error);
  }

  #end(): void {
    if (this.#child !== undefined) kill(this.#child);
    scope.close();
  }
}

/** Where it has not ended by itself. */
function kill(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch {
    // It has.
  }
}
