// One run of the engine from its start message: rules compiled, source opened, tables loaded,
// then the loop. Everything that the loop is given is made here.
import type { EventSource } from "../../events/source.ts";
import { Event } from "../../events/event.ts";
import { CaptureSource, type Progress, type Scan } from "../../events/scap/capture.ts";
import { CURRENT_COUNTS } from "../../events/scap/convert.ts";
import { LiveSource } from "../../events/live_source.ts";
import { NoSource } from "../../events/no_source.ts";
import type { RuleSet } from "../../rules/rule_set.ts";
import { Context } from "../../state/contract/context.ts";
import { createMachine } from "../../state/create_machine.ts";
import type { MachineHost } from "../../state/contract/machine_host.ts";
import { accountsOf } from "../host/accounts.ts";
import { type Addon, loadAddon } from "../host/addon.ts";
import { type CompiledRules, compileRules } from "../compile_rules.ts";
import { COMMAND_STARTS, Counter, type Counters } from "../contract/counters.ts";
import { driverErrorLine } from "../host/driver_error.ts";
import { liveContainers } from "./containers.ts";
import { collectGarbage, HeapWatch } from "./garbage.ts";
import { type Interest, interestOf, interestWarnings } from "../host/interest.ts";
import { openDriver } from "../host/open_driver.ts";
import { ownPid } from "../host/own_pid.ts";
import { raisePriority } from "../host/priority.ts";
import { shrinking } from "../host/privileges.ts";
import { refusedEvents, refusedPrograms } from "../host/refused.ts";
import { Engine } from "../loop/loop.ts";
import { SetAside } from "../loop/set_aside.ts";
import type {
  BaseSyscalls,
  DeadRule,
  EngineSettings,
  EngineStart,
  LiveStart,
  RefusedProgram,
  RulesStart,
  RuntimesTold,
} from "../contract/messages.ts";
import { type LiveSieve, PARAM_COUNTS, PID_PARAMS, USED_PARAMS } from "../../sieve/sieve.ts";
import type { ToldSieve } from "../loop/sieved_walk.ts";
import { openSumChannel, ProgramSums } from "../sums/program_sums.ts";
import { everyNow, once, packingTo, type Post, resumeEngine, type Run } from "./run_parts.ts";
import { type Notice, noticeTo } from "./source_run.ts";
import { openSyscallPlugins, readsCalls } from "./extractors.ts";
import { type EventNeeds, neededEvents, pluginEventsOf, PluginThreads } from "./plugin_threads.ts";
import { PluginReport } from "./plugin_report.ts";
import { tallyOf, tellHeap } from "./tally.ts";
import { planTap } from "../captures/tap_plan.ts";

