// What the engine thread tells the main thread without being asked: numbers in shared memory,
// readable while the engine is busy or stuck. Each number has one writer.
import { EVENT_COUNT } from "../../events/event_count.ts";
import { Latencies, LATENCY_NUMBERS } from "./latencies.ts";

/** What CommandPid holds while a command is being started: it may run already. */
export const COMMAND_STARTS = 1;

/** Places of the numbers; "Ms" are milliseconds since the epoch, 0 for never. */
export const Counter = {
  /** Written by the engine whenever it comes round its loop. */
  HeartbeatMs: 0,
  Events: 1,
  /** When the engine last saw an event (its clock, not the event's). */
  LastEventMs: 2,
  /** Time of the last event by its own time. */
  LastEventTimeMs: 3,
  Alerts: 4,
  /** Alerts that the engine did not hand over, since the main thread was too far behind. */
  AlertsDropped: 5,
  LostCritical: 6,
  LostBulk: 7,
  Truncated: 8,
  /** Probe programs that should be attached, and how many of them are not: one number, so that no
   * reader sees one of before a change and one of after it. */
  ProgramsWanted: 9,
  ProgramsDetached: 10,
  Rules: 11,
  /** Records that a source gave and that were no sound events. */
  Malformed: 12,
  Threads: 13,
  Fds: 14,
  Strings: 15,
  ThreadsRefused: 16,
  FdsRefused: 17,
  /** Progress of a replay, in bytes of the captures. */
  BytesRead: 18,
  BytesTotal: 19,
  StartedMs: 20,
  ReloadedMs: 21,
  /** Written by the main thread: alerts that it has taken. */
  AlertsTaken: 22,
  /** Alerts that the engine handed over. */
  AlertsPosted: 23,
  /** `saker record`: events written, and bytes in its files. */
  RecordedEvents: 24,
  RecordedBytes: 25,
  /** Captures that alerts started, and those that could not be written. */
  CapturesStarted: 26,
  CapturesFailed: 27,
  /** What is held for a capture to begin with, and how often its bound was too small. */
  CaptureRingBytes: 28,
  CaptureRingOverflows: 29,
  /** Events that were passed over since judging them failed. */
  Mistakes: 30,
  /** Of LostCritical: events over the share of one process. */
  OverShare: 31,
  /** What bounds refused, besides threads and descriptors above. */
  UsersRefused: 32,
  ContainersEvicted: 33,
  LookUpsRefused: 34,
  /** Sums of programs that were not asked for since too many were under way, or hung. */
  SumsPostponed: 35,
  InterfacesRefused: 36,
  EntriesDropped: 37,
  /** Names that calls took without opening a file, and those whose path stays unknown. */
  NamesLookedUp: 38,
  NamesUnknown: 39,
  /** Events that the sieve kept back: nobody could have used them. */
  PassedOver: 40,
  /** When the engine last began to look into the rings and found nothing there. */
  EmptyMs: 41,
  /** Events that captures and recordings lack since their disk did not keep up, whether there is
   * such a gap now, what waits to be written, and for how long the disk has not moved. */
  CaptureEventsLost: 42,
  CaptureGap: 43,
  CaptureWaitingBytes: 44,
  CaptureStuckMs: 45,
  /** Losses over the threshold of `syscall_event_drops`, and those that were acted on. */
  DropsDetected: 46,
  DropsActedOn: 47,
  /** Events that the source handed over or wrote, before the engine took them. */
  SourceEvents: 48,
  /** What became of threads and descriptors since the start. */
  ThreadsAdded: 49,
  ThreadsRemoved: 50,
  ThreadsPurged: 51,
  ThreadLookupsFailed: 52,
  FdsAdded: 53,
  FdsRemoved: 54,
  FdsReplaced: 55,
  FdLookupsFailed: 56,
  /** Bytes of the strings that are held, and strings that sweeps freed. */
  StringBytes: 57,
  StringsFreed: 58,
  Containers: 59,
  Users: 60,
  /** Bytes of the engine's heap that are in use, and that it has, at the last look. */
  EngineHeapUsed: 61,
  EngineHeapTotal: 62,
  /** Nanoseconds that conditions took together, and of how many events that was measured. */
  MatchNs: 63,
  MatchSamples: 64,
  /** Threads whose arguments were let go: see state/tables/weight.ts. */
  ArgumentsForgotten: 65,
  /** Ancestors that have ended and are kept for their descendants, and those let go too early. */
  AncestorsHeld: 66,
  AncestorsForgotten: 67,
  /** Written by the main thread: canaries that were sent and that came through, how often one is
   * sent, when the first was that has not come (0: none), when the last came, and how long that
   * took. */
  CanariesSent: 68,
  CanariesSeen: 69,
  CanaryEveryMs: 70,
  CanarySentMs: 71,
  CanarySeenMs: 72,
  CanaryLatencyMs: 73,
  /** Alerts that wait for what a runtime knows of their container, how often a bound let them go
   * early, and those that went out without it. */
  AlertsHeld: 74,
  AlertsHeldCut: 75,
  AlertsUntold: 76,
  /** Files that rules name and that are known by their inodes, and names that found no place. */
  FilesNamed: 77,
  FilesRefused: 78,
  /** How often the kernel left a program of the probe out. */
  CallsSkipped: 79,
  /** Dossiers of alerts that were made, what that took in ns, and alerts that have none. */
  Dossiers: 80,
  DossierNs: 81,
  DossiersLeftOut: 82,
  /** The process of a command that is traced (0: there is none), and once it has ended, the exit
   * code that a shell would tell of it, plus one. */
  CommandPid: 83,
  CommandExit: 84,
  /** Written by the main thread: when somebody last asked which processes are busy. */
  BusyAskedMs: 85,
} as const;

