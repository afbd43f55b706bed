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
import { liveStart } from "../start/engine_start.ts";
import type { Flags } from "../flags.ts";
import { loadConfig } from "../start/load_config.ts";
import type { Terminal } from "../terminal.ts";
import { SAKER_VERSION } from "../start/versions.ts";

type Verdict = "ok" | "missing" | "note";

interface Finding {
  readonly verdict: Verdict;
  readonly text: string;
}

/** Prints the findings; exit code 1 where saker could not watch this host. */
export function doctor(flags: Flags, terminal: Terminal): number {
  const { config } = loadConfig(flags, terminal);
  const live = liveStart(config, navigator.hardwareConcurrency, "");
  terminal.out(`saker ${SAKER_VERSION} on Linux ${Deno.osRelease()}, ${Deno.build.arch}\n`);
  let healthy = true;
  for (const finding of [...hostFindings(), ...probeFindings(live)]) {
    if (finding.verdict === "missing") healthy = false;
    terminal.out(`${mark(finding.verdict, terminal.colour)} ${finding.text}\n`);
  }
  return healthy ? 0 : 1;
}

function mark(verdict: Verdict, colour: boolean): string {
  const [text, code] = verdict === "ok"
    ? ["ok     ", 32]
    : verdict === "missing"
    ? ["MISSING", 31]
    : ["note   ", 33];
  return colour ? `\x1b[${code}m${text}\x1b[0m` : text;
}

function hostFindings(): Finding[] {
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

function probeFindings(live: LiveStart): Finding[] {
  let addon: Addon;
  try {
    addon = loadAddon();
  } catch (error) {
    return [{ verdict: "missing", text: (error as Error).message }];
  }
  const { codes } = interestOf({
    eventNames: new Set(),
    customSet: [],
    repair: false,
    all: false,
  });
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
    return [
      {
        verdict: attached === plan.length ? "ok" : "missing",
        text: `${attached} of ${plan.length} probe programs attached, in ${ms} ms`,
      },
      ...plan.map((program): Finding => ({
        verdict: program.attached ? "ok" : "missing",
        text:
          `  ${program.name}: ${program.kind} ${program.target} (${program.events.join(", ")})` +
          (program.reason === "" ? "" : `: ${program.reason}`),
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
