// The audit event that fields are asked of: the JSON that a plugin event carries, read once for all
// that ask.
import { JsonTape, Kind } from "../../audit/decode/json_tape.ts";
import type { Event } from "../../events/event.ts";
import type { Context } from "../../state/contract/context.ts";

/** Parameter of plugin events. */
const DATA = 1;

export class AuditAtHand {
  /** For events that nobody has read before. */
  readonly #own = new JsonTape();
  #tape: JsonTape | undefined;
  #bytes: Uint8Array | undefined;
  #offset = -1;
  #num = -1;
  #isAudit = false;

  /** The event's JSON, from the tape's root on; undefined where it is none. */
  json(context: Context): JsonTape | undefined {
    const { event } = context;
    if (event.num !== this.#num || event.offset !== this.#offset || event.bytes !== this.#bytes) {
      this.#num = event.num;
      this.#offset = event.offset;
      this.#bytes = event.bytes;
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
    const tape = this.#own;
    const isSound = tape.read(event.bytes, event.param(DATA), event.end);
    return isSound && tape.kinds[0]! <= Kind.Array ? tape : undefined;
  }
}
