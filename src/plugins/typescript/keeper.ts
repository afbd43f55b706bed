// Keeps a plugin's thread: starts it, asks it, and where it fails, does not answer or grows beyond
// its bound, ends it and starts it anew after a pause that grows. None of it throws once the plugin
// was opened.
import type {
  PluginArgument,
  PluginModule,
  PluginNotice,
  PluginNumbers,
  PluginState,
} from "../contract.ts";
import {
  ARGUMENT_BYTES,
  Channel,
  INDEX_ARGUMENT,
  NO_ARGUMENT,
  Outcome,
  Owner,
  Request,
  SLOT_EVENTS,
  State,
  TEXT_BYTES,
  Word,
} from "./channel.ts";
import { takeLines } from "./log_ring.ts";
import { processCommand } from "./process_command.ts";
import { workerPermissions } from "./permissions.ts";
import type { PluginOrder } from "./plugin_worker.ts";
import type { RelayOrder } from "./relay_worker.ts";

const START_MS = 30_000;
const ANSWER_MS = 1_000;
/** A thread that has not come round for so long is in a loop without an end. */
export const STUCK_MS = 10_000;
const FIRST_PAUSE_MS = 1_000;
const LAST_PAUSE_MS = 60_000;
/** Who ran for so long begins with the first pause again. */
const WELL_MS = 300_000;
/** How often memory is looked at while something is waited for. */
const SLICE_MS = 50;
/** A thread that is late by so much is told as blocked. */
const LATE_MS = 1_200;
const NOTICES_MAX = 100;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

export class Keeper {
  channel = new Channel();
  /** How often a thread was started. */
  starts = 0;
  readonly #start: PluginModule;
  readonly #stuckMs: number;
  #worker: Worker | undefined;
  #params: string | undefined;
  #state: PluginState = "running";
  #startedMs = 0;
  #againMs = 0;
  #pauseMs = FIRST_PAUSE_MS;
  #asked = 0;
  #errors = 0;
  #timeouts = 0;
  /** Of threads that are gone. */
  #before = { fieldErrors: 0, dropped: 0 };
  #lastError: string | undefined;
  #beat = 0;
  #beatMs = 0;
  #residentBytes = 0;
  #notices: PluginNotice[] = [];

  constructor(start: PluginModule, stuckMs: number) {
    this.#start = start;
    this.#stuckMs = stuckMs;
  }

