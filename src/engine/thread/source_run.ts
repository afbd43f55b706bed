// One run over events of a source besides system calls: rules of that source compiled, then the
// same loop, over a machine that knows nothing.
import { Event } from "../../events/event.ts";
import type { EventSource } from "../../events/source.ts";
import type { Hands } from "../../plugins/field_sets.ts";
import type { PluginEvents } from "../../plugins/plugin_events.ts";
import type { RuleSet } from "../../rules/rule_set.ts";
import { Context } from "../../state/contract/context.ts";
import { createMachine } from "../../state/create_machine.ts";
import { type CompiledRules, compileRules } from "../compile_rules.ts";
import { Counter, type Counters } from "../contract/counters.ts";
import {
  type EngineSettings,
  type EngineStart,
  isReplay,
  type NoticeLevel,
  type RulesStart,
} from "../contract/messages.ts";
import { planTap } from "../captures/tap_plan.ts";
import type { Addon } from "../host/addon.ts";
import { driverErrorLine } from "../host/driver_error.ts";
import { Engine } from "../loop/loop.ts";
import { HeapWatch } from "./garbage.ts";
import { levelOf, packingTo, type Post, resumeEngine, type Run } from "./run_parts.ts";
import { tallyOf, tellHeap } from "./tally.ts";

export interface RunSource {
  readonly source: EventSource & {
    progress?(): { readonly read: number; readonly total: number } | undefined;
  };
  /** Plugins that run on this thread. */
  readonly hands?: Hands;
  /** Hands the context what fields ask besides the event. */
  readonly prepare?: (context: Context) => void;
  readonly perSecond?: () => void;
  /** What plugins do with the events besides giving values. */
  readonly plugins?: PluginEvents | undefined;
  /** Where its events may be recorded. */
  readonly recordWith?: () => Addon;
}

export type Notice = (line: string, level?: NoticeLevel) => void;

export function noticeTo(post: Post): Notice {
  return (line, level = levelOf(line)) => post({ kind: "notice", line, level });
}

export function startSourceRun(
  start: EngineStart,
  counters: Counters,
  post: Post,
  { source, hands, prepare, perSecond, plugins, recordWith }: RunSource,
): Run {
  const compile = (rules: RulesStart) => compileRules(rules, undefined, hands);
  const rulesOf = (compiled: CompiledRules) => compiled.rulesOf(source.source);
  const first = compile(start.rules);
  const clock = () => Date.now();
  const notice = noticeTo(post);
  const machine = createMachine({ ...start.machine, threadsMax: 1, fdsMax: 1 });
  if (plugins !== undefined) machine.dumpsToo = () => plugins.dump();
  const heap = new HeapWatch();
  const context = new Context(machine, new Event());
  prepare?.(context);
  const attached = recordWith && planTap(
    start,
    () => ({ addon: recordWith(), counters, notice, clock }),
    { source: source.source, hands },
  )?.attach({ machine, context });
  const tapped = (rules: RuleSet) => attached?.rules(rules) ?? rules;
  const engine = new Engine({
    source,
    machine,
    context,
    rules: tapped(rulesOf(first)),
    counters,
    post: packingTo(post),
    dossiers: start.dossiers,
    upkeep: () => {
      heap.look();
      tellHeap(counters);
    },
    ...(perSecond === undefined ? {} : { perSecond }),
    ...(plugins === undefined ? {} : { plugins }),
    ...(attached === undefined ? {} : { tap: (host) => attached.tap(host) }),
    onMistake: (line) => notice(`Warning: ${line}`),
    onLoss: (line, level) => notice(line, level),
    clock,
    tally: tallyOf(start, post),
    options: {
      // Nothing is lost between such a source and the rules without its being told there.
      drops: { ...start.drops, alert: false, exit: false, simulate: false },
      // A plugin waits with its events; those of a live audit log or webhook go on coming.
      patient: isReplay(start.source) || start.source.kind === "plugin",
      seconds: start.seconds,
      programsWanted: () => 0,
      progress: () => source.progress?.(),
    },
  });
  plugins?.begin();
  engine.readStats(clock());
  counters.set(Counter.HeartbeatMs, clock());
  counters.set(Counter.StartedMs, clock());
  engine.tellTallies();
  post({ kind: "ready", warnings: first.warnings, dead: first.dead, refused: [] });
  return {
    resume: () => resumeEngine(engine),
    reload(next: RulesStart, settings: EngineSettings): void {
      try {
        const compiled = compile(next);
        engine.setRules(tapped(rulesOf(compiled)));
        engine.setDossiers(settings.dossiers);
        if (settings.captures !== undefined) attached?.setCaptures?.(settings.captures);
        counters.set(Counter.ReloadedMs, clock());
        post({
          kind: "reloaded",
          warnings: compiled.warnings,
          dead: compiled.dead,
          refused: [],
        });
      } catch (failure) {
        post({ kind: "refused", error: driverErrorLine(failure) });
      }
    },
    close(): void {
      plugins?.end();
      source.close();
    },
  };
}
