// Alerts on their way between threads: what the alerts of a rule have in common crosses once for
// all of a batch, since a copy of every key and name for each alert costs more than judging its
// event.
import type { Value } from "../../fields/row/field.ts";
import type { RuleRecord } from "../../rules/rule_account.ts";
import type { Alert } from "./alert.ts";
import type { Dossier, PackedDossier } from "./dossier.ts";

export interface PackedAlerts {
  readonly kinds: readonly AlertKind[];
  /** By alert: place of its kind, and its own. */
  readonly kindOf: Uint32Array;
  readonly times: BigUint64Array;
  readonly sequences: Float64Array;
  readonly messages: readonly string[];
  /** Values of the output fields, one alert's behind the other's. */
  readonly values: readonly Value[];
  /** By alert, where any has one. */
  readonly dossiers?: readonly (PackedDossier | undefined)[];
  /** Rules that dossiers name by these numbers from now on. */
  readonly records?: readonly (readonly [number, RuleRecord])[];
}

type AlertKind =
  & Omit<Alert, "message" | "outputFields" | "time" | "sequence" | "dossier">
  & { readonly names: readonly string[] };

/** Records that both sides know by a number; of more the oldest is told again when it is needed. */
const RECORDS_MAX = 4_096;

/** Who packs: which records were told. */
export class RecordNumbers {
  readonly #numbers = new WeakMap<RuleRecord, number>();
  #next = 0;

  /** The record's number, and whether it is to be told. */
  of(record: RuleRecord): { readonly number: number; readonly isNew: boolean } {
    const known = this.#numbers.get(record);
    if (known !== undefined && this.#next - known <= RECORDS_MAX) {
      return { number: known, isNew: false };
    }
    const number = this.#next++;
    this.#numbers.set(record, number);
    return { number, isNew: true };
  }
}

/** Who unpacks: the records that were told last. */
export class RecordsTold {
  readonly #records = new Map<number, RuleRecord>();
  /** The last one of each rule. */
  readonly #latest = new Map<string, RuleRecord>();

  add(told: readonly (readonly [number, RuleRecord])[]): void {
    for (const [number, record] of told) {
      this.#records.set(number, this.#known(record));
      this.#records.delete(number - RECORDS_MAX);
    }
  }

  /** The same record as before where other rules came into force, and this one stayed as it was:
   * what alerts are held with is there once. */
  #known(record: RuleRecord): RuleRecord {
    const { name } = record;
    const before = this.#latest.get(name);
    if (before !== undefined && JSON.stringify(before) === JSON.stringify(record)) return before;
    this.#latest.delete(name);
    this.#latest.set(name, record);
    if (this.#latest.size > RECORDS_MAX) {
      this.#latest.delete(this.#latest.keys().next().value!);
    }
    return record;
  }

  get(number: number): RuleRecord | undefined {
    return this.#records.get(number);
  }
}

export function packAlerts(alerts: readonly Alert[], numbers?: RecordNumbers): PackedAlerts {
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
  const packed = { kinds, kindOf, times, sequences, messages, values };
  if (numbers === undefined || alerts.every(({ dossier }) => dossier === undefined)) return packed;
  const records: [number, RuleRecord][] = [];
  const dossiers = alerts.map(({ dossier }): PackedDossier | undefined => {
    if (dossier === undefined || "none" in dossier) return dossier;
    const { number, isNew } = numbers.of(dossier.record);
    if (isNew) records.push([number, dossier.record]);
    return { record: number, moment: dossier.moment };
  });
  return { ...packed, dossiers, records };
}

export function unpackAlerts(packed: PackedAlerts, told?: RecordsTold): Alert[] {
  const { kinds, kindOf, times, sequences, messages, values, dossiers, records } = packed;
  if (records !== undefined) told?.add(records);
  let from = 0;
  return messages.map((message, at) => {
    const { names, ...kind } = kinds[kindOf[at]!]!;
    const outputFields = names.map((name, place) => [name, values[from + place]] as const);
    from += names.length;
    const alert = { ...kind, message, outputFields, time: times[at]!, sequence: sequences[at]! };
    const dossier = unpacked(dossiers?.[at], told);
    return dossier === undefined ? alert : { ...alert, dossier };
  });
}

function unpacked(
  packed: PackedDossier | undefined,
  told: RecordsTold | undefined,
): Dossier | undefined {
  if (packed === undefined || "none" in packed) return packed;
  const record = told?.get(packed.record);
  return record === undefined ? { none: "mistake" } : { record, moment: packed.moment };
}

function kindOfAlert(alert: Alert): AlertKind {
  const {
    message: _message,
    outputFields,
    time: _time,
    sequence: _sequence,
    dossier: _dossier,
    ...kind
  } = alert;
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
