// `saker doctor`: what saker needs of this host, whether it is there, and whether the probe really
// sees: a process is started and its event waited for.
import type { Addon } from "../../engine/host/addon.ts";
import { embeddedFile, loadAddon } from "../../engine/host/addon.ts";
import { driverErrorLine } from "../../engine/host/driver_error.ts";
import { interestOf } from "../../engine/host/interest.ts";
import type { LiveStart } from "../../engine/contract/messages.ts";
import { BlockWalk, Step } from "../../events/blocks.ts";
import { Event } from "../../events/event.ts";
import { EVENTS } from "../../events/table.ts";
import { type CompiledRules, compileRules } from "../../engine/compile_rules.ts";
import { refusedEvents } from "../../engine/host/refused.ts";
import type { Config } from "../../config/schema.ts";
import { liveStart, rulesStart } from "../start/engine_start.ts";
import type { Flags } from "../flags.ts";
import { loadConfig } from "../start/load_config.ts";
import type { Terminal } from "../terminal.ts";
import { SAKER_VERSION } from "../start/versions.ts";

type Verdict = "ok" | "missing" | "note";

interface Finding {
  readonly verdict: Verdict;
  readonly text: string;
  /** Of one program: told where it is amiss, or where somebody wants to know. */
  readonly detail?: true;
}

/**
 * Prints what is well in one line and what is not in one each, or everything with --verbose; exit
 * code 1 where saker could not watch this host.
 */
export function doctor(flags: Flags, terminal: Terminal): number {
  const { config } = loadConfig(flags, terminal);
  const hostRoot = terminal.environment("HOST_ROOT") ?? "";
  const live = liveStart(config, navigator.hardwareConcurrency, hostRoot);
  const findings = [...hostFindings(hostRoot), ...probeFindings(live, config, flags)];
  const isWell = findings.every(({ verdict }) => verdict !== "missing");
  const host = `saker ${SAKER_VERSION} on Linux ${Deno.osRelease()}, ${Deno.build.arch}`;
  if (config.json_output) {
    terminal.out(`${JSON.stringify({ host, well: isWell, findings })}\n`);
    return isWell ? 0 : 1;
  }
  terminal.out(`${host}\n`);
  const shown = findings.filter(({ verdict, detail }) =>
    flags.verbose === true || (verdict !== "ok" && !(detail && isWell))
  );
  const well = findings.filter(({ verdict, detail }) => verdict === "ok" && !detail);
  const lines: Finding[] = flags.verbose === true || well.length === 0
    ? shown
    : [{ verdict: "ok", text: well.map(({ text }) => text).join("; ") }, ...shown];
  for (const { verdict, text } of lines) {
    terminal.paint(mark(verdict, terminal.colour));
    terminal.out(` ${text}\n`);
  }
  return isWell ? 0 : 1;
}

function mark(verdict: Verdict, colour: boolean): string {
  const [text, code] = verdict === "ok"
    ? ["ok     ", 32]
    : verdict === "missing"
    ? ["MISSING", 31]
    : ["note   ", 33];
  return colour ? `\x1b[${code}m${text}\x1b[0m` : text;
}

function hostFindings(hostRoot: string): Finding[] {
  const root = Deno.uid() === 0;
  const btf = exists("/sys/kernel/btf/vmlinux");
  const tracefs = exists("/sys/kernel/tracing/events");
  return [
    root
      ? { verdict: "ok", text: "runs as root" }
      : { verdict: "missing", text: "does not run as root: use sudo" },
    btf ? { verdict: "ok", text: "the kernel describes its types (/sys/kernel/btf/vmlinux)" } : {
      verdict: "missing",
      text: "no /sys/kernel/btf/vmlinux: the kernel lacks CONFIG_DEBUG_INFO_BTF",
    },
    tracefs
      ? { verdict: "ok", text: "tracefs is mounted at /sys/kernel/tracing" }
      : { verdict: "note", text: "tracefs is not mounted at /sys/kernel/tracing" },
    exists(`${hostRoot}/proc/1/status`)
      ? { verdict: "ok", text: `processes are shown in ${hostRoot}/proc` }
      : {
        verdict: "missing",
        text: `no ${hostRoot}/proc/1: mount /proc` +
          (hostRoot === "" ? "" : ", or set HOST_ROOT to where the host's root is"),
      },
  ];
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

function probeFindings(live: LiveStart, config: Config, flags: Flags): Finding[] {
  let addon: Addon;
  try {
    addon = loadAddon();
  } catch (error) {
    return [{ verdict: "missing", text: (error as Error).message }];
  }
  let codes: ReadonlySet<number>;
  let compiled: CompiledRules;
  try {
    // The same events, and so the same programs, as a watch with this configuration.
    const { custom_set, repair, all } = config.base_syscalls;
    compiled = compileRules(rulesStart(config, flags));
    const { eventNames, namedEvents } = compiled.rules;
    ({ codes } = interestOf({
      eventNames,
      ...(namedEvents === undefined ? {} : { namedEvents }),
      customSet: custom_set,
      repair,
      all,
    }));
  } catch (error) {
    return [{ verdict: "missing", text: (error as Error).message }];
  }
  const startedAt = performance.now();
  let driver: ReturnType<Addon["Driver"]["open"]>;
  try {
    driver = addon.Driver.open({
      probe: embeddedFile("probe.o"),
      interest: Uint16Array.from(codes),
      criticalRingBytes: live.criticalRingBytes,
      bulkRingBytes: live.bulkRingBytes,
      snaplen: live.snaplen,
      dropFailed: live.dropFailed,
      selfPid: Deno.pid,
    });
  } catch (error) {
    return [{ verdict: "missing", text: driverErrorLine(error) }];
  }
  const ms = Math.round(performance.now() - startedAt);
  try {
    const plan = driver.plan();
    const attached = plan.filter((program) => program.attached).length;
    const seen = seesProcess(driver);
    const dead = [...compiled.dead, ...compiled.deadWithout(refusedEvents(driver))];
    return [
      {
        verdict: attached === plan.length ? "ok" : "missing",
        text: `${attached} of ${plan.length} probe programs attached, in ${ms} ms`,
      },
      ...plan.map((program): Finding => ({
        detail: true,
        verdict: program.attached ? "ok" : "missing",
        text:
          `  ${program.name}: ${program.kind} ${program.target} (${program.events.join(", ")})` +
          (program.reason === "" ? "" : `: ${program.reason}`),
      })),
      ...dead.map(({ rule, reason }): Finding => ({
        verdict: "note",
        text: `rule "${rule}": ${reason}`,
      })),
      seen
        ? { verdict: "ok", text: "a process that was started now was seen" }
        : { verdict: "missing", text: "a process that was started now was not seen" },
    ];
  } finally {
    driver.close();
  }
}

const SEEN_MS = 2_000;

/** Starts a process that does nothing and waits for the event of its start. */
function seesProcess(driver: ReturnType<Addon["Driver"]["open"]>): boolean {
  const { pid } = new Deno.Command("/proc/self/exe", { args: ["--version"], stdout: "null" })
    .spawn();
  const event = new Event();
  const walk = new BlockWalk(event);
  const buffer = new Uint8Array(1 << 20);
  const untilMs = performance.now() + SEEN_MS;
  while (performance.now() < untilMs) {
    driver.wait(50);
    walk.begin(buffer, driver.drain(buffer));
    for (let step = walk.next(); step !== Step.End; step = walk.next()) {
      if (step === Step.Event && event.tid === pid && EVENTS[event.code]!.name === "execve") {
        return true;
      }
    }
  }
  return false;
}
