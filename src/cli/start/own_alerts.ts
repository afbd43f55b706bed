// Alerts that the main thread makes by itself, of what is amiss with saker: they go to the outputs
// as those of the engine do, so that whoever reads alerts learns of it too.
import type { Alert } from "../../engine/contract/alert.ts";

export interface OwnAlert {
  /** Behind "saker internal: ". */
  readonly subject: string;
  readonly message: string;
  readonly fields?: readonly (readonly [string, number | string])[];
}

/** `Warning`. */
const PRIORITY = 4;

export function ownAlert(
  { subject, message, fields = [] }: OwnAlert,
  { hostname, nowMs }: { hostname: string; nowMs: number },
): Alert {
  const rule = `saker internal: ${subject}`;
  return {
    hostname,
    message: `${rule}. ${message}`,
    outputFields: fields,
    priority: PRIORITY,
    rule,
    source: "internal",
    tags: undefined,
    time: BigInt(nowMs) * 1_000_000n,
    // Those of the engine count from 1.
    sequence: 0,
    degraded: false,
  };
}
