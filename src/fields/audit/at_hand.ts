// The audit event that fields are asked of: the JSON that a plugin event carries, read once for all
// that ask.
import { JsonTape, Kind } from "../../audit/decode/json_tape.ts";
import type { Event } from "../../events/event.ts";
import type { Context } from "../../state/contract/context.ts";
import type { Value } from "../row/field.ts";

/** Parameter of plugin events. */
const DATA = 1;

export type ReadTape = (tape: JsonTape) => Value;

export class AuditAtHand {
  /** For events that nobody has read before. */
  #own: JsonTape | undefined;
  #tape: JsonTape | undefined;
  #bytes: Uint8Array | undefined;
  #offset = -1;
  #num = -1;
  #isAudit = false;
  /** How many events were at hand, the present one included: what was read of it holds as long as
   * this stays. */
  #event = 0;

  /** A reader of events of the audit log; it reads each once, however often it is asked. */
  ofAudit(read: ReadTape): (context: Context) => Value {
    return this.#once((context) => this.audit(context), read);
  }

  /** The same of any JSON. */
  ofJson(read: ReadTape): (context: Context) => Value {
    return this.#once((context) => this.json(context), read);
  }

  #once(
    tapeOf: (context: Context) => JsonTape | undefined,
    read: ReadTape,
  ): (context: Context) => Value {
    // Conditions ask, then the text of an alert, then its fields.
    const kept: { event: number; value: Value } = { event: 0, value: undefined };
    return (context) => {
      const tape = tapeOf(context);
      if (tape === undefined) return undefined;
      if (kept.event !== this.#event) {
        kept.value = read(tape);
        kept.event = this.#event;
      }
      return kept.value;
    };
  }

  /** The event's JSON, from the tape's root on; undefined where it is none. */
  json(context: Context): JsonTape | undefined {
    const { event } = context;
    if (event.num !== this.#num || event.offset !== this.#offset || event.bytes !== this.#bytes) {
      this.#num = event.num;
      this.#offset = event.offset;
      this.#bytes = event.bytes;
      this.#event++;
      const tape = this.#tape = context.documents?.find(event) ?? this.#read(event);
      this.#isAudit = tape !== undefined && tape.get(tape.root, "auditID") >= 0;
    }
    return this.#tape;
  }

  /** The same of an event of the audit log: it has an id. */
  audit(context: Context): JsonTape | undefined {
    const tape = this.json(context);
    return this.#isAudit ? tape : undefined;
  }

  #read(event: Event): JsonTape | undefined {
    const tape = this.#own ??= new JsonTape();
    const isSound = tape.read(event.bytes, event.param(DATA), event.end);
    return isSound && tape.kinds[0]! <= Kind.Array ? tape : undefined;
  }
}
