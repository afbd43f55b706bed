// Alerts on their way between threads: what the alerts of a rule have in common crosses once for
// all of a batch, since a copy of every key and name for each alert costs more than judging its
// event.
import type { Value } from "../../fields/row/field.ts";
import type { Alert } from "./alert.ts";

export interface PackedAlerts {
  readonly kinds: readonly AlertKind[];
  /** By alert: place of its kind, and its own. */
  readonly kindOf: Uint32Array;
  readonly times: BigUint64Array;
  readonly sequences: Float64Array;
  readonly messages: readonly string[];
  /** Values of the output fields, one alert's behind the other's. */
  readonly values: readonly Value[];
}

type AlertKind =
  & Omit<Alert, "message" | "outputFields" | "time" | "sequence">
  & { readonly names: readonly string[] };

export function packAlerts(alerts: readonly Alert[]): PackedAlerts {
  const { length } = alerts;
  const kinds: AlertKind[] = [];
  const places = new Map<string, number>();
  const kindOf = new Uint32Array(length);
  const times = new BigUint64Array(length);
  const sequences = new Float64Array(length);
  const messages: string[] = [];
  const values: Value[] = [];
  for (let at = 0; at < length; at++) {
    const alert = alerts[at]!;
    const known = places.get(alert.rule);
    if (known !== undefined && isOfKind(alert, kinds[known]!)) kindOf[at] = known;
    else {
      // The rule's latest: the losses of a moment make all that follow another kind.
      places.set(alert.rule, kindOf[at] = kinds.length);
      kinds.push(kindOfAlert(alert));
    }
    times[at] = alert.time;
    sequences[at] = alert.sequence;
    messages.push(alert.message);
    for (const field of alert.outputFields) values.push(field[1]);
  }
  return { kinds, kindOf, times, sequences, messages, values };
}

export function unpackAlerts(packed: PackedAlerts): Alert[] {
  const { kinds, kindOf, times, sequences, messages, values } = packed;
  let from = 0;
  return messages.map((message, at) => {
    const { names, ...kind } = kinds[kindOf[at]!]!;
    const outputFields = names.map((name, place) => [name, values[from + place]] as const);
    from += names.length;
    return { ...kind, message, outputFields, time: times[at]!, sequence: sequences[at]! };
  });
}

function kindOfAlert(alert: Alert): AlertKind {
  const { message: _message, outputFields, time: _time, sequence: _sequence, ...kind } = alert;
  return { ...kind, names: outputFields.map(([name]) => name) };
}

function isOfKind(alert: Alert, kind: AlertKind): boolean {
  const { outputFields } = alert;
  const { names } = kind;
  if (
    alert.degraded !== kind.degraded || alert.containerUntold !== kind.containerUntold ||
    alert.priority !== kind.priority || alert.source !== kind.source ||
    alert.hostname !== kind.hostname || alert.tags !== kind.tags ||
    alert.repeats !== kind.repeats || outputFields.length !== names.length
  ) return false;
  for (let at = 0; at < names.length; at++) if (outputFields[at]![0] !== names[at]) return false;
  return true;
}
