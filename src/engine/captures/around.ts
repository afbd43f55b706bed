// The events around one event of a capture: a file comes in, rows for a person go out. It is read
// twice: once to find the event, once with the tables, so that only few events become text.
import { BlockWalk, Step } from "../../events/blocks.ts";
import { Event } from "../../events/event.ts";
import { CaptureSource } from "../../events/scap/capture.ts";
import { CaptureError } from "../../events/scap/capture_error.ts";
import { NEW_SNAPSHOT } from "../../events/source.ts";
import { FieldSet } from "../../fields/field_set.ts";
import { asShown, shownValue, valueText } from "../../fields/render.ts";
import type { BufferFormat } from "../../fields/text/params.ts";
import { Context } from "../../state/contract/context.ts";
import type { MachineHost, MachineOptions } from "../../state/contract/machine_host.ts";
import { createMachine } from "../../state/create_machine.ts";
import type { Around, AroundAsked, EventAround } from "../contract/around.ts";

/** So many events before the alert's, and as many behind it. */
export const EVENTS_AROUND = 20;
/** Bytes of the file, as they lie there, that are read at the most. */
const FILE_BYTES_MAX = 256 << 20;
/** Events behind the alert's among which those of its process are looked for. */
const BEHIND_MAX = 200_000;
/** Characters of an event's arguments. */
const ARGUMENTS_MAX = 2_000;
const BATCH_BYTES = 1 << 20;

export interface AroundOptions {
  readonly machine: MachineOptions;
  readonly bufferFormat: BufferFormat;
  /** Bytes of the file that are read at the most. */
  readonly bytesMax?: number;
}

/** Never throws on what is in the file or where it is. */
export function eventsAround(asked: AroundAsked, options: AroundOptions): Around {
  try {
    return around(asked, options);
  } catch (error) {
    if (error instanceof CaptureError) return { error: error.reason };
    throw error;
  }
}

function around(asked: AroundAsked, options: AroundOptions): Around {
  const { bytesMax = FILE_BYTES_MAX } = options;
  const event = new Event();
  let found: Found | undefined;
  const first = walk(asked.file, { event, bytesMax }, () => {
    if (event.time() !== asked.time || event.stateOnly) return false;
    found = { number: event.num, tid: event.tid };
    return true;
  });
  if (found === undefined) return { error: notFound(first) };
  const rows = new Rows(createMachine(options.machine), options.bufferFormat, asked.pid, found);
  const second = walk(asked.file, { event: rows.event, machine: rows.machine, bytesMax }, () => {
    return rows.take();
  });
  return { ...rows.told(), remarks: remarksOf(second) };
}

/** Why a walk ended. */
type End = "taken" | "end" | "cut short" | "bound" | { readonly damage: string };

function notFound(end: End): string {
  if (end === "bound") return "the alert's event is further behind in it than is read";
  if (typeof end === "object") return `the alert's event is not before its damage: ${end.damage}`;
  return "the alert's event is not in it: it may still be being written, or another file has its " +
    "name by now";
}

function remarksOf(end: End): string[] {
  if (end === "end" || end === "taken") return [];
  if (end === "cut short") {
    return ["The capture ends in the middle of a block: it may still be being written."];
  }
  if (end === "bound") return ["Events further behind in the capture were not looked at."];
  return [`The capture cannot be read further: ${end.damage}.`];
}

/** Where the alert's event is, and whose. */
interface Found {
  readonly number: number;
  readonly tid: number;
}

interface Walked {
  readonly event: Event;
  readonly machine?: MachineHost;
  readonly bytesMax: number;
}

/** Moves the cursor from event to event until `take` says that it has what it wants. Throws
 * CaptureError where the file cannot be opened or is no capture. */
