// The last alerts with their dossiers, for who looks at them and for clients that were away:
// bounded by number and by what their texts take. Dossiers go before their alerts do.
import { alertId } from "../../alerts/format/format.ts";
import type { Alert } from "../../engine/contract/alert.ts";
import type { Dossier } from "../../engine/contract/dossier.ts";

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

/** Alerts behind a place; `complete`: none between is missing. */
export interface Following {
  readonly alerts: readonly Alert[];
  readonly complete: boolean;
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
  dossier: Dossier | "gone" | undefined;
}

export class AlertRing {
  readonly #limits: RingLimits;
  /** Circular: the oldest stands at `#first`. */
  readonly #slots: (Slot | undefined)[] = [];
  #first = 0;
  #count = 0;
  #chars = 0;
  /** How many of the oldest have no dossier any more. */
  #bare = 0;
  #dossiers = 0;
  #dossierChars = 0;
  #givenWay = 0;
  #dossiersGivenWay = 0;

  constructor(limits: Partial<RingLimits> = {}) {
    this.#limits = { ...RING_LIMITS, ...limits };
  }

  get size(): number {
    return this.#count;
  }

  stats(): RingStats {
    return {
      held: this.#count,
      chars: this.#chars,
      dossiers: this.#dossiers,
      dossierChars: this.#dossierChars,
      givenWay: this.#givenWay,
      dossiersGivenWay: this.#dossiersGivenWay,
    };
  }

  push({ dossier, ...alert }: Alert): void {
    const { alerts, chars, dossierChars } = this.#limits;
    if (this.#count === alerts) this.#shift();
    this.#slots[(this.#first + this.#count++) % alerts] = { alert, dossier };
    this.#chars += charsOf(alert);
    if (dossier !== undefined && "moment" in dossier) {
      this.#dossiers++;
      this.#dossierChars += dossier.moment.length;
    }
    // The newest stays, however long it is.
    while (this.#chars > chars && this.#count > 1) this.#shift();
    while (this.#dossierChars > dossierChars && this.#bare < this.#count - 1) {
      if (this.#strip(this.#slot(this.#bare++))) this.#dossiersGivenWay++;
    }
  }

  /**
   * What came behind the alert that is named by its id, or by its number (`seq`). Where the ring
   * does not have it, all that there is, which is not known to be complete. At most the newest
   * `limit` of them.
   */
  after(place: string, limit = Infinity): Following & { readonly leftOff: number } {
    const at = this.placeOf(place);
    const from = Math.max((at ?? -1) + 1, this.#count - limit);
    const alerts: Alert[] = [];
    for (let index = from; index < this.#count; index++) alerts.push(this.#slot(index).alert);
    return { alerts, complete: at !== undefined, leftOff: from - ((at ?? -1) + 1) };
  }

  /** The place of the alert of that id or number, 0 the oldest; undefined where it is not held. */
  placeOf(place: string): number | undefined {
    const [, time, number] = PLACE.exec(place) ?? [];
    if (number === undefined) return undefined;
    const sequence = Number(number);
    for (let index = this.#count - 1; index >= 0; index--) {
      const { alert } = this.#slot(index);
      if (alert.sequence !== sequence) continue;
      if (time === undefined ? sequence > 0 : place === alertId(alert)) return index;
    }
    return undefined;
  }

  /** The alert at a place. */
  at(place: number): HeldAlert {
    return this.#slot(place);
  }

  #slot(index: number): Slot {
    return this.#slots[(this.#first + index) % this.#limits.alerts]!;
  }

  #shift(): void {
    const slot = this.#slot(0);
    this.#chars -= charsOf(slot.alert);
    this.#strip(slot);
    this.#slots[this.#first] = undefined;
    this.#first = (this.#first + 1) % this.#limits.alerts;
    this.#count--;
    if (this.#bare > 0) this.#bare--;
    this.#givenWay++;
  }

  /** Whether there was one. */
  #strip(slot: Slot): boolean {
    const { dossier } = slot;
    if (dossier === undefined || dossier === "gone" || !("moment" in dossier)) return false;
    this.#dossiers--;
    this.#dossierChars -= dossier.moment.length;
    slot.dossier = "gone";
    return true;
  }
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
