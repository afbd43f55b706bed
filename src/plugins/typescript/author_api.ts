// The module "saker/plugin" as plugins see it while they run; plugins/saker-plugin.d.ts has its
// types.

export const AUTHOR_MODULE = "saker/plugin";

/** An event with a time of its own. */
export class TimedEvent {
  readonly time: unknown;
  readonly data: unknown;

  constructor(time: unknown, data: unknown) {
    this.time = time;
    this.data = data;
  }
}

export const AUTHOR_API = Object.freeze({
  at: (time: unknown, data: unknown): TimedEvent => new TimedEvent(time, data),
  defineSource: (source: unknown): unknown => source,
  /** Fields alone, or with the sources that they are for. */
  defineFields(given: Record<string, unknown>): unknown {
    const isWhole = typeof given === "object" && given !== null &&
      typeof given.fields === "object" && given.fields !== null && !("type" in given.fields);
    return isWhole ? given : { fields: given };
  },
});
