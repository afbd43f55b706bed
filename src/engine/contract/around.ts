// The events around an alert's, as whoever looks at the alert is told of them.

/** What is asked. */
export interface AroundAsked {
  /** A capture that this saker wrote. */
  readonly file: string;
  /** Time of the alert's event, ns since the epoch. */
  readonly time: bigint;
  /** Its process, where that is known. */
  readonly pid?: number;
}

export interface EventAround {
  /** In the capture, as `saker replay` counts. */
  readonly number: number;
  /** ns since the epoch. */
  readonly time: bigint;
  /** The process and the thread that it belongs to; absent: to none that is known. */
  readonly pid?: number;
  readonly tid?: number;
  /** The process's name. */
  readonly name: string;
  readonly type: string;
  /** As `evt.args` shows them. */
  readonly args: string;
  /** The alert's own. */
  readonly isAlerts: boolean;
}

export interface AroundFound {
  /** Of the alert's process, and of all; both hold the alert's own. */
  readonly ofProcess: readonly EventAround[];
  readonly ofAll: readonly EventAround[];
  /** What the reader must know of them, as whole sentences. */
  readonly remarks: readonly string[];
}

export type Around = AroundFound | { readonly error: string };
