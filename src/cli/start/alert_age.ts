// How old alerts are when standard output has taken their lines: from the return of the system call
// to here. Messages come in, their ages go into the shared numbers.
import type { Message } from "../../alerts/format/message.ts";
import type { Latencies } from "../../engine/contract/latencies.ts";

const NS_PER_MS = 1e6;
/** The system's clock has whole milliseconds here; what it is off by more was set anew. */
const SET_ANEW_MS = 2;

export function tellAge(latencies: Latencies): (messages: readonly Message[]) => void {
  const clock = preciseClock();
  return (messages) => {
    const nowMs = clock();
    // Beyond 2^53 a number is exact to a quarter of a microsecond: nothing here is nearer.
    for (const { time } of messages) latencies.add(nowMs - Number(time) / NS_PER_MS);
  };
}

/** Milliseconds since the epoch with their fractions. */
export function preciseClock(
  coarse: () => number = Date.now,
  fine: () => number = () => performance.now(),
): () => number {
  let offset = coarse() - fine();
  return () => {
    const [told, counted] = [coarse(), offset + fine()];
    // A coarse clock is behind by up to a millisecond.
    if (counted >= told - SET_ANEW_MS && counted <= told + 1 + SET_ANEW_MS) return counted;
    offset += told - counted;
    return told;
  };
}
