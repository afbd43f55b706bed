// What a thread had its plugins do, counted.

export interface PluginWork {
  /** Questions for the values of a field, each of one event or of many. */
  readonly questions: number;
  /** Events that they were about: an event counts once for each field. */
  readonly asked: number;
  /** Events of others that it was handed to parse. */
  readonly parsed: number;
  /** Asynchronous events that it sent, and that are in the stream. */
  readonly sent: number;
}

/** Of one plugin; numbers rise only. */
export class WorkCount implements PluginWork {
  questions = 0;
  asked = 0;
  parsed = 0;
  sent = 0;

  /** A field was asked of so many events. */
  question(events: number): void {
    this.questions++;
    this.asked += events;
  }
}
