// One run over audit events of Kubernetes: rules of their source compiled, the files or the queue
// opened, then the same loop as for system calls, over a machine that knows nothing.
import type { AuditPiece } from "../../audit/contract.ts";
import { AuditFileInput } from "../../audit/read/file_input.ts";
import { QueueInput } from "../../audit/read/queue_input.ts";
import { AuditSource } from "../../audit/read/audit_source.ts";
import { Event } from "../../events/event.ts";
import { Context } from "../../state/contract/context.ts";
import { createMachine } from "../../state/create_machine.ts";
import { compileRules } from "../compile_rules.ts";
import { Counter, type Counters } from "../contract/counters.ts";
import {
  type AuditStart,
  type EngineSettings,
  type EngineStart,
  isReplay,
  type NoticeLevel,
  type RulesStart,
} from "../contract/messages.ts";
import { driverErrorLine } from "../host/driver_error.ts";
import { packAlerts } from "../contract/packed_alerts.ts";
import { Engine } from "../loop/loop.ts";
import { HeapWatch } from "./garbage.ts";
import { levelOf, type Post, resumeEngine, type Run } from "./run_parts.ts";
import { tallyOf, tellHeap } from "./tally.ts";

/** What is no audit event is told so often at the most; all of it is counted. */
const TOLD_MS = 10_000;

export function startAuditRun(start: EngineStart, counters: Counters, post: Post): Run {
  const wanted = start.source as AuditStart;
  const { auditRules, warnings, dead } = compileRules(start.rules);
  const clock = () => Date.now();
  const notice = (line: string, level: NoticeLevel = levelOf(line)) =>
    post({ kind: "notice", line, level });
  const queue = wanted.files === undefined ? queueOf(counters, post) : undefined;
  const source = new AuditSource(queue ?? new AuditFileInput(wanted.files!), {
    eventBytesMax: wanted.eventBytesMax,
    onMalformed: seldom(clock, (reason, more) => {
      const besides = more === 0 ? "" : ` (and ${more} more since the last such line)`;
      notice(`Warning: k8s_audit: passed over what is no audit event: ${reason}${besides}`);
    }),
  });
  const machine = createMachine({ ...start.machine, threadsMax: 1, fdsMax: 1 });
  const heap = new HeapWatch();
  const context = new Context(machine, new Event());
  context.documents = source;
  const engine = new Engine({
    source,
    machine,
    context,
    rules: auditRules,
    counters,
    post: (alerts) => post({ kind: "alerts", alerts: packAlerts(alerts) }),
    upkeep: () => {
      heap.look();
      tellHeap(counters);
    },
    onMistake: (line) => notice(`Warning: ${line}`),
    onLoss: (line, level) => notice(line, level),
    clock,
    tally: tallyOf(start, post),
    options: {
      // Nothing is lost between a sink that says "busy" and the rules.
      drops: { ...start.drops, alert: false, exit: false, simulate: false },
      patient: isReplay(wanted),
      seconds: start.seconds,
      programsWanted: () => 0,
      progress: () => source.progress(),
    },
  });
  engine.readStats(clock());
  counters.set(Counter.HeartbeatMs, clock());
  counters.set(Counter.StartedMs, clock());
  engine.tellTallies();
  post({ kind: "ready", warnings, dead, refused: [] });
  return {
    resume: () => resumeEngine(engine),
    reload(next: RulesStart, _settings: EngineSettings): void {
      try {
        const compiled = compileRules(next);
        engine.setRules(compiled.auditRules);
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
    offer: (number: number, piece: AuditPiece) => queue?.put(number, piece),
    close: () => source.close(),
  };
}

function queueOf(counters: Counters, post: Post): QueueInput {
  return new QueueInput({
    onJudged: (number, verdict) => post({ kind: "verdict", number, verdict }),
    wait: (timeoutMs) => counters.sleep(timeoutMs),
  });
}

/** Tells the first, then how many there were, no more often than that. */
function seldom(
  clock: () => number,
  tell: (reason: string, more: number) => void,
): (reason: string) => void {
  let nextMs = 0;
  let untold = 0;
  return (reason) => {
    const nowMs = clock();
    if (nowMs < nextMs) return void untold++;
    nextMs = nowMs + TOLD_MS;
    tell(reason, untold);
    untold = 0;
  };
}
