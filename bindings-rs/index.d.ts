// What the native addon offers. One call crosses for a batch of events, never for one event.
// Every error thrown is an Error whose `code` is one of ErrorCode.

import type { TraceTarget } from "./trace.d.ts";

export type ErrorCode =
  | "NO_PERMISSION"
  | "NO_BTF"
  | "NO_TRACEPOINTS"
  | "NO_MEMORY"
  | "VERIFIER"
  | "ATTACH"
  | "PROBE"
  | "MODULE"
  | "INVALID"
  | "IO";

/** What any driver is told when it is opened. */
export interface OpenOptions {
  /** Event codes (of the event table) to record. 0x8000 + sc asks for one system call that has no
   * event of its own (sc: SyscallInfo.sc); the generic event's code, 1, asks for all of those. */
  interest: Uint16Array;
  /** Bytes of the ring of each lane; powers of two, multiples of the page size. */
  criticalRingBytes: number;
  bulkRingBytes: number;
  /** Bytes of I/O data kept from each call. */
  snaplen: number;
  /** Of sockets with a port in this range, ends included, up to 16,000 bytes; absent: none. */
  fullPorts?: [from: number, to: number];
  /** Whether up to 2,000 bytes are kept of protocols that are known. */
  dynamicSnaplen?: boolean;
  dropFailed: boolean;
  /** This process is never recorded. */
  selfPid: number;
}

export interface DriverStats {
  events: bigint;
  lostCritical: bigint;
  lostBulk: bigint;
  /** Of lostCritical: events over the share that one process has of a ring that fills up. */
  excess: bigint;
  /** Calls that the kernel kept from the probe (Linux 7 and newer), wanted or not. */
  skipped: bigint;
  truncated: bigint;
  /** Names that the probe looked up after the call, and those of them that led nowhere. */
  named: bigint;
  unresolved: bigint;
  /** Files of `nameFiles` that are known, and names that found no place. */
  filesNamed: bigint;
  filesRefused: bigint;
  /** Programs or tracepoints that should be attached (those that the kernel refused are none), and
   * how many still are. */
  programs: number;
  attached: number;
}

/** A process that lost events over its share of the critical ring. */
export interface ProcessExcess {
  pid: number;
  /** Of the thread that lost first. */
  name: string;
  lost: bigint;
}

/** Events of one code that the sieve kept back, or that were lost. */
export interface CodeEvents {
  code: number;
  events: bigint;
}

/** How often one of the driver's programs ran, and for how long. */
export interface ProgramRuns {
  name: string;
  runs: bigint;
  ns: bigint;
}

export interface AttachedProgram {
  name: string;
  kind: "tracepoint" | "raw_tracepoint" | "tp_btf" | "fexit" | "module";
  target: string;
  events: string[];
  attached: boolean;
  /** This kernel did not take it: `reason` says why. */
  refused: boolean;
  reason: string;
}

