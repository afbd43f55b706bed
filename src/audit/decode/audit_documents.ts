// What is in one document: an audit event, a list of them, an array of such. Comes out as entries
// of the document's tape with their times; what is no audit event is counted and left out.
import { readTime } from "./go_time.ts";
import { JsonTape, Kind } from "./json_tape.ts";
import { isString, stringOf } from "./json_value.ts";

/** An event as the document has it. */
export interface FoundEvent {
  readonly entry: number;
  readonly seconds: number;
  readonly nanoseconds: number;
}

export class AuditDocument {
  readonly tape = new JsonTape();
  /** The last document's events, and what in it was none. */
  readonly events: FoundEvent[] = [];
  malformed = 0;
  /** Why the first of the malformed is none. */
  reason: string | undefined;
  readonly #moment = { seconds: 0, nanoseconds: 0 };

  /** Reads what stands between two offsets. */
  read(bytes: Uint8Array, from: number, to: number): void {
    this.events.length = 0;
    this.malformed = 0;
    this.reason = undefined;
    const { tape } = this;
    if (!tape.read(bytes, from, to)) return this.#refuse(tape.error);
    if (!this.#take(0)) {
      // One part that is nothing known makes a whole array nothing.
      this.events.length = 0;
      this.malformed = 0;
      this.reason = undefined;
      this.#refuse("it is no audit event: expected kind Event, or EventList with items");
    }
  }

  /** False where the value is neither an event nor events. */
  #take(entry: number): boolean {
    const { tape } = this;
    if (tape.kinds[entry] === Kind.Array) {
      const end = tape.nexts[entry]!;
      for (let at = entry + 1; at < end; at = tape.nexts[at]!) if (!this.#take(at)) return false;
      return true;
    }
    const kind = tape.get(entry, "kind");
    if (isString(tape, kind, "Event")) {
      this.#event(entry);
      return true;
    }
    const items = isString(tape, kind, "EventList") ? tape.get(entry, "items") : -1;
    if (items < 0 || tape.kinds[items] !== Kind.Array) return false;
    const end = tape.nexts[items]!;
    for (let at = items + 1; at < end; at = tape.nexts[at]!) this.#event(at);
    return end > items + 1;
  }

  #event(entry: number): void {
    const { tape } = this;
    const stamp = tape.get(entry, "stageTimestamp");
    if (stamp < 0) return this.#refuse("an event has no stageTimestamp");
    if (tape.kinds[stamp] !== Kind.String || !this.#readTime(stamp)) {
      return this.#refuse("stageTimestamp is no time: expected RFC 3339");
    }
    this.events.push({ entry, ...this.#moment });
  }

  #readTime(stamp: number): boolean {
    const text = stringOf(this.tape, stamp);
    return readTime(text, 0, text.length, this.#moment);
  }

  #refuse(reason: string): void {
    this.malformed++;
    this.reason ??= reason;
  }
}
