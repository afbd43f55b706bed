// What every handler asks of an event: what its call returned, and when it was.
import type { Event } from "../../events/event.ts";

/** What a call returned is its event's first parameter, whatever its name. */
export const RESULT = 0;

/** Whether the call returned `least` or more; a missing result counts as 0. */
export function succeeded(event: Event, least = 0): boolean {
  return !event.has(RESULT) || event.int64(RESULT) >= least;
}

/** The event's time as a number: exact to 256 ns. */
export function timeNs(event: Event): number {
  const view = event.view;
  return view.getUint32(event.offset + 4, true) * 0x1_0000_0000 +
    view.getUint32(event.offset, true);
}