/** Makes everything ready; throws where the source cannot be opened or the rules are not sound. */
export function startRun(start: EngineStart, counters: Counters, post: Post): Run {
  const addon = once<Addon>(loadAddon);
  const threads = new PluginThreads(addon);
  const { hands, raw } = openSyscallPlugins(start, addon, threads.tables);
  const plugins = pluginEventsOf(start, hands, "syscall");
  const report = new PluginReport("syscall", { hands, events: plugins }, post);
  const first = compileRules(start.rules, undefined, hands);
  const { rules, fdsOrdered, sumsWanted } = first;
  const clock = () => Date.now();
  const notice = noticeTo(post);
  const plan = planTap(start, () => ({ addon: addon(), counters, notice, clock }), {
    source: "syscall",
    hands,
  });
  const needs = neededEvents(plan, plugins);
  const opened = openSource(start, { rules, needs, raw, counters }, addon, notice);
  const lookups = { ...opened.lookups, onLighten: collectGarbage };
  const machine = createMachine({ ...start.machine, fdsOrdered, ...lookups });
  threads.bind(machine);
  if (plugins !== undefined) machine.dumpsToo = () => plugins.dump();
  const context = new Context(machine, new Event());
  const sums = programSums(start, machine);
  context.hashes = sumsWanted ? sums : undefined;
  const attached = plan?.attach({ machine, context });
  const heap = new HeapWatch();
  const release = everyNow(RELEASE_MS, () => opened.release?.());
  const isSieved = needs === undefined && !readsCalls(hands);
  const sieve = isSieved ? captureSieve(start, first.sieve, addon) : undefined;
  if (sieve !== undefined) opened.scanWith?.((...piece) => sieve.sieve.scan(...piece));
  const toldOf = (runtimes: RuntimesTold) => post({ kind: "runtimes", runtimes });
  const begun = () => opened.source.lookAtRoots?.();
  const runtimes = liveContainers(start.source, addon, machine, counters, toldOf, begun);
  const engine = new Engine({
    ...runtimes,
    ...(plugins === undefined ? {} : { plugins }),
    source: opened.source,
    machine,
    context,
    rules: attached?.rules(rules) ?? rules,
    counters,
    post: packingTo(post),
    dossiers: start.dossiers,
    perSecond: () => report.look(),
    upkeep: () => {
      heap.look();
      tellHeap(counters);
      release(clock());
    },
    onMistake: (line) => notice(`Warning: ${line}`),
    onLost: (entry) => post({ kind: "lost", entry }),
    onLoss: (line, level) => notice(level === "warning" ? `Warning: ${line}` : line, level),
    clock,
    ...(sieve === undefined ? {} : { sieve }),
    ...(attached === undefined ? {} : { tap: (host) => attached.tap(host) }),
    tally: tallyOf(start, post),
    options: {
      drops: start.drops,
      patient: start.source.kind === "capture",
      seconds: start.seconds,
      programsWanted: opened.programsWanted,
      ...(opened.progress === undefined ? {} : { progress: opened.progress }),
    },
  });
  // Live, the kernel keeps back what nobody can use.
  const asksKernel = start.source.kind === "live" && start.kernelSieve && isSieved;
  const live = sieveLive(opened.source, asksKernel ? first.liveSieve() : undefined);
  let { keepsOpens } = live;
  const nameFiles = ({ namedFiles }: CompiledRules) =>
    start.machine.paths === "both" ? filesNamed(opened.source, namedFiles()) : [];
  let { baseSyscalls } = start;
  const wanted = (of: RuleSet) => wantedCodes(baseSyscalls, of, needs);
  let recorded = wanted(rules).codes;
  const aside = start.source.kind === "live" ? new SetAside(opened.source) : undefined;
  engine.loadSnapshot();
  plugins?.begin();
  engine.readStats(Date.now());
  counters.set(Counter.HeartbeatMs, Date.now());
  counters.set(Counter.StartedMs, Date.now());
  const told = opened.interestWarnings(wanted(rules));
  engine.tellTallies();
  const refused = opened.refused();
  const deadHere = first.deadWithout(refusedEvents(refused));
  post({
    kind: "ready",
    warnings: [
      ...first.warnings,
      ...opened.warnings,
      ...live.warnings,
      ...nameFiles(first),
      ...told,
      ...deadHere.map(deadLine),
    ],
    dead: [...first.dead, ...deadHere],
    refused,
  });
  opened.settle?.();

  return {
    resume: () => resumeEngine(engine),
    reload(next: RulesStart, settings: EngineSettings): void {
      const before = baseSyscalls;
      try {
        // What comes while they are compiled is for the old rules.
        const compiled = compileRules(next, () => aside?.readOn(), hands);
        const rules = attached?.rules(compiled.rules) ?? compiled.rules;
        baseSyscalls = settings.baseSyscalls;
        const interest = wanted(compiled.rules);
        // Whatever fails does so before the rules change, and no rule is without its events.
        opened.source.setInterest(interest.codes.union(recorded));
        const liveSieve = asksKernel ? compiled.liveSieve() : undefined;
        aside?.readOn();
        for (const batch of aside?.take() ?? []) engine.takeAside(batch);
        machine.orderFds(compiled.fdsOrdered);
        if (sieve !== undefined) {
          const { threads, executions, ...lists } = compiled.sieve();
          sieve.threads.exchange(threads);
          sieve.executions.exchange(executions);
          sieve.sieve.exchange(lists);
        }
        const kept = keepsOpens;
        ({ keepsOpens } = sieveLive(opened.source, liveSieve));
        // What was opened and kept back until now, these rules may look at.
        if (keepsOpens && !kept) machine.completeDescriptors(opened.source.snapshot());
        engine.setRules(rules);
        engine.setDrops(settings.drops);
        engine.setDossiers(settings.dossiers);
        if (settings.captures !== undefined) attached?.setCaptures?.(settings.captures);
        context.hashes = compiled.sumsWanted ? sums : undefined;
        recorded = interest.codes;
        opened.source.setInterest(recorded);
        counters.set(Counter.ReloadedMs, Date.now());
        const refused = opened.refused();
        const deadHere = compiled.deadWithout(refusedEvents(refused));
        const told = [
          ...opened.interestWarnings(interest),
          ...nameFiles(compiled),
          ...deadHere.map(deadLine),
        ];
        post({
          kind: "reloaded",
          warnings: [...compiled.warnings, ...told],
          dead: [...compiled.dead, ...deadHere],
          refused,
        });
      } catch (failure) {
        baseSyscalls = before;
        for (const batch of aside?.take() ?? []) engine.takeAside(batch);
        post({ kind: "refused", error: driverErrorLine(failure) });
      }
    },
    close(): void {
      plugins?.end();
      sums?.close();
      opened.source.close();
      for (const { port } of hands.values()) port.close();
    },
  };
}

