// What the native addon offers of container runtimes: a part of index.d.ts.

export interface RuntimeSocket {
  kind: "docker" | "podman" | "containerd" | "cri";
  /** Below the host's root; one directory may be `*`. */
  path: string;
}

export interface RuntimesOptions {
  /** "" for this root. */
  hostRoot: string;
  sockets: RuntimeSocket[];
  /** Labels with longer values are left out. */
  labelMaxLen: number;
  /** Ask for the size of writable layers too, which takes runtimes long. */
  withSize: boolean;
  /** After so long a container that nobody knows is given up. */
  patienceMs: number;
}

/** 0: `text` is the JSON of a container; 1: the id of one that ended a while ago; 2: the id of one
 * that no runtime knows. */
export interface RuntimeNews {
  kind: number;
  text: string;
}

/** How one socket stands; `follows`: it tells of containers that come and go. */
export interface RuntimeState {
  kind: string;
  path: string;
  up: boolean;
  version: string;
  /** Why it does not answer; "" where it does. */
  trouble: string;
  follows: boolean;
  connects: number;
  answers: number;
  failures: number;
}

export interface RuntimeTotals {
  asked: number;
  /** Of those asked: not taken, since too many questions waited. */
  refused: number;
  found: number;
  unknown: number;
  /** News that were not taken in time. */
  dropped: number;
}

/** Asks the container runtimes of this machine about containers, on a thread of its own. */
export class Runtimes {
  static start(options: RuntimesOptions): Runtimes;
  /** Lends memory whose first number is how many news wait, until other memory is lent. */
  lend(words: Uint32Array): void;
  /** By the whole id, or as much of it as is known; never waits. */
  ask(id: string): void;
  /** What has become known since the last call, at most so many. */
  take(max: number): RuntimeNews[];
  state(): RuntimeState[];
  totals(): RuntimeTotals;
}
