// Events that this kernel keeps from us: the driver's plan comes in, the codes of the events whose
// program it refused go out, each with what the kernel said.
import type { AttachedProgram, DriverStats } from "../../../bindings-rs/index.d.ts";
import { EVENTS } from "../../events/table.ts";

/** As much of a driver as this asks. */
export interface Planned {
  stats(): Pick<DriverStats, "programs" | "attached">;
  plan(): readonly Pick<AttachedProgram, "events" | "reason">[];
}

export function refusedEvents(driver: Planned): ReadonlyMap<number, string> {
  const { programs, attached } = driver.stats();
  if (attached === programs) return new Map();
  const codes = new Map(EVENTS.map(({ id, code }) => [id, code]));
  return new Map(
    driver.plan().filter(({ reason }) => reason !== "").flatMap(({ events, reason }) =>
      events.flatMap((id) => codes.has(id) ? [[codes.get(id)!, reason] as const] : [])
    ),
  );
}
