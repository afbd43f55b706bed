// The audit event that fields are asked of: the JSON that a plugin event carries, read once for all
// that ask.
import { JsonTape, Kind } from "../../audit/decode/json_tape.ts";
import type { Context } from "../../state/contract/context.ts";
import { rawText } from "../../words/raw_text.ts";

/** Parameter of plugin events. */
const DATA = 1;

export class AuditAtHand {
  readonly #tape = new JsonTape();
  #bytes: Uint8Array | undefined;
  #offset = -1;
  #num = -1;
  #sound = false;
  #isAudit = false;

  /** The event's JSON, whose root is entry 0; undefined where it is none. */
  json({ event }: Context): JsonTape | undefined {
    if (event.num !== this.#num || event.offset !== this.#offset || event.bytes !== this.#bytes) {
      this.#num = event.num;
      this.#offset = event.offset;
      this.#bytes = event.bytes;
      this.#read(event.bytes.subarray(event.param(DATA), event.end));
    }
    return this.#sound ? this.#tape : undefined;
  }

  /** The same of an event of the audit log: it has an id. */
  audit(context: Context): JsonTape | undefined {
    const tape = this.json(context);
    return this.#isAudit ? tape : undefined;
  }

  #read(bytes: Uint8Array): void {
    const tape = this.#tape;
    const text = rawText(bytes);
    this.#sound = tape.read(text, 0, text.length) && tape.kinds[0]! <= Kind.Array;
    this.#isAudit = this.#sound && tape.get(0, "auditID") >= 0;
  }
}