function walk(file: string, walked: Walked, take: () => boolean): End {
  const { event, machine, bytesMax } = walked;
  const source = new CaptureSource([file]);
  const buffer = new Uint8Array(BATCH_BYTES);
  const blocks = new BlockWalk(event);
  let events = 0;
  /** Whether `take` has enough. */
  const over = (bytes: Uint8Array, length: number): boolean => {
    blocks.begin(bytes, length);
    for (let step = blocks.next(); step !== Step.End; step = blocks.next()) {
      if (step === Step.State) machine?.load(blocks.type, bytes, blocks.start, blocks.end);
      if (step !== Step.Event) continue;
      event.num = ++events;
      if (take()) return true;
    }
    return false;
  };
  try {
    for (;;) {
      const length = source.read(buffer);
      if (length === NEW_SNAPSHOT) {
        const state = source.snapshot();
        if (over(state, state.length)) return "taken";
      } else if (length < 0) return "end";
      else if (over(buffer, length)) return "taken";
      if (source.progress().read > bytesMax) return "bound";
    }
  } catch (error) {
    if (!(error instanceof CaptureError)) throw error;
    return error.reason === "it is cut short" ? "cut short" : { damage: error.reason };
  } finally {
    source.close();
  }
}

/** The nearest events of the alert's process, and of all. */
class Rows {
  readonly machine: MachineHost;
  readonly event = new Event();
  readonly #context: Context;
  readonly #text: (name: string) => string;
  readonly #found: Found;
  readonly #pid: number | undefined;
  readonly #ofProcess: EventAround[] = [];
  readonly #ofAll: EventAround[] = [];
  #behind = 0;
  #behindOfProcess = 0;

  constructor(
    machine: MachineHost,
    bufferFormat: BufferFormat,
    pid: number | undefined,
    found: Found,
  ) {
    this.machine = machine;
    this.#context = new Context(machine, this.event);
    this.#text = textsOf(this.#context, bufferFormat);
    this.#found = found;
    this.#pid = pid;
  }

  told() {
    return { ofProcess: this.#ofProcess, ofAll: this.#ofAll };
  }

  /** Whether no more is wanted. */
  take(): boolean {
    const { event, machine } = this;
    machine.apply(this.#context);
    if (event.stateOnly) return false;
    const pid = this.#context.thread?.pid;
    const distance = event.num - this.#found.number;
    const isOfProcess = event.tid === this.#found.tid || (pid !== undefined && pid === this.#pid);
    const isNear = distance >= -EVENTS_AROUND && this.#behind < EVENTS_AROUND;
    if (isNear || (isOfProcess && this.#behindOfProcess < EVENTS_AROUND)) {
      const row = this.#row(pid, distance === 0);
      if (isNear) this.#ofAll.push(row);
      if (isOfProcess) this.#ofProcess.push(row);
      // Before the alert's, the nearest push out those further away.
      if (distance < 0 && this.#ofProcess.length > EVENTS_AROUND) this.#ofProcess.shift();
      if (distance > 0 && isNear) this.#behind++;
      if (distance > 0 && isOfProcess) this.#behindOfProcess++;
    }
    return distance >= BEHIND_MAX ||
      (this.#behind >= EVENTS_AROUND && this.#behindOfProcess >= EVENTS_AROUND);
  }

  #row(pid: number | undefined, isAlerts: boolean): EventAround {
    const { event } = this;
    const { thread } = this.#context;
    const args = this.#text("evt.args");
    return {
      number: event.num,
      time: event.time(),
      ...(pid === undefined ? {} : { pid }),
      ...(thread === undefined ? {} : { tid: thread.tid }),
      name: thread === undefined ? "" : this.#text("proc.name"),
      type: this.#text("evt.type"),
      args: args.length <= ARGUMENTS_MAX ? args : `${args.slice(0, ARGUMENTS_MAX)}…`,
      isAlerts,
    };
  }
}

/** Fields as messages show them. */
function textsOf(context: Context, bufferFormat: BufferFormat): (name: string) => string {
  const fields = new FieldSet({ zone: "utc", bufferFormat });
  const bounds = new Map(
    ["evt.args", "evt.type", "proc.name"].map((name) => {
      const resolved = fields.resolve(name);
      if ("error" in resolved) throw new Error(resolved.error);
      return [name, resolved.bound];
    }),
  );
  return (name) => {
    const bound = bounds.get(name)!;
    return asShown(context, () => valueText(bound, shownValue(bound, context)));
  };
}
