// One run over audit events of Kubernetes: the files or the queue opened, plugins whose fields can
// be asked of them, then the loop.
import type { AuditPiece } from "../../audit/contract.ts";
import { AuditFileInput } from "../../audit/read/file_input.ts";
import { QueueInput } from "../../audit/read/queue_input.ts";
import { AuditSource } from "../../audit/read/audit_source.ts";
import type { Counters } from "../contract/counters.ts";
import type { AuditStart, EngineStart } from "../contract/messages.ts";
import { type Addon, loadAddon } from "../host/addon.ts";
import { openExtractors } from "./extractors.ts";
import { PluginReport } from "./plugin_report.ts";
import { pluginEventsOf, PluginThreads } from "./plugin_threads.ts";
import { once, type Post, type Run } from "./run_parts.ts";
import { noticeTo, startSourceRun } from "./source_run.ts";

/** What is no audit event is told so often at the most; all of it is counted. */
const TOLD_MS = 10_000;

export function startAuditRun(start: EngineStart, counters: Counters, post: Post): Run {
  const wanted = start.source as AuditStart;
  const notice = noticeTo(post);
  const queue = wanted.files === undefined ? queueOf(counters, post) : undefined;
  const source = new AuditSource(queue ?? new AuditFileInput(wanted.files!), {
    eventBytesMax: wanted.eventBytesMax,
    onMalformed: seldom(Date.now, (reason, more) => {
      const besides = more === 0 ? "" : ` (and ${more} more since the last such line)`;
      notice(`Warning: k8s_audit: passed over what is no audit event: ${reason}${besides}`);
    }),
  });
  const addon = once<Addon>(loadAddon);
  const { tables } = new PluginThreads(addon);
  const hands = openExtractors(start, source.source, addon, tables);
  const plugins = pluginEventsOf(start, hands, source.source);
  const report = new PluginReport(source.source, { hands, events: plugins }, post);
  const run = startSourceRun(start, counters, post, {
    source,
    hands,
    plugins,
    prepare: (context) => context.documents = source,
    perSecond: () => report.look(),
  });
  return {
    ...run,
    offer: (number: number, piece: AuditPiece) => queue?.put(number, piece),
    close(): void {
      run.close();
      for (const { port } of hands.values()) port.close();
    },
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
