// What an output that is being closed still has → its spool, piece by piece: each piece has a time
// of its own, so that many alerts on a slow disk are kept as long as the disk goes on taking them.
import type { Message } from "../format/message.ts";
import { atMost } from "../delivery/pause.ts";
import type { Spool } from "./spool.ts";

/** Alerts that the disk is asked to take at a time. */
const PIECE = 256;
/** All of it takes no longer than this, however well the disk goes on. */
const WHOLE_MS = 20_000;

export interface PutAway {
  /** Whether the batch that was being written lies there. */
  readonly held: boolean;
  /** How many of the rest. */
  readonly rest: number;
}

/** Puts `held` in front of what lies there, `rest` behind it. Never rejects. */
export async function putAway(
  spool: Spool,
  held: readonly Message[],
  rest: readonly Message[],
  { pieceMs, clock }: { readonly pieceMs: number; readonly clock: () => number },
): Promise<PutAway> {
  const untilMs = clock() + WHOLE_MS;
  const heldKept = held.length === 0 ? 0 : await inTime(pieceMs, spool.hold(held));
  let kept = 0;
  while (kept < rest.length && clock() < untilMs) {
    const piece = rest.slice(kept, kept + PIECE);
    const taken = await inTime(pieceMs, spool.append(piece));
    kept += taken;
    if (taken < piece.length) break;
  }
  return { held: heldKept === held.length, rest: kept };
}

async function inTime(ms: number, kept: Promise<number>): Promise<number> {
  let count = 0;
  await atMost(ms, kept.then((settled) => count = settled));
  return count;
}
