// What a page writes down of what it has counted: how far it has read which stream, which rules
// fired where, when hosts last lost events → JSON within a bound, and JSON of anybody → that or
// nothing.
import type { HostLoss } from "./host_table.ts";
import { type KeptTally, parseTally, type RuleTally } from "./rule_tally.ts";

export interface PageState {
  /** When the stream was made: one that was made anew counts from one again. */
  readonly stream: string;
  /** The last message that is counted. */
  readonly sequence: number;
  readonly tally: KeptTally;
  readonly losses: readonly HostLoss[];
}

/** Hosts whose losses are written down, those that lost last. */
export const LOSSES_MAX = 500;
const NAME_MAX = 1024;

export interface Counted {
  readonly stream: string;
  readonly sequence: number;
  readonly tally: RuleTally;
  readonly losses: readonly HostLoss[];
}

/** At most so many bytes, with fewer hosts beside each rule where they have no room. */
export function stateText({ tally, ...rest }: Counted, bytesMax: number): string {
  const text = (kept: KeptTally) => JSON.stringify({ ...rest, tally: kept });
  const bytes = (kept: KeptTally) => new TextEncoder().encode(text(kept)).length;
  return text(tally.kept((kept) => bytes(kept) <= bytesMax));
}

/** Never throws. */
export function parseState(text: string): PageState | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { stream, sequence, tally, losses } = (value ?? {}) as Record<string, unknown>;
  const parsed = parseTally(tally);
  if (typeof stream !== "string" || !Number.isSafeInteger(sequence) || parsed === undefined) {
    return undefined;
  }
  if (!Array.isArray(losses) || losses.length > LOSSES_MAX || !losses.every(isLoss)) {
    return undefined;
  }
  return { stream, sequence: sequence as number, tally: parsed, losses };
}

function isLoss(value: unknown): boolean {
  const { token, started, lost, lostMs } = (value ?? {}) as Record<string, unknown>;
  return [token, started].every((text) => typeof text === "string" && text.length <= NAME_MAX) &&
    [lost, lostMs].every((number) =>
      typeof number === "number" && number >= 0 && number <= 8.64e15
    );
}
