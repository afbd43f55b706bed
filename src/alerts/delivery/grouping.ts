// Repeats of alerts as one: the first of a rule and key goes on at once, those that follow within
// the window are counted; at its end the last of them goes on and says for how many it stands.
import type { Alert, Repeats } from "../../engine/contract/alert.ts";
import { valueJson } from "../format/format.ts";

export interface GroupingOptions {
  readonly windowMs: number;
  /** Fields of outputs that must be equal. */
  readonly fields: readonly string[];
  /** Beyond it alerts go on by themselves. */
  readonly groupsMax: number;
  /** Milliseconds since the epoch; absent where time is what the alerts say, as in a replay. */
  readonly now?: () => number;
}

interface Group {
  /** Of the alert that went on by itself. */
  readonly begun: bigint;
  repeats: Repeats | undefined;
  last: Alert;
}

/** How often it is looked for windows that have ended while no alert comes. */
const LOOK_MS = 500;
const NS_PER_MS = 1_000_000n;

export class Grouping {
  readonly #options: GroupingOptions;
  readonly #windowNs: bigint;
  /** In the order of their beginning. */
  readonly #groups = new Map<string, Group>();
  #timer: number | undefined;
  #send: (alerts: readonly Alert[]) => void = () => {};
  #ungrouped = 0;

  constructor(options: GroupingOptions) {
    this.#options = options;
    this.#windowNs = BigInt(options.windowMs) * NS_PER_MS;
  }

  /** Alerts that went on by themselves since there were too many groups. */
  get ungrouped(): number {
    return this.#ungrouped;
  }

  /** `send` gets what goes on when no alert comes that could take it along. */
  start(send: (alerts: readonly Alert[]) => void): void {
    this.#send = send;
    const { now } = this.#options;
    if (now === undefined) return;
    this.#timer = setInterval(() => {
      const ended = this.#ended(BigInt(now()) * NS_PER_MS);
      if (ended.length > 0) send(ended);
    }, LOOK_MS);
  }

  /** What goes on of these alerts, and before them of windows that have ended. */
  take(alerts: readonly Alert[]): readonly Alert[] {
    return alerts.flatMap((alert) => [...this.#ended(alert.time), ...this.#one(alert)]);
  }

  /** All windows end now. */
  end(): void {
    clearInterval(this.#timer);
    const ended = [...this.#groups.values()].flatMap(standing);
    this.#groups.clear();
    if (ended.length > 0) this.#send(ended);
  }

  #one(alert: Alert): readonly Alert[] {
    // Those of saker itself are few, and each tells something else.
    if (alert.tags === undefined) return [alert];
    const key = this.#keyOf(alert);
    const group = this.#groups.get(key);
    if (group === undefined) {
      if (this.#groups.size >= this.#options.groupsMax) this.#ungrouped++;
      else this.#groups.set(key, { begun: alert.time, repeats: undefined, last: alert });
      return [alert];
    }
    const { count, first } = group.repeats ?? { count: 0, first: alert.time };
    group.repeats = { count: count + 1, first, last: alert.time };
    group.last = alert;
    return [];
  }

  #keyOf({ rule, outputFields }: Alert): string {
    const values = this.#options.fields.map((name) => {
      const field = outputFields.find(([one]) => one === name);
      return field === undefined ? "" : valueJson(field[1]);
    });
    return [rule, ...values].join("\0");
  }

  /** Takes out the groups whose window has ended, oldest first. */
  #ended(now: bigint): Alert[] {
    const ended: Alert[] = [];
    for (const [key, group] of this.#groups) {
      if (now - group.begun < this.#windowNs) break;
      this.#groups.delete(key);
      ended.push(...standing(group));
    }
    return ended;
  }
}

function standing({ last, repeats }: Group): Alert[] {
  return repeats === undefined ? [] : [{ ...last, repeats }];
}