/** A source of event records that is open: a loaded probe, whose object file `open` is given. */
export class Driver {
  static open(probe: Uint8Array, options: OpenOptions): Driver;
  /** Becomes a reader of the kernel module behind a device; rings are those of each CPU. */
  static openModule(device: string, options: OpenOptions): Driver;
  /** Traces a command or a process. A command begins with the first `drain`. */
  static trace(target: TraceTarget, options: OpenOptions): Driver;
  /** Once no block will come any more and all were drained: the exit code that a shell would tell
   * of the traced command, or 0; null as long as that is not so. */
  ended(): number | null;
  /** The process of the command that is traced; 0: there is none. */
  command(): number;
  /** Fills `buffer` with whole .scap event blocks (0x216) in time order; returns the bytes. */
  drain(buffer: Uint8Array): number;
  /** Blocks until there is something to drain (true), the time is over, or a bell is not zero. */
  wait(timeoutMs: number, bells: Uint32Array): boolean;
  setInterest(codes: Uint16Array): void;
  /** Loads some of the programs of events that nobody wants yet, so that `setInterest` finds them
   * when the right to load is given up; true when none is left. */
  loadSpare(): boolean;
  /** Exchanges the table of the sieve before the rings (src/sieve/table.ts); an empty one lets
   * everything through. `keepsOpens`: opens are kept whatever it says of them. Throws where this
   * kernel cannot ask it: all is kept then. */
  setSieve(table: Uint8Array, keepsOpens: boolean): void;
  /** Exchanges the files that rules name, and are known by their inodes below `hostRoot`. */
  nameFiles(names: Uint8Array[], hostRoot: string): void;
  /** Those of a root that is new, a container's, are looked for soon, not within seconds. */
  lookAtRoots(): void;
  /** Events that the sieve kept back, for each code that has some. */
  sifted(): CodeEvents[];
  /** Events that were lost, for each code that has some; 0 is the code of those whose event is not
   * known. */
  lost(): CodeEvents[];
  /** What was found missing among the events that were drained since the last call. */
  takeGaps(): { cpu: number; lane: number; lost: bigint; fromMs: number; untilMs: number }[];
  /** For each CPU that there may be three numbers: events that were written, that were lost of the
   * critical lane, and of the bulk one. */
  cpus(): Float64Array;
  /** All loaded programs; zeros unless the kernel counts (`kernel.bpf_stats_enabled`). */
  runs(): ProgramRuns[];
  stats(): DriverStats;
  /** Processes that lost events over their share since the last call, the greatest loss first. At
   * most 256 are told at once; `excess` counts those of all. */
  takeExcess(): ProcessExcess[];
  /** What is attached where, and why; asks the kernel whether each link is still there. */
  plan(): AttachedProgram[];
  close(): void;
}

/** What the kernel module that is loaded says of itself. */
export interface ModuleAbout {
  /** Of its interface, as `moduleInterface` has this addon's; saker's own. */
  version: number;
  saker: string;
  /** Who has it open, and how many may; the asker is none of them. */
  readers: number;
  readersMax: number;
  ringBytesMax: number;
  /** Opens that it refused since there were too many. */
  refused: number;
}

export function moduleInterface(): number;
/** Throws where nobody answers. */
export function moduleAbout(device: string): ModuleAbout;
/** Loads a module's file, which must be root's and nobody else's to write; returns 0 or the number
 * of the error. Compressed ones the kernel unpacks, where it can. */
export function loadModule(path: string, parameters: string, isCompressed: boolean): number;
/** Unloads a module that nobody uses; returns 0 or the number of the error. */
export function unloadModule(name: string): number;

export interface SieveOptions {
  /** Bytes of the table (probe-rs/src/sieve/table.rs). */
  table: Uint8Array;
  /** By event code and place of a clause (16 of each), of which threads it is: two words, of which
   * a bit must be among what `answer` tells of the thread. */
  clauseThreads: Uint32Array;
  /** The same of the parents of processes that execute a program. */
  clauseParents: Uint32Array;
  /** By event code: parameters of the table's events. */
  counts: Uint8Array;
  /** By event code: a bit for each parameter that is a descriptor; bit 31 where all descriptors of
   * the process may be looked at. */
  descriptors: Uint32Array;
  /** By event code: the parameter with the descriptor that the event uses; -1 for none. */
  uses: Int8Array;
  /** By event code: a bit for each parameter that is the id of a thread. */
  pids: Uint32Array;
  /** By event code, two words: the threads of events whose rules look at other threads. */
  lookers: Uint32Array;
  /** The sets of addresses and ports that tests name (src/sieve/ends.ts). */
  ends: Uint32Array;
  /** Every event that makes or changes a descriptor is handed over. */
  keepsDescriptors: boolean;
  /** Names of descriptors are asked for as the caller gave them. */
  asksRaw: boolean;
  /** Whether a rule can match an execution may depend on its environment. */
  asksEnv: boolean;
  /** Nothing that rules ask or show is about descriptors, nor will other rules: the engine needs no
   * tables of them. */
  ignoresDescriptors: boolean;
  /** By event code: with how many parameters an event is current; 255: any number, 254: never. */
  current: Uint8Array;
}

