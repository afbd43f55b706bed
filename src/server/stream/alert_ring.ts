// The last alerts with their dossiers, for who looks at them and for clients that were away:
// bounded by number and by what their texts take. Dossiers go before their alerts do. Where most of
// the alerts are of one rule, its own give way, so that a flood does not push out all others.
import { alertId } from "../../alerts/format/format.ts";
import type { Alert } from "../../engine/contract/alert.ts";
import type { Dossier } from "../../engine/contract/dossier.ts";
import type { RuleRecord } from "../../rules/rule_account.ts";

export interface RingLimits {
  readonly alerts: number;
  /** Characters of all messages and fields together. */
  readonly chars: number;
  /** The same of all dossiers. */
  readonly dossierChars: number;
}

export const RING_LIMITS: RingLimits = { alerts: 10_000, chars: 12 << 20, dossierChars: 16 << 20 };

/** An alert that is held. */
export interface HeldAlert {
  /** Without its dossier. */
  readonly alert: Alert;
  /** `gone`: it had to give way. */
  readonly dossier: Dossier | "gone" | undefined;
}

/** Alerts behind a place. */
export interface Following {
  readonly alerts: readonly Alert[];
  /** The place is held; else nobody knows what is missing. */
  readonly complete: boolean;
  /** Alerts between that had to give way; 0 where the place is not held. */
  readonly missing: number;
  /** Those that are held and were not asked for. */
  readonly leftOff: number;
}

export interface RingStats {
  readonly held: number;
  readonly chars: number;
  /** Dossiers that are held, and what they take. */
  readonly dossiers: number;
  readonly dossierChars: number;
  /** Alerts, and dossiers of alerts that are held, that had to give way. */
  readonly givenWay: number;
  readonly dossiersGivenWay: number;
}

interface Slot {
  readonly alert: Alert;
  readonly chars: number;
  dossier: Dossier | "gone" | undefined;
  /** Alerts directly before it that had to give way. */
  missing: number;
}

/** Room is made for so many at a time, a share of all: going through them costs as much as one. */
const ROOM_SHARE = 64;

export class AlertRing {
  readonly #limits: RingLimits;
  /** The oldest first. */
  #slots: Slot[] = [];
  readonly #byRule = new Map<string, number>();
  #chars = 0;
  #dossiers = 0;
  /** Of the dossiers, and once of each rule that they are about. */
  #dossierChars = 0;
  /** Rules that dossiers are about: of how many. */
  readonly #records = new Map<RuleRecord, { dossiers: number; readonly chars: number }>();
  #givenWay = 0;
  #dossiersGivenWay = 0;

  constructor(limits: Partial<RingLimits> = {}) {
    this.#limits = { ...RING_LIMITS, ...limits };
  }

  get size(): number {
    return this.#slots.length;
  }

  stats(): RingStats {
    return {
      held: this.#slots.length,
      chars: this.#chars,
      dossiers: this.#dossiers,
      dossierChars: this.#dossierChars,
      givenWay: this.#givenWay,
      dossiersGivenWay: this.#dossiersGivenWay,
    };
  }

