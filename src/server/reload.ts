// POST /reload: as SIGHUP, with an answer that says what came of it: 200 where configuration and
// rules were taken, 422 with the reason where they were refused, 202 where it takes longer than a
// connection lasts, 409 while another one is under way.

export type ReloadOutcome =
  | {
    readonly reloaded: true;
    readonly rules: number;
    /** Counts configurations since the start, which is 1. */
    readonly generation: number;
    /** Of configuration and rules. */
    readonly sha256: string;
    /** Keys that changed and wait for the next start. */
    readonly restart: readonly string[];
  }
  | { readonly reloaded: false; readonly error: string };

export interface ReloadAnswer {
  readonly status: 200 | 202 | 409 | 422;
  readonly body: ReloadOutcome | { readonly reloaded: null; readonly reason: string };
}

/** A connection is cut off a second later (serve.ts). */
const PATIENCE_MS = 4_000;

/** One at a time, and none longer than an answer may take; `reload` never rejects. */
export function reloadForAnswers(
  reload: () => Promise<ReloadOutcome>,
  patienceMs = PATIENCE_MS,
): () => Promise<ReloadAnswer> {
  let isBusy = false;
  const unknown = (status: 202 | 409, reason: string): ReloadAnswer => ({
    status,
    body: { reloaded: null, reason },
  });
  return () => {
    if (isBusy) return Promise.resolve(unknown(409, "another reload is under way"));
    isBusy = true;
    const { promise, resolve } = Promise.withResolvers<ReloadAnswer>();
    const late = () => resolve(unknown(202, "it is under way: /status tells what came of it"));
    const timer = setTimeout(late, patienceMs);
    reload().then((outcome) => {
      isBusy = false;
      clearTimeout(timer);
      resolve({ status: outcome.reloaded ? 200 : 422, body: outcome });
    });
    return promise;
  };
}
