// `saker doctor`: what saker needs of this host, whether it is there, and whether the probe really
// sees: a process is started and its event waited for.
import type { AttachedProgram } from "../../../bindings-rs/index.d.ts";
import type { Addon } from "../../engine/host/addon.ts";
import { loadAddon } from "../../engine/host/addon.ts";
import { driverErrorLine } from "../../engine/host/driver_error.ts";
import { interestOf } from "../../engine/host/interest.ts";
import { openDriver } from "../../engine/host/open_driver.ts";
import type { LiveStart, RulesStart } from "../../engine/contract/messages.ts";
import { BlockWalk, Step } from "../../events/blocks.ts";
import { Event } from "../../events/event.ts";
import { EVENTS } from "../../events/table.ts";
import { type CompiledRules, compileRules } from "../../engine/compile_rules.ts";
import { refusedEvents, refusedPrograms } from "../../engine/host/refused.ts";
import { type Config, driverOf } from "../../config/schema.ts";
import { loadedModule } from "../../kmod/loaded.ts";
import { driverFinding } from "../start/driver_findings.ts";
import { liveStart, rulesStart } from "../start/engine_start.ts";
import { type Finding, hostFindings, type HostView, type Verdict } from "../start/host_findings.ts";
import type { Flags } from "../flags.ts";
import { moduleHost } from "../start/kernel_module.ts";
import { keptRights, thisView } from "../start/privileges.ts";
import { loadConfig } from "../start/load_config.ts";
import { infosOf } from "../start/loaded_plugins.ts";
import { loadPlugins } from "../start/plugins_start.ts";
import type { PluginInfo } from "../../plugins/contract.ts";
import { laidOut } from "../print/laid_out.ts";
import type { Terminal } from "../terminal.ts";
import { clusterFindings } from "./doctor_cluster.ts";
import { natsFindings } from "./doctor_nats.ts";
import { outlook } from "./driver_status.ts";
import { runtimeFindings } from "./doctor_runtimes.ts";
import { SAKER_VERSION } from "../start/versions.ts";

export interface DoctorFlags extends Flags {
  readonly json?: boolean;
}

/**
 * Prints what is well in one line and what is not in one each, or everything with --verbose; exit
 * code 1 where saker could not watch this host.
 */
export async function doctor(flags: DoctorFlags, terminal: Terminal): Promise<number> {
  const { config } = loadConfig(flags, terminal);
  const hostRoot = terminal.environment("HOST_ROOT") ?? "";
  const live = liveStart(config, navigator.hardwareConcurrency, hostRoot);
  const plugins = await pluginFindings(config);
  const rules = () => rulesStart(config, flags, plugins.infos);
  const { programs, findings: ofProbe } = probeFindings(live, config, rules);
  const ofHost = hostFindings(thisHost(), hostRoot);
  const findings = [
    ...ofHost,
    ...ofProbe,
    driversOf(config, ofHost, terminal),
    ...plugins.findings,
    rightsFinding(config),
    ...await runtimeFindings(config, hostRoot),
    ...await clusterFindings(config, terminal.environment),
    ...await natsFindings(config),
  ];
  const isWell = findings.every(({ verdict }) => verdict !== "missing");
  const host = `saker ${SAKER_VERSION} on Linux ${Deno.osRelease()}, ${Deno.build.arch}`;
  if (flags.json === true || config.json_output) {
    terminal.out(`${JSON.stringify({ host, well: isWell, findings, programs })}\n`);
    return isWell ? 0 : 1;
  }
  const print = laidOut(terminal, { hang: MARK, tones: TONES });
  print(`${host}\n`);
  const isVerbose = flags.verbose === true;
  const shown = findings.filter(({ verdict }) => isVerbose || verdict !== "ok");
  const well = findings.filter(({ verdict, detail }) => verdict === "ok" && !detail);
  const lines: Finding[] = isVerbose || well.length === 0
    ? shown
    : [{ verdict: "ok", text: well.map(({ text }) => text).join("; ") }, ...shown];
  for (const { verdict, text, advice } of lines) {
    print(`${MARKS[verdict]} ${text}${advice === undefined ? "" : `: ${advice}`}\n`);
  }
  return isWell ? 0 : 1;
}

/** What the host lacks, the probe lacks: all of it is for the probe. */
function driversOf(config: Config, ofHost: readonly Finding[], terminal: Terminal): Finding {
  const missing = ofHost.find(({ verdict }) => verdict === "missing");
  const host = moduleHost(terminal);
  const loaded = loadedModule(host.root) !== undefined;
  return driverFinding({
    asked: driverOf(config.engine.kind),
    withoutProbe: missing?.text,
    module: { loaded, ...loaded ? {} : outlook(host) },
  });
}

const MARKS: Readonly<Record<Verdict, string>> = {
  ok: "ok     ",
  missing: "MISSING",
  note: "note   ",
};
const MARK = /^(?:(?:ok|note|MISSING) +)?/;
const TONES = { ok: "good", MISSING: "bad", note: "odd" } as const;

function rightsFinding(config: Config): Finding {
  const rights = keptRights(config, thisView());
  if (typeof rights === "string") {
    return { verdict: "note", text: `a watch keeps all of its capabilities: ${rights}` };
  }
  return {
    verdict: "ok",
    text: `a watch keeps ${rights.names.join(", ")} once it has started`,
  };
}

