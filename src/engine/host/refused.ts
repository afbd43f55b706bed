// What this kernel keeps from us: the driver's plan comes in, the programs that it refused go out,
// each with what the kernel said and the events that nobody sees without it.
import type { AttachedProgram } from "../../../bindings-rs/index.d.ts";
import { EVENTS } from "../../events/table.ts";
import type { RefusedProgram } from "../contract/messages.ts";

/** As much of a driver as this asks. */
export interface Planned {
  plan(): readonly Pick<AttachedProgram, "name" | "events" | "refused" | "reason">[];
}

const BY_ID = new Map(EVENTS.map((event) => [event.id, event]));

export function refusedPrograms(driver: Planned): RefusedProgram[] {
  return driver.plan().filter(({ refused }) => refused).map(({ name, events, reason }) => ({
    program: name,
    events: [...new Set(events.flatMap((id) => BY_ID.get(id)?.name ?? []))],
    codes: events.flatMap((id) => BY_ID.get(id)?.code ?? []),
    reason,
  }));
}

/** By event code, why it is not seen. */
export function refusedEvents(refused: readonly RefusedProgram[]): ReadonlyMap<number, string> {
  return new Map(
    refused.flatMap(({ codes, reason }) => codes.map((code) => [code, reason] as const)),
  );
}

/** What is not seen, in words; undefined where every event is. */
export function unseenLine(refused: readonly RefusedProgram[]): string | undefined {
  const events = [...new Set(refused.flatMap(({ events }) => events))].sort();
  if (events.length === 0) return undefined;
  return `this kernel refuses the probe's programs for ${events.join(", ")}: not seen`;
}