export type CounterPlace = (typeof Counter)[keyof typeof Counter];

const COUNTERS = Object.keys(Counter).length;
const NUMBERS = COUNTERS + 3 * EVENT_COUNT + 2 * LATENCY_NUMBERS;

/** Flags that the two threads wait for and wake each other with. */
const TAKEN = 0;
const STOP = 1;
const MESSAGE = 2;
const FLAGS = 3;
/** Written by the addon: news of runtimes, and of the cluster. */
const NEWS = 2;
/** Those of them that are zero as long as nobody wants anything of the engine. */
const BELLS = FLAGS + NEWS - STOP;

export class Counters {
  readonly buffer: SharedArrayBuffer;
  /** By event code: events that the sieve kept back. */
  readonly passedOver: Float64Array;
  /** By event code: events that the engine took. */
  readonly judged: Float64Array;
  /** By event code: events that were lost; 0 is the code of those that are not known. */
  readonly lost: Float64Array;
  /** How old a batch's last event was when the engine took it. */
  readonly lag: Latencies;
  /** Written by the main thread: how old alerts were when standard output had taken their lines. */
  readonly toOutput: Latencies;
  /** How many news of containers wait for the engine. Here, since the addon's thread writes it
   * until the process ends, and this memory outlives the engine's thread. */
  readonly news: Uint32Array;
  /** The same of the cluster. */
  readonly clusterNews: Uint32Array;
  /** Zeros while there is no reason to wake the engine but an event. */
  readonly bells: Uint32Array;
  readonly #numbers: Float64Array;
  readonly #flags: Int32Array;

  /** Over memory that another thread made, or new memory. */
  constructor(buffer = new SharedArrayBuffer(NUMBERS * 8 + (FLAGS + NEWS) * 4)) {
    this.buffer = buffer;
    let at = 0;
    const next = (length: number) =>
      new Float64Array(buffer, 8 * ((at += length) - length), length);
    this.#numbers = next(COUNTERS);
    this.passedOver = next(EVENT_COUNT);
    this.lost = next(EVENT_COUNT);
    this.judged = next(EVENT_COUNT);
    this.lag = new Latencies(next(LATENCY_NUMBERS));
    this.toOutput = new Latencies(next(LATENCY_NUMBERS));
    this.#flags = new Int32Array(buffer, 8 * at, FLAGS);
    const news = new Uint32Array(buffer, 8 * at + 4 * FLAGS, NEWS);
    this.news = news.subarray(0, 1);
    this.clusterNews = news.subarray(1, 2);
    this.bells = new Uint32Array(buffer, 8 * at + 4 * STOP, BELLS);
  }

  get(place: CounterPlace): number {
    return this.#numbers[place]!;
  }

  set(place: CounterPlace, value: number): void {
    this.#numbers[place] = value;
  }

  add(place: CounterPlace, value: number): void {
    this.#numbers[place] = this.#numbers[place]! + value;
  }

  /** Asks the engine to end. */
  stop(): void {
    Atomics.store(this.#flags, STOP, 1);
    this.#wake();
  }

  get stopping(): boolean {
    return Atomics.load(this.#flags, STOP) === 1;
  }

  /** Tells the engine that one more message waits, for which it must return to its message loop. */
  announceMessage(): void {
    Atomics.add(this.#flags, MESSAGE, 1);
    this.#wake();
  }

  /** Takes one of the messages that were announced; whether there was one. */
  takeMessage(): boolean {
    // Only the engine takes, so what it sees cannot become less under its hands.
    if (Atomics.load(this.#flags, MESSAGE) === 0) return false;
    Atomics.sub(this.#flags, MESSAGE, 1);
    return true;
  }

  /** Main thread: so many alerts more have been taken. */
  take(alerts: number): void {
    this.add(Counter.AlertsTaken, alerts);
    this.#wake();
  }

  /** Engine: sleeps until the main thread takes alerts, asks for something, or the time is over. */
  waitForMain(timeoutMs: number): void {
    const seen = Atomics.load(this.#flags, TAKEN);
    if (this.get(Counter.AlertsPosted) === this.get(Counter.AlertsTaken)) return;
    Atomics.wait(this.#flags, TAKEN, seen, timeoutMs);
  }

  /** Engine: sleeps until the main thread has something for it, or the time is over. */
  sleep(timeoutMs: number): void {
    const seen = Atomics.load(this.#flags, TAKEN);
    if (this.stopping || Atomics.load(this.#flags, MESSAGE) > 0) return;
    Atomics.wait(this.#flags, TAKEN, seen, timeoutMs);
  }

  #wake(): void {
    Atomics.add(this.#flags, TAKEN, 1);
    Atomics.notify(this.#flags, TAKEN);
  }
}
