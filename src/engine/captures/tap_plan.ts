// What a start message says of writing captures → which events that needs, and the tap that does
// it. A run either records or lets alerts start captures: recording has everything already.
import { EVENTS } from "../../events/table.ts";
import type { RuleSet } from "../../rules/rule_set.ts";
import type { Context } from "../../state/contract/context.ts";
import type { MachineHost } from "../../state/contract/machine_host.ts";
import { codeOf as codeOfError } from "../../files/reason.ts";
import { compileFilter, type Filter, type FilterScope } from "./compile_filter.ts";
import {
  type CaptureRulesStart,
  type EngineStart,
  isReplay,
  type RecordStart,
} from "../contract/messages.ts";
import { CaptureDisk, type CaptureDiskParts, HOW } from "./capture_disk.ts";
import { numbered, Recorder } from "./recorder.ts";
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
}

export type PlanParts = Pick<CaptureDiskParts, "addon" | "counters" | "notice" | "clock">;

export interface Attached {
  /** The rules that the engine is to be given for these. */
  rules(rules: RuleSet): RuleSet;
  tap(host: TapHost): Tap;
  /** What holds for captures of alerts from the next event on. */
  setCaptures?(options: CaptureRulesStart): void;
}

/**
 * Undefined where nothing is written. Throws an error of one line for a bad filter, and where a
 * recording would overwrite something.
 */
export function planTap(
  start: EngineStart,
  makeParts: () => PlanParts,
  scope: Pick<FilterScope, "source" | "hands">,
): TapPlan | undefined {
  const { record, captures } = start;
  if (record === undefined && captures === undefined) return undefined;
  const ofCapture = isReplay(start.source);
  const filter = record?.filter === undefined
    ? undefined
    : compileFilter(record.filter, { ...scope, plugins: start.rules.plugins });
  const parts = makeParts();
  const disk = new CaptureDisk({ ...parts, isReplay: ofCapture });
  if (record !== undefined) {
    if (record.force !== true) checkTarget(record, disk);
    return planRecord(record, { filter, disk, start, ...parts });
  }
  return {
    eventNames: new Set(),
    all: false,
    attach(attached) {
      let capture: RuleCapture | undefined;
      return {
        rules: (rules) => rules,
        tap: (host) =>
          capture = new RuleCapture({
            ...parts,
            ...attached,
            host,
            options: captures!,
            isReplay: ofCapture,
            disk,
          }),
        setCaptures: (options) => capture?.setOptions(options),
      };
    },
  };
}

/** A capture that took hours is not lost to a command that was typed twice. */
function checkTarget(record: RecordStart, disk: CaptureDisk): void {
  const { path, fileBytes, fileSeconds } = record;
  if (path === "-") return;
  const isRow = fileBytes !== undefined || fileSeconds !== undefined;
  disk.open(isRow ? numbered(path, 1) : path, HOW.look);
  disk.settle();
  const [failure] = disk.failures();
  if (failure === undefined) return;
  const { message } = failure.error;
  const isThere = codeOfError(failure.error.cause) === "EEXIST";
  throw new Error(isThere ? `${message}; --force overwrites it` : message);
}

interface RecordParts extends PlanParts {
  readonly filter: Filter | undefined;
  readonly disk: CaptureDisk;
  readonly start: EngineStart;
}

function planRecord(record: RecordStart, parts: RecordParts): TapPlan {
  const { filter, disk, start: { baseSyscalls }, counters, clock } = parts;
  return {
    eventNames: filter?.eventNames ?? (isChosen(baseSyscalls.customSet) ? NONE : CALL_NAMES),
    all: true,
    attach({ machine }) {
      const recorder = new Recorder({ options: record, machine, counters, clock, disk });
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
