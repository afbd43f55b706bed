// Who has read the JSON of an event already: so that it is not read once more for its fields.
import type { Event } from "../../events/event.ts";
import type { JsonTape } from "./json_tape.ts";

export interface Documents {
  /** The document with the event as its root; undefined where it is not at hand. */
  find(event: Event): JsonTape | undefined;
}
