// Where bundles come from, whatever it is: asked again and again, sooner where it says so.

export interface Source {
  /** What there is; undefined where it is the same as before. Rejects with one line. */
  ask(): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** Settles when asking is worth while before its time; absent: nobody tells. Never rejects. */
  changed?(): Promise<void>;
  close(): void;
}

/** A source that is down is asked at least so often, unless `every` is longer. */
const SLOWEST_MS = 900_000;

/**
 * Milliseconds until a source is asked again, by its failures in a row. `random` is 0 to 1: hosts
 * that started together do not ask together, and a source that comes back is not asked by all at
 * once.
 */
export function paceMs(everyMs: number, failures: number, random: number): number {
  if (failures === 0) return everyMs * (0.9 + random * 0.2);
  const most = Math.max(everyMs, SLOWEST_MS);
  return Math.min(most, everyMs * 2 ** Math.min(failures, 32)) * (0.5 + random * 0.5);
}