function thisHost(): HostView {
  const tried = <T>(act: () => T): T | undefined => {
    try {
      return act();
    } catch {
      return undefined;
    }
  };
  return {
    release: Deno.osRelease(),
    arch: Deno.build.arch,
    read: (path) => tried(() => Deno.readTextFileSync(path)),
    exists: (path) => tried(() => Deno.statSync(path)) !== undefined,
    link: (path) => tried(() => Deno.readLinkSync(path)),
  };
}

/** Plugins that are no parts of saker: each is loaded, as a watch would. */
async function pluginFindings(
  config: Config,
): Promise<{ readonly findings: readonly Finding[]; readonly infos: readonly PluginInfo[] }> {
  try {
    const infos = infosOf(await loadPlugins(config));
    const findings = infos.map(({ name, version }): Finding => ({
      verdict: "ok",
      text: `plugin ${name} ${version} can be loaded`,
    }));
    return { findings, infos };
  } catch (error) {
    return { findings: [{ verdict: "missing", text: (error as Error).message }], infos: [] };
  }
}

interface ProbeFindings {
  readonly findings: readonly Finding[];
  readonly programs: readonly AttachedProgram[];
}

function amiss(text: string, advice?: string): ProbeFindings {
  const finding = { verdict: "missing", text, ...advice === undefined ? {} : { advice } } as const;
  return { findings: [finding], programs: [] };
}

function probeFindings(live: LiveStart, config: Config, rules: () => RulesStart): ProbeFindings {
  let addon: Addon;
  try {
    addon = loadAddon();
  } catch (error) {
    return amiss((error as Error).message);
  }
  let codes: ReadonlySet<number>;
  let compiled: CompiledRules;
  try {
    // The same events, and so the same programs, as a watch with this configuration.
    const { custom_set, repair, all } = config.base_syscalls;
    compiled = compileRules(rules());
    const { eventNames, namedEvents } = compiled.rules;
    ({ codes } = interestOf({
      eventNames,
      ...(namedEvents === undefined ? {} : { namedEvents }),
      customSet: custom_set,
      repair,
      all,
    }));
  } catch (error) {
    return amiss((error as Error).message);
  }
  const startedAt = performance.now();
  let driver: ReturnType<Addon["Driver"]["open"]>;
  try {
    driver = openDriver(addon, live, codes);
  } catch (error) {
    const advice = live.driver === "kmod" ? "saker driver status tells more" : undefined;
    return amiss(driverErrorLine(error), advice);
  }
  const ms = Math.round(performance.now() - startedAt);
  try {
    const programs = driver.plan();
    const refused = refusedPrograms(driver);
    const attached = programs.filter((program) => program.attached).length;
    const isSeeing = seesProcess(driver);
    const dead = [...compiled.dead, ...compiled.deadWithout(refusedEvents(refused))];
    const findings: Finding[] = [
      {
        verdict: attached + refused.length === programs.length ? "ok" : "missing",
        text: live.driver === "kmod"
          ? `the kernel module answers, in ${ms} ms`
          : `${attached} of ${programs.length} probe programs attached, in ${ms} ms`,
      },
      ...programs.map((program) => programFinding(program)),
      ...dead.map(({ rule, reason }): Finding => ({
        verdict: "note",
        text: `rule "${rule}": ${reason}`,
      })),
      isSeeing
        ? { verdict: "ok", text: "a process that was started now was seen" }
        : { verdict: "missing", text: "a process that was started now was not seen" },
    ];
    return { findings, programs };
  } finally {
    driver.close();
  }
}

function programFinding({ name, kind, target, events, reason, refused }: AttachedProgram): Finding {
  const told = `${name}: ${kind} ${target} (${events.join(", ")})`;
  if (reason === "") return { detail: true, verdict: "ok", text: `  ${told}` };
  if (!refused) return { detail: true, verdict: "missing", text: `  ${told}: ${reason}` };
  const unseen = events.length === 0 ? "events lack what it adds" : "these events are not seen";
  return {
    detail: true,
    verdict: "note",
    text: `  ${told}: this kernel refuses it, ${unseen}: ${reason}`,
    advice: "report it with this kernel's version; all else works",
  };
}

/** A busy machine takes its time. */
const SEEN_MS = 5_000;

/** Starts a process that does nothing and waits for the event of its start. */
function seesProcess(driver: ReturnType<Addon["Driver"]["open"]>): boolean {
  const { pid } = new Deno.Command("/proc/self/exe", { args: ["--version"], stdout: "null" })
    .spawn();
  const event = new Event();
  const walk = new BlockWalk(event);
  const buffer = new Uint8Array(1 << 20);
  const silent = new Uint32Array(1);
  const untilMs = performance.now() + SEEN_MS;
  while (performance.now() < untilMs) {
    driver.wait(50, silent);
    walk.begin(buffer, driver.drain(buffer));
    for (let step = walk.next(); step !== Step.End; step = walk.next()) {
      if (step === Step.Event && event.tid === pid && EVENTS[event.code]!.name === "execve") {
        return true;
      }
    }
  }
  return false;
}