/** Returns what is to be told where this kernel cannot, and whether every open comes. */
function sieveLive(
  source: EventSource,
  sieve: LiveSieve | undefined,
): { readonly warnings: readonly string[]; readonly keepsOpens: boolean } {
  if (sieve === undefined) return { warnings: [], keepsOpens: true };
  const { table, keepsOpens } = sieve;
  try {
    source.setSieve?.(table, keepsOpens);
    return { warnings: [], keepsOpens };
  } catch (error) {
    const warning = `Warning: engine.kernel_sieve: ${(error as Error).message}`;
    return { warnings: [warning], keepsOpens: true };
  }
}

/** Has files known by their inodes; returns what is to be told where this kernel cannot. */
function filesNamed(source: EventSource, names: readonly string[]): readonly string[] {
  try {
    source.nameFiles?.(names);
    return [];
  } catch (error) {
    return [`Warning: links of files that rules name are not known: ${(error as Error).message}`];
  }
}

/** Over a capture, as long as every event is not needed for itself. */
function captureSieve(
  start: EngineStart,
  derive: CompiledRules["sieve"],
  addon: () => Addon,
): ToldSieve | undefined {
  const { source, drops, seconds } = start;
  if (source.kind !== "capture" || !start.sieve) return undefined;
  if (seconds !== undefined || drops.simulate === true) return undefined;
  const { isOpen, threads, executions, ...sieve } = derive();
  if (isOpen) return undefined;
  const params = { counts: PARAM_COUNTS, uses: USED_PARAMS, pids: PID_PARAMS };
  const options = { ...sieve, ...params, current: CURRENT_COUNTS };
  return { sieve: addon().CaptureSieve.make(options), threads, executions };
}

/** A capture's programs are not those of this machine. */
function programSums({ source }: EngineStart, machine: MachineHost): ProgramSums | undefined {
  if (source.kind !== "live") return undefined;
  return new ProgramSums(machine.strings, () => openSumChannel(source.hostRoot));
}

interface Opened {
  readonly source: EventSource;
  readonly programsWanted: () => number;
  readonly progress?: () => Progress;
  readonly scanWith?: (scan: Scan) => void;
  readonly warnings: readonly string[];
  /** What there is to say of events that are wanted and not recorded. */
  readonly interestWarnings: (interest: Interest) => string[];
  /** Programs that the kernel refused. */
  readonly refused: () => readonly RefusedProgram[];
  /** Once all is ready: gives back the memory that only the start needed. */
  readonly settle?: () => void;
  /** Gives back what the allocator keeps of memory that is free, and unchanged pages of files. */
  readonly release?: () => void;
  /** How the machine asks for what no event told. */
  readonly lookups: {
    readonly isAlive?: (tid: number) => boolean;
    readonly lookUp?: (tid: number) => Uint8Array;
    readonly accountsOf?: (containerId: string, pids: Iterable<number>) => Uint8Array | undefined;
  };
}