  push({ dossier, ...alert }: Alert): void {
    const { alerts, chars, dossierChars } = this.#limits;
    const slot = { alert, chars: charsOf(alert), dossier, missing: 0 };
    this.#slots.push(slot);
    this.#chars += slot.chars;
    this.#byRule.set(alert.rule, (this.#byRule.get(alert.rule) ?? 0) + 1);
    if (dossier !== undefined && "moment" in dossier) this.#count(dossier);
    const room = Math.max(1, Math.floor(alerts / ROOM_SHARE));
    if (this.#slots.length > alerts) this.#giveWay(room);
    while (this.#chars > chars && this.#slots.length > 1) this.#giveWay(room);
    if (this.#dossierChars > dossierChars) this.#stripTo(dossierChars * (1 - 1 / ROOM_SHARE));
  }

  /**
   * What came behind the alert that is named by its id, or by its number (`seq`). Where the ring
   * does not have it, all that there is. At most the newest `limit` of them.
   */
  after(place: string, limit = Infinity): Following {
    const at = this.placeOf(place);
    const behind = this.#slots.slice((at ?? -1) + 1);
    const leftOff = Math.max(0, behind.length - limit);
    const told = behind.slice(leftOff);
    return {
      alerts: told.map(({ alert }) => alert),
      complete: at !== undefined,
      missing: at === undefined ? 0 : behind.reduce((sum, { missing }) => sum + missing, 0),
      leftOff,
    };
  }

  /** The place of the alert of that id or number, 0 the oldest; undefined where it is not held. */
  placeOf(place: string): number | undefined {
    const [, time, number] = PLACE.exec(place) ?? [];
    if (number === undefined) return undefined;
    const sequence = Number(number);
    const at = this.#slots.findLastIndex(({ alert }) =>
      alert.sequence === sequence && (time === undefined ? sequence > 0 : place === alertId(alert))
    );
    return at < 0 ? undefined : at;
  }

  /** The alert at a place. */
  at(place: number): HeldAlert {
    return this.#slots[place]!;
  }

  /** Lets go of the oldest of the rule that most alerts are of, or else of the oldest of all; never
   * of the newest, however long it is. */
  #giveWay(count: number): void {
    const most = this.#mostly();
    const newest = this.#slots.at(-1)!;
    let left = count;
    let missing = 0;
    const kept: Slot[] = [];
    for (const slot of this.#slots) {
      const { rule } = slot.alert;
      if (left > 0 && slot !== newest && (most === undefined || rule === most)) {
        left--;
        missing += slot.missing + 1;
        this.#drop(slot);
        continue;
      }
      slot.missing += missing;
      missing = 0;
      kept.push(slot);
    }
    this.#slots = kept;
  }

  #drop(slot: Slot): void {
    const { rule } = slot.alert;
    this.#strip(slot);
    this.#chars -= slot.chars;
    this.#givenWay++;
    const left = this.#byRule.get(rule)! - 1;
    if (left === 0) this.#byRule.delete(rule);
    else this.#byRule.set(rule, left);
  }

  /** The rule that more than half of the alerts are of. */
  #mostly(): string | undefined {
    for (const [rule, count] of this.#byRule) if (count > this.#slots.length / 2) return rule;
    return undefined;
  }

  /** Lets go of dossiers until they take no more than that: as alerts do, the newest never. */
  #stripTo(chars: number): void {
    const most = this.#mostly();
    const newest = this.#slots.at(-1)!;
    const strip = (from: (slot: Slot) => boolean): void => {
      for (const slot of this.#slots) {
        if (this.#dossierChars <= chars) return;
        if (slot !== newest && from(slot) && this.#strip(slot)) this.#dossiersGivenWay++;
      }
    };
    if (most !== undefined) strip(({ alert: { rule } }) => rule === most);
    strip(() => true);
  }

  /** Whether there was one. */
  #strip(slot: Slot): boolean {
    const { dossier } = slot;
    if (dossier === undefined || dossier === "gone" || !("moment" in dossier)) return false;
    this.#dossiers--;
    this.#dossierChars -= dossier.moment.length;
    slot.dossier = "gone";
    const record = this.#records.get(dossier.record)!;
    if (--record.dossiers > 0) return true;
    this.#records.delete(dossier.record);
    this.#dossierChars -= record.chars;
    return true;
  }

  #count({ record, moment }: Extract<Dossier, { moment: string }>): void {
    this.#dossiers++;
    this.#dossierChars += moment.length;
    const known = this.#records.get(record);
    if (known !== undefined) return void known.dossiers++;
    const chars = recordChars(record);
    this.#records.set(record, { dossiers: 1, chars });
    this.#dossierChars += chars;
  }
}

/** About what a part of a condition takes besides its text. */
const PART_CHARS = 64;

function recordChars({ text, condition, output, parts, operands }: RuleRecord): number {
  let chars = text.length + condition.length + output.length;
  for (const part of parts) chars += PART_CHARS + (part.text?.length ?? 0);
  for (const operand of operands) chars += operand.length;
  return chars;
}

/** An alert's id, or its number. */
const PLACE = /^(?:([0-9a-f]{16,})-)?(\d{1,15})$/;

function charsOf({ message, outputFields }: Alert): number {
  let chars = message.length;
  for (const [name, value] of outputFields) {
    chars += name.length + (typeof value === "string" ? value.length : 16);
  }
  return chars;
}