/** The sieve over the blocks of captures, before they reach the engine. */
export class CaptureSieve {
  static make(options: SieveOptions): CaptureSieve;
  /** Other rules. */
  exchange(lists: Omit<SieveOptions, "counts" | "uses" | "pids" | "current">): void;
  /** How far the first `length` bytes hold whole blocks of current events; `state` gets their
   * number. */
  scan(buffer: Uint8Array, length: number, state: Uint32Array): number;
  /** Lends the memory that `pass` and `answer` use, until other memory is lent. */
  lend(buffer: Uint8Array, entries: Uint32Array, state: Uint32Array, cwd: Uint8Array): void;
  /**
   * Goes on at `from` over the blocks in the first `length` bytes of the lent buffer. `entries`
   * gets three numbers for each event that the engine has to see: its offset (events that were held
   * back are copied behind `length`), the events passed over before it, and 1 where it only keeps
   * the tables right, 2 where of the event its time alone matters, for a thread that ended just
   * before. `state` gets how far it came, how many entries there are, and the events passed over
   * behind the last one, and what is asked: 1 and of which thread for `answer`, 2 for
   * `answerProgram`. Returns 0 at the end, 1 where entries or room are used up, 2 where something
   * is asked. `from` behind `length`: other tables come, and what is held back is handed over.
   */
  pass(length: number, from: number): number;
  /** `owner`: the thread whose table it is, -1 for a thread that is not known; `cwdBytes`: of the
   * path of the working directory with a slash at its end, in what was lent for it; `low` and
   * `high`: what holds of the thread (src/sieve/thread_parts.ts); `marks`: 1, no other thread has
   * the table, 2, its process has the same id in its own pid namespace, 4, other descriptors. */
  answer(
    tid: number,
    owner: number,
    cwdBytes: number,
    low: number,
    high: number,
    marks: number,
  ): void;
  /** What holds of the thread that the event makes: from then on, and for its own rules. */
  answerProgram(low: number, high: number, rulesLow: number, rulesHigh: number): void;
  /** Which threads and processes the engine has, and no others, and which numbers the leaders of
   * their sessions and groups have; without `tids`: it may have any. */
  know(tids: Float64Array | undefined, leaders: Float64Array): void;
  /** Events passed over so far, by code. */
  passed(): Float64Array;
}

/** The machine as it is now, from /proc below `hostRoot`, as .scap blocks. */
export function snapshot(hostRoot: string, selfPid: number): Uint8Array;
/** The same for one process (a thread that no event told of); empty where it is gone. */
export function snapshotProcess(hostRoot: string, pid: number): Uint8Array;
/** Users and groups below the root of a process (of the host where `pid` is 0), as .scap blocks.
 * Empty where the process is gone, or its root does not answer within a quarter of a second. */
export function snapshotAccounts(hostRoot: string, pid: number): Uint8Array;
/** Gives up, in every thread and for good, all capabilities but those whose bits are set; returns
 * how many threads did. Throws where some do not answer. */
export function keepCapabilities(kept: bigint): number;
/** Sets the nice value of the calling thread; false where the kernel does not allow it. */
export function setNice(nice: number): boolean;
/** Gives memory back that only the start needed: free memory, pages of the executable read once. */
export function releaseStartMemory(): void;

export interface DiskOptions {
  /** Bytes that may wait to be written. */
  bytesMax: number;
  /** Descriptors held back for captures. */
  reserve: number;
}

/** What may stand under a path: 0 nothing (no link is followed); 2 a file that is overwritten with
 * the first piece, a pipe or a character device; 3: the path is not looked at, standard output is
 * meant. 1: nothing is opened, it fails where something would be overwritten. */
export type DiskHow = 0 | 1 | 2 | 3;

export interface DiskState {
  /** Not written yet. */
  waitingBytes: number;
  /** Not done yet. */
  requests: number;
  /** That nobody has taken. */
  failures: number;
  /** For how long the call that is under way has not moved; 0 where there is none. */
  stuckMs: number;
}