/** What a source is opened for, and where it is told of. */
interface Wanted {
  readonly rules: RuleSet;
  readonly needs: EventNeeds | undefined;
  readonly counters: Counters;
}

function openSource(
  start: EngineStart,
  { raw, ...wanted }: Wanted & { readonly raw: EventSource | undefined },
  loaded: () => Addon,
  notice: Notice,
): Opened {
  const { source: from } = start;
  if (from.kind === "live") return openLive(start, from, wanted, loaded(), notice);
  const plain = {
    programsWanted: () => 0,
    warnings: [],
    interestWarnings: () => [],
    refused: () => [],
    lookups: {},
  };
  if (from.kind === "raw" && raw !== undefined) {
    return { ...plain, source: raw, lookups: lookupsOf(loaded(), from.hostRoot) };
  }
  if (from.kind !== "capture") return { ...plain, source: new NoSource() };
  const source = new CaptureSource(from.files);
  return {
    ...plain,
    source,
    progress: () => source.progress(),
    scanWith: (scan) => source.scanWith(scan),
  };
}

function openLive(
  start: EngineStart,
  live: LiveStart,
  { rules, needs, counters }: Wanted,
  addon: Addon,
  notice: Notice,
): Opened {
  const interest = wantedCodes(start.baseSyscalls, rules, needs);
  // A command may run, and be sent signals, before its driver is here to be asked for its id.
  if (live.trace !== undefined) counters.set(Counter.CommandPid, COMMAND_STARTS);
  const driver = openDriver(addon, live, interest.codes);
  counters.set(Counter.CommandPid, driver.command());
  const source = new LiveSource({
    name: live.driver,
    driver,
    takeSnapshot: () => addon.snapshot(live.hostRoot, ownPid(live.hostRoot)),
    hostRoot: live.hostRoot,
    ...(live.trace === undefined ? {} : {
      onEnded(code): void {
        counters.set(Counter.CommandPid, 0);
        counters.set(Counter.CommandExit, code + 1);
      },
    }),
    ...(live.rights === undefined ? {} : {
      perSecond: shrinking({
        driver,
        keepCapabilities: (kept) => addon.keepCapabilities(kept),
        rights: live.rights,
        clock: () => Date.now(),
        told: notice,
      }),
    }),
  });
  return {
    source,
    programsWanted: () => source.programsWanted,
    warnings: raisePriority(addon, live.nice),
    interestWarnings,
    refused: () => refusedPrograms(driver),
    settle: () => {
      collectGarbage();
      addon.releaseStartMemory();
    },
    release: () => addon.releaseStartMemory(),
    lookups: lookupsOf(addon, live.hostRoot),
  };
}

/** Freed memory stays with the process otherwise, such as what a burst of new names took; it costs
 * some ten milliseconds. */
const RELEASE_MS = 60_000;

function deadLine({ rule, reason }: DeadRule): string {
  return `Warning: rule "${rule}" cannot match all that it names: ${reason}`;
}

function lookupsOf(addon: Addon, hostRoot: string): Opened["lookups"] {
  return {
    isAlive(tid: number): boolean {
      try {
        Deno.statSync(`${hostRoot}/proc/${tid}`);
        return true;
      } catch {
        return false;
      }
    },
    lookUp: (tid) => addon.snapshotProcess(hostRoot, tid),
    accountsOf: accountsOf((pid) => addon.snapshotAccounts(hostRoot, pid), Date.now),
  };
}

function wantedCodes(baseSyscalls: BaseSyscalls, rules: RuleSet, needs: EventNeeds | undefined) {
  return interestOf({
    ...baseSyscalls,
    eventNames: rules.eventNames.union(needs?.eventNames ?? new Set()),
    namedEvents: (rules.namedEvents ?? new Set()).union(needs?.namedEvents ?? new Set()),
    all: baseSyscalls.all || needs?.all === true,
  });
}
