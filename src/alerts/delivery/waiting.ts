// Alerts that wait in memory in front of one output, in order and bounded. Where there are more,
// the least important give way; among equals those of the rule that floods, so that one noisy rule
// does not push out what others tell. Sources take turns where not all can go at once, so that a
// flood of audit events holds up no alert on a system call.
import type { Alert } from "../../engine/contract/alert.ts";
import { PRIORITY_NAMES } from "../../rules/priority.ts";

export class Waiting {
  readonly #capacity: number;
  readonly #onDropped: (alert: Alert) => void;
  #alerts: Alert[] = [];
  /** How many wait, by priority and by rule. */
  readonly #byPriority: number[] = PRIORITY_NAMES.map(() => 0);
  readonly #byRule = new Map<string, number>();
  readonly #bySource = new Map<string, number>();

  constructor(capacity: number, onDropped: (alert: Alert) => void) {
    this.#capacity = capacity;
    this.#onDropped = onDropped;
  }

  get length(): number {
    return this.#alerts.length;
  }

  /** Takes the alert, or drops it or another one. */
  offer(alert: Alert): void {
    if (this.#alerts.length >= this.#capacity) {
      const victim = this.#lessImportant(alert) ?? this.#ofNoisiest(alert);
      if (victim === undefined) return this.#onDropped(alert);
      const [dropped] = this.#alerts.splice(victim, 1);
      this.#count(dropped!, -1);
      this.#onDropped(dropped!);
    }
    this.#alerts.push(alert);
    this.#count(alert, 1);
  }

  /** The first ones, of each source as many; they wait no more. */
  take(count: number): Alert[] {
    const taken = this.#alerts.length <= count || this.#bySource.size === 1
      ? this.#alerts.splice(0, count)
      : this.#takeInTurn(count);
    for (const alert of taken) this.#count(alert, -1);
    return taken;
  }

  #takeInTurn(count: number): Alert[] {
    const room = shares(this.#bySource, count);
    const taken: Alert[] = [];
    this.#alerts = this.#alerts.filter((alert) => {
      const left = room.get(alert.source)!;
      if (left === 0) return true;
      room.set(alert.source, left - 1);
      taken.push(alert);
      return false;
    });
    return taken;
  }

  /** Puts back what was taken, in front; where there is no room for it, its end gives way. */
  putBack(alerts: readonly Alert[]): void {
    const room = Math.max(0, this.#capacity - this.#alerts.length);
    const kept = alerts.slice(0, room);
    this.#alerts.unshift(...kept);
    for (const alert of kept) this.#count(alert, 1);
    for (const alert of alerts.slice(room)) this.#onDropped(alert);
  }

  /** Place of the latest of the least important alerts, if they are less so than the given one. */
  #lessImportant({ priority }: Alert): number | undefined {
    for (let least = this.#byPriority.length - 1; least > priority; least--) {
      if (this.#byPriority[least]! > 0) {
        return this.#alerts.findLastIndex((one) => one.priority === least);
      }
    }
    return undefined;
  }

  /** Place of the latest alert of the rule with the most, if that has far more than this one's. */
  #ofNoisiest({ rule, priority }: Alert): number | undefined {
    let noisiest = rule;
    let most = 2 * (this.#byRule.get(rule) ?? 0) + 1;
    for (const [name, count] of this.#byRule) if (count > most) [noisiest, most] = [name, count];
    if (noisiest === rule) return undefined;
    const at = this.#alerts.findLastIndex((one) => one.rule === noisiest);
    return this.#alerts[at]!.priority >= priority ? at : undefined;
  }

  #count({ rule, priority, source }: Alert, change: 1 | -1): void {
    this.#byPriority[priority] = this.#byPriority[priority]! + change;
    add(this.#byRule, rule, change);
    add(this.#bySource, source, change);
  }
}

function add(counts: Map<string, number>, name: string, change: 1 | -1): void {
  const count = (counts.get(name) ?? 0) + change;
  if (count === 0) counts.delete(name);
  else counts.set(name, count);
}

/** How many of each may go: what one does not need is for the others. */
function shares(waiting: ReadonlyMap<string, number>, count: number): Map<string, number> {
  const shares = new Map<string, number>();
  let left = count;
  let others = waiting.size;
  for (const [name, wanted] of [...waiting].sort(([, one], [, other]) => one - other)) {
    const share = Math.min(wanted, Math.floor(left / others--));
    shares.set(name, share);
    left -= share;
  }
  return shares;
}
