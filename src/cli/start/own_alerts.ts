// Alerts that the main thread makes by itself, of what is amiss with saker: they go to the outputs
// as those of the engine do, so that whoever reads alerts learns of it too.
import type { Alert } from "../../engine/contract/alert.ts";
import { SAKER_VERSION } from "./versions.ts";

export type OwnAlert =
  | {
    /** Behind "saker internal: ". */
    readonly subject: string;
    readonly message: string;
    readonly fields?: readonly (readonly [string, number | string])[];
  }
  /** One that Falco has too, under its name. */
  | { readonly rule: string; readonly priority: number; readonly message: string };

/** `Warning`. */
const PRIORITY = 4;

export function ownAlert(
  alert: OwnAlert,
  { hostname, nowMs }: { hostname: string; nowMs: number },
): Alert {
  const isFalcos = "rule" in alert;
  const rule = isFalcos ? alert.rule : `saker internal: ${alert.subject}`;
  return {
    hostname,
    message: isFalcos ? alert.message : `${rule}. ${alert.message}`,
    // Never none: Falcosidekick refuses an alert whose output_fields are empty.
    outputFields: [...isFalcos ? [] : alert.fields ?? [], ["saker.version", SAKER_VERSION]],
    priority: isFalcos ? alert.priority : PRIORITY,
    rule,
    source: "internal",
    tags: undefined,
    time: BigInt(nowMs) * 1_000_000n,
    // Those of the engine count from 1.
    sequence: 0,
    degraded: false,
  };
}
