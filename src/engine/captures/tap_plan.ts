// What a start message says of writing captures → which events that needs, and the tap that does
// it. A run either records or lets alerts start captures: recording has everything already.
import { EVENTS } from "../../events/table.ts";
import { DescriptorReserve } from "../../files/reserve.ts";
import type { RuleSet } from "../../rules/rule_set.ts";
import type { Context } from "../../state/contract/context.ts";
import type { MachineHost } from "../../state/contract/machine_host.ts";
import { compileFilter } from "./compile_filter.ts";
import type { Counters } from "../contract/counters.ts";
import type { EngineStart, RecordStart } from "../contract/messages.ts";
import { Recorder } from "./recorder.ts";
import { RuleCapture } from "./rule_capture.ts";
import type { Tap, TapHost } from "./tap.ts";

export interface TapPlan {
  /** Names of events that are wanted besides those of the rules. */
  readonly eventNames: ReadonlySet<string>;
  /** Whether data that flows is recorded too, where its events are wanted. */
  readonly all: boolean;
  attach(parts: TapParts): Attached;
}

export interface TapParts {
  readonly machine: MachineHost;
  readonly context: Context;
  readonly counters: Counters;
  readonly notice: (line: string) => void;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

export interface Attached {
  /** The rules that the engine is to be given for these. */
  rules(rules: RuleSet): RuleSet;
  tap(host: TapHost): Tap;
}

/** Undefined where nothing is written. Throws an error of one line for a bad filter. */
export function planTap(start: EngineStart): TapPlan | undefined {
  if (start.record !== undefined) return planRecord(start.record, start);
  const { captures } = start;
  if (captures === undefined) return undefined;
  return {
    eventNames: new Set(),
    all: false,
    attach: (parts) => ({
      rules: (rules) => rules,
      tap: (host) =>
        new RuleCapture({
          ...parts,
          host,
          options: captures,
          isReplay: start.source.kind === "capture",
          reserve: new DescriptorReserve(),
        }),
    }),
  };
}

function planRecord(record: RecordStart, { baseSyscalls }: EngineStart): TapPlan {
  const filter = record.filter === undefined ? undefined : compileFilter(record.filter);
  return {
    eventNames: filter?.eventNames ?? (isChosen(baseSyscalls.customSet) ? NONE : CALL_NAMES),
    all: true,
    attach({ machine, counters, clock }) {
      const recorder = new Recorder({ options: record, machine, counters, clock });
      return {
        rules: (rules) => filter === undefined ? rules : recorder.rules(filter, rules),
        tap: () => recorder,
      };
    },
  };
}

const NONE: ReadonlySet<string> = new Set();

/** Whether somebody said which calls are to be recorded, not only which are not. */
function isChosen(customSet: readonly string[]): boolean {
  return customSet.some((name) => !name.startsWith("!"));
}

/** Without a filter every system call is recorded; what the scheduler and the memory do is not. */
const CALL_NAMES: ReadonlySet<string> = new Set(
  EVENTS.filter((event) => event.kind.includes("syscall")).map((event) => event.name),
);