  /** Its source, in this thread and in all that come after it. Throws where it refuses. */
  open(params: string): void {
    this.#params = params;
    if (this.isUp()) this.#openSource();
    if (this.#worker === undefined) throw new Error(this.#lastError ?? "it does not run");
  }

  get hasEnded(): boolean {
    return this.channel.get(Word.State) === State.Ended;
  }

  /** It does not come back. */
  get isGone(): boolean {
    return this.#state === "failed";
  }

  /** Sees to the plugin; whether it runs now. */
  look(): boolean {
    if (this.#worker === undefined) {
      if (this.#state !== "pausing" || now() < this.#againMs) return false;
      this.#begin();
      if (this.#worker !== undefined && this.#params !== undefined) this.#openSource();
      return this.#worker !== undefined;
    }
    this.#supervise();
    return this.#worker !== undefined;
  }

  /** Whether it can be asked; the first question starts it. */
  isUp(): boolean {
    if (this.#worker !== undefined) return true;
    if (this.starts === 0) this.#begin();
    return this.#worker !== undefined;
  }

  wait(timeoutMs: number, isReady: () => boolean): void {
    const endMs = now() + timeoutMs;
    for (;;) {
      const { channel } = this;
      const seen = channel.get(Word.News);
      const leftMs = endMs - now();
      if (leftMs <= 0 || (this.#worker !== undefined && (isReady() || this.hasEnded))) return;
      channel.sleep(Word.News, seen, Math.min(leftMs, SLICE_MS));
      if (!this.look() && leftMs <= SLICE_MS) return;
    }
  }

  askField(request: number, field: number, argument: PluginArgument | undefined): boolean {
    if (this.#worker === undefined) return false;
    const { channel } = this;
    channel.set(Word.Field, field);
    if (argument === undefined) channel.set(Word.Argument, NO_ARGUMENT);
    else if (argument.key === undefined) {
      channel.set(Word.Argument, INDEX_ARGUMENT);
      channel.set(Word.ArgumentIndex, Math.min(argument.index, 0xffff_ffff) | 0);
    } else {
      const bytes = encoder.encode(argument.key);
      if (bytes.length > ARGUMENT_BYTES) return false;
      channel.argument.set(bytes);
      channel.set(Word.Argument, bytes.length);
    }
    return this.ask(request);
  }

  /** Whether it was answered well. */
  ask(request: number, timeoutMs = ANSWER_MS): boolean {
    const worker = this.#worker;
    if (worker === undefined) return false;
    const { channel } = this;
    const asked = ++this.#asked;
    channel.set(Word.Request, request);
    channel.set(Word.Asked, asked);
    if (channel.rouse(Word.Wake) === 0) send(worker, 0);
    if (!this.#await(() => channel.get(Word.Answered) === asked, timeoutMs)) return false;
    if (channel.get(Word.Outcome) === Outcome.Done) return true;
    this.#errors++;
    this.#tell("warning", this.text());
    return false;
  }

  /** The batch is judged. */
  release(slot: number): void {
    const { channel } = this;
    channel.set(Word.SlotOwner + slot, Owner.Plugin);
    if (channel.rouse(Word.Wake) === 0 && channel.get(Word.WantsSlot) === 1) {
      if (this.#worker !== undefined) send(this.#worker, 0);
    }
  }

  text(): string {
    return textOf(this.channel.text, this.channel.get(Word.TextBytes));
  }

  putText(text: string): void {
    const bytes = encoder.encode(text).subarray(0, TEXT_BYTES);
    this.channel.text.set(bytes);
    this.channel.set(Word.TextBytes, bytes.length);
  }

  /** Ends it and has it started anew later. */
  fail(error: string): void {
    if (this.#worker === undefined) return;
    this.#end();
    const nowMs = now();
    if (nowMs - this.#startedMs > WELL_MS) this.#pauseMs = FIRST_PAUSE_MS;
    this.#errors++;
    this.#lastError = error;
    this.#state = "pausing";
    this.#againMs = nowMs + this.#pauseMs;
    this.#tell("warning", `${error}; it is started anew in ${this.#pauseMs / 1000} s`);
    this.#pauseMs = Math.min(this.#pauseMs * 2, LAST_PAUSE_MS);
  }

  numbers({ dropped, refused }: { dropped: number; refused: number }): PluginNumbers {
    const { channel } = this;
    const silentMs = this.#worker === undefined ? 0 : now() - this.#beatMs;
    return {
      state: this.#worker !== undefined && this.hasEnded ? "ended" : this.#state,
      restarts: Math.max(this.starts - 1, 0),
      errors: this.#errors + refused + this.#before.fieldErrors + channel.get(Word.FieldErrors),
      dropped: dropped + this.#before.dropped + channel.get(Word.EventsDropped),
      timeouts: this.#timeouts,
      residentBytes: this.#worker === undefined ? 0 : channel.get(Word.HeapKib) * 1024,
      ...(this.#lastError === undefined ? {} : { lastError: this.#lastError }),
      blockedMs: silentMs > LATE_MS ? Math.round(silentMs) : 0,
    };
  }

  takeNotices(): readonly PluginNotice[] {
    this.#readLog();
    const notices = this.#notices;
    if (notices.length > 0) this.#notices = [];
    return notices;
  }

  close(): void {
    if (this.#worker !== undefined && this.#params !== undefined) this.ask(Request.Close, 200);
    this.#end();
    this.#state = "ended";
  }

  #begin(): void {
    this.starts++;
    this.#state = "running";
    this.#startedMs = this.#beatMs = now();
    this.channel = new Channel();
    this.#asked = 0;
    this.#residentBytes = residentBytes();
    this.#worker = this.#start.ownProcess ? this.#beginProcess() : this.#beginThread();
    // Told in the channel, or seen by its silence.
    this.#worker.onerror = (event) => event.preventDefault();
    this.#worker.onmessageerror = (event) => event.preventDefault();
    this.#await(() => this.channel.get(Word.State) !== State.Starting, START_MS);
    this.#supervise();
  }

  #beginThread(): Worker {
    const { info: { name }, permissions, files, config } = this.#start;
    const worker = new Worker(new URL("./plugin_worker.ts", import.meta.url), {
      type: "module",
      name,
      deno: { permissions: workerPermissions(permissions) },
    } as WorkerOptions);
    send(worker, { kind: "run", files, config, shared: this.channel.shared });
    return worker;
  }

  #beginProcess(): Worker {
    const { info, permissions, files, config, memoryMb } = this.#start;
    const worker = new Worker(new URL("./relay_worker.ts", import.meta.url), { type: "module" });
    const order = { files, config, permissions, memoryMb, shared: this.channel.shared };
    const command = processCommand(info.name);
    worker.postMessage({ kind: "relay", command, ...order } satisfies RelayOrder);
    return worker;
  }

  #openSource(): void {
    this.putText(this.#params ?? "");
    if (this.ask(Request.Open, START_MS)) {
      // What fails at once is told as what does not open.
      this.#await(() => this.channel.get(Word.State) !== State.Ready, START_MS);
      this.#supervise();
    } else if (this.#worker !== undefined) this.fail(this.text() || "it did not open");
  }

  /** Waits until that holds; false: the plugin is ended since it did not, or failed. */
  #await(holds: () => boolean, timeoutMs: number): boolean {
    const { channel } = this;
    const endMs = now() + timeoutMs;
    for (;;) {
      const seen = channel.get(Word.News);
      if (holds()) return true;
      const leftMs = endMs - now();
      if (leftMs <= 0) break;
      channel.sleep(Word.News, seen, Math.min(leftMs, SLICE_MS));
      if (holds()) return true;
      this.#supervise();
      if (this.#worker === undefined) return false;
    }
    this.#timeouts++;
    this.fail(`it did not answer within ${timeoutMs / 1000} s`);
    return false;
  }

  /** Ends it where it failed, hangs or grows. */
  #supervise(): void {
    if (this.#worker === undefined) return;
    const { channel } = this;
    const state = channel.get(Word.State);
    // What it gave before is judged first: it still answers.
    if (state === State.Failed && !this.#hasBatches()) return this.fail(this.#failure());
    const nowMs = now();
    const beat = channel.get(Word.Beat);
    const bound = this.#start.memoryMb << 20;
    if (beat !== this.#beat) {
      this.#beat = beat;
      this.#beatMs = nowMs;
      this.#residentBytes = residentBytes();
      if (channel.get(Word.HeapKib) * 1024 > bound) return this.fail(this.#tooLarge());
      return;
    }
    const silentMs = nowMs - this.#beatMs;
    // What the process took since the thread last came round is blamed on it.
    const takenBytes = this.#start.ownProcess ? 0 : residentBytes() - this.#residentBytes;
    if (takenBytes > bound) return this.fail(this.#tooLarge());
    if (silentMs < this.#stuckMs) return;
    this.#timeouts++;
    this.fail(`its thread has not come round for ${this.#stuckMs / 1000} s`);
  }

  #failure(): string {
    return textOf(this.channel.failure, this.channel.get(Word.FailureBytes)) || "it failed";
  }

  #hasBatches(): boolean {
    const owner = (slot: number) => this.channel.get(Word.SlotOwner + slot);
    return owner(0) === Owner.Judge || owner(1) === Owner.Judge;
  }

  /** Events of batches that are not judged to their end. */
  #waiting(): number {
    const { channel } = this;
    const of = (slot: number) =>
      channel.get(Word.SlotOwner + slot) === Owner.Judge
        ? Math.min(Math.max(channel.get(Word.SlotEvents + slot), 0), SLOT_EVENTS)
        : 0;
    return of(0) + of(1);
  }

  #tooLarge(): string {
    return `it has more memory than ${this.#start.memoryMb} MB (memory_mb)`;
  }

  #end(): void {
    const { channel } = this;
    this.#readLog();
    // A loop of built-in functions alone would outlive it.
    channel.set(Word.Stop, 1);
    // Who stands for a process ends it, and itself.
    if (this.#start.ownProcess && this.#worker !== undefined) send(this.#worker, 0);
    else this.#worker?.terminate();
    this.#worker = undefined;
    this.#before.fieldErrors += channel.get(Word.FieldErrors);
    this.#before.dropped += channel.get(Word.EventsDropped) + channel.get(Word.Pending) +
      this.#waiting();
    channel.set(Word.Pending, 0);
    channel.set(Word.FieldErrors, 0);
    channel.set(Word.EventsDropped, 0);
  }

  #readLog(): void {
    const { lines, dropped } = takeLines(this.channel);
    for (const { isWarning, text } of lines) {
      this.#tell(isWarning ? "warning" : "info", oneLine(text));
    }
    if (dropped > 0) this.#tell("warning", `it said ${dropped} lines more than were taken`);
  }

  #tell(level: PluginNotice["level"], line: string): void {
    if (this.#notices.length < NOTICES_MAX) this.#notices.push({ level, line });
  }
}

function send(worker: Worker, order: PluginOrder): void {
  worker.postMessage(order);
}

function now(): number {
  return performance.now();
}

function residentBytes(): number {
  return Deno.memoryUsage().rss;
}

function textOf(area: Uint8Array, bytes: number): string {
  return oneLine(decoder.decode(area.slice(0, Math.min(Math.max(bytes, 0), TEXT_BYTES))));
}

function oneLine(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replaceAll(/[\x00-\x1f\x7f-\x9f\u2028\u2029]+/g, " ").trim();
}
