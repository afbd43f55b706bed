// What is in documents: an audit event, a list of them, an array of such. Comes out as entries of
// their tape with their times; what is no audit event is counted and left out.
import { bytesOf } from "../../words/raw_text.ts";
import { readTime } from "./go_time.ts";
import { JsonTape, Kind } from "./json_tape.ts";
import { isString, stringOf } from "./json_value.ts";

/** An event as its document has it. */
export interface FoundEvent {
  readonly entry: number;
  /** Whether there are blanks in its document. */
  readonly spaced: boolean;
  readonly seconds: number;
  readonly nanoseconds: number;
}

export class AuditDocuments {
  readonly tape = new JsonTape();
  /** Of all documents since `begin`. */
  readonly events: FoundEvent[] = [];
  /** What in the last document was no event. */
  malformed = 0;
  /** Why the first of the malformed is none. */
  reason: string | undefined;
  readonly #moment = { seconds: 0, nanoseconds: 0 };

  /** Forgets all documents: others are in these bytes. */
  begin(bytes: Uint8Array): void {
    this.tape.begin(bytes);
    this.events.length = 0;
  }

  /** Reads one more document, which stands between two offsets. */
  read(from: number, to: number): void {
    this.#readEntry(this.tape.append(from, to));
  }

  /** The same of a line, which ends by `to` at the latest; where the next one begins. */
  readLine(from: number, to: number): number {
    this.#readEntry(this.tape.appendLine(from, to));
    return this.tape.lineEnd + 1;
  }

  #readEntry(entry: number): void {
    this.malformed = 0;
    this.reason = undefined;
    const { tape, events } = this;
    if (entry < 0) return this.#refuse(tape.error);
    const before = events.length;
    if (this.#take(entry)) return;
    // One part that is nothing known makes a whole array nothing.
    events.length = before;
    this.malformed = 0;
    this.reason = undefined;
    this.#refuse("it is no audit event: expected kind Event, or EventList with items");
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
    const { seconds, nanoseconds } = this.#moment;
    this.events.push({ entry, spaced: tape.spaced, seconds, nanoseconds });
  }

  #readTime(stamp: number): boolean {
    const { tape } = this;
    if (tape.escapes[stamp] === 0) {
      return readTime(tape.bytes, tape.starts[stamp]!, tape.ends[stamp]!, this.#moment);
    }
    const text = bytesOf(stringOf(tape, stamp));
    return readTime(text, 0, text.length, this.#moment);
  }

  #refuse(reason: string): void {
    this.malformed++;
    this.reason ??= reason;
  }
}