/** Opens, writes and closes captures on a thread of its own, in the order in which it is asked. */
export class CaptureDisk {
  static make(options: DiskOptions): CaptureDisk;
  /** Returns the number of the file; whether it could be opened shows in the failures. */
  open(path: Uint8Array, how: DiskHow): number;
  /** Takes a copy of the first `length` bytes, which are whole blocks; false where the bound has no
   * room for them within `waitMs`. */
  write(file: number, bytes: Uint8Array, length: number, waitMs: number): boolean;
  close(file: number): void;
  remove(path: Uint8Array): void;
  /** Whether all was done within the time. */
  wait(timeoutMs: number): boolean;
  state(): DiskState;
  /** Files that failed since the last call; they are closed and keep the pieces before. */
  takeFailures(): { file: number; errno: number }[];
}

/** A file whose name is no UTF-8, opened for appending; it is made where there is none (0600). */
export class NamedFile {
  static open(path: Uint8Array): NamedFile;
  /** Under /proc/self/fd, as long as it is not closed; negative: the number of the error. */
  descriptor(): number;
  close(): void;
}

/** A file of certificates or keys; `name` is what an error calls it. */
export interface GrpcPem {
  name: string;
  text: string;
}

export interface GrpcOptions {
  /** A socket of the file system; without it `address`, a literal one, and `port`. */
  unixPath?: string;
  address?: string;
  port?: number;
  /** Without it clients are answered without TLS; with it they must show a certificate. */
  tls?: { privateKey: GrpcPem; certChain: GrpcPem; rootCerts: GrpcPem };
  /** What falco.version answers; `parts` are three numbers. */
  version: { version: string; parts: number[]; build: string; engineVersion: number };
  /** What may wait for one client, or while there is none. */
  alertsMax: number;
  bytesMax: number;
}

export interface GrpcAlert {
  /** Since the epoch. */
  seconds: number;
  nanos: number;
  /** Falco's number. */
  priority: number;
  source: string;
  rule: string;
  output: string;
  /** Name, value, name, value … */
  fields: string[];
  hostname: string;
  tags: string[];
}

export interface GrpcState {
  /** Streams of alerts: now, so far, and those that were refused since there were too many. */
  clients: number;
  opened: number;
  refused: number;
  connections: number;
  connectionsAccepted: number;
  connectionsRefused: number;
  /** Alerts that clients have taken, and that wait for them, each client's counted. */
  sent: number;
  waiting: number;
  /** By priority. */
  dropped: number[];
  /** Alerts that the slowest client did not get since it had none waiting; without a client, those
   * that found no room until there is one. */
  missed: number;
  /** It does not listen, or not any more. */
  ended: boolean;
}

export interface TlsDoorOptions {
  /** A literal address. */
  address: string;
  port: number;
  privateKey: GrpcPem;
  certChain: GrpcPem;
  /** Authorities whose clients are let in. */
  rootCerts: GrpcPem;
  /** A socket of the file system; what clients say goes there without TLS. */
  socketPath: string;
}

export interface TlsDoorState {
  open: number;
  accepted: number;
  /** They showed no certificate of those authorities, or spoke no TLS. */
  refused: number;
  /** There were too many at once. */
  turnedAway: number;
  /** Nobody was behind the door. */
  failed: number;
}

/** Lets clients with a certificate in, on a thread of its own; the runtime's TLS asks for none. */
export class TlsDoor {
  /** Listens; throws where addresses or certificates are of no use. */
  static make(options: TlsDoorOptions): TlsDoor;
  port(): number;
  state(): TlsDoorState;
  close(): void;
}

/** Hands alerts to clients that speak Falco's protocol over gRPC, on a thread of its own. */
export class GrpcServer {
  /** Throws where addresses or certificates are of no use; does not listen yet. */
  static make(options: GrpcOptions): GrpcServer;
  /** Returns the port; throws where the address cannot be had. */
  listen(): number;
  /** Never waits. */
  push(alerts: GrpcAlert[]): void;
  /** Whether no alert waits for a client, but for such that took none for so long. */
  settled(patienceMs: number): boolean;
  state(): GrpcState;
  /** Ends all streams; `state().ended` tells when that is done. */
  close(): void;
}
