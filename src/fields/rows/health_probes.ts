// Whether a process is one of those that a runtime or the kubelet runs in a container by itself: a
// health check, a liveness or a readiness probe; and what those commands are.
import type { Context } from "../../state/contract/context.ts";
import type { Container } from "../../state/tables/containers.ts";
import type { Thread } from "../../state/tables/thread.ts";
import { splitNul } from "../text/arguments_text.ts";

/** Under these keys the JSON of a container has them, as the container plugin writes them. */
export type ProbeKey = "Healthcheck" | "LivenessProbe" | "ReadinessProbe";

/** How far up a probe's own children are followed. */
const LEVELS_MAX = 16;

interface Command {
  readonly exe: string;
  readonly args: readonly string[];
}

function commandOf(container: Container, key: ProbeKey): Command | undefined {
  const probe = container.info?.[key];
  if (typeof probe !== "object" || probe === null) return undefined;
  const { exe, args } = probe as Record<string, unknown>;
  if (typeof exe !== "string" || !Array.isArray(args)) return undefined;
  return { exe, args: args.filter((one) => typeof one === "string") };
}

/** Whether any is known of the container. */
export function hasProbes({ info }: Container): boolean {
  return info?.["Healthcheck"] !== undefined || info?.["LivenessProbe"] !== undefined ||
    info?.["ReadinessProbe"] !== undefined;
}

/** The command as one text; undefined where there is none. */
export function probeText(container: Container, key: ProbeKey): string | undefined {
  const command = commandOf(container, key);
  return command && [command.exe, ...command.args].join(" ");
}

/** Whether the thread's process is that command, or comes from it. */
export function isProbe(
  { machine }: Context,
  thread: Thread,
  container: Container,
  key: ProbeKey,
): boolean {
  const command = commandOf(container, key);
  if (command === undefined) return false;
  for (let level = 0; level < LEVELS_MAX; level++) {
    const process = machine.ancestorOf(thread, level);
    if (process === undefined || process.containerId !== thread.containerId) return false;
    if (machine.strings.text(process.exe) !== command.exe) continue;
    const own = splitNul(process.args);
    if (own.length === command.args.length && own.every((one, at) => one === command.args[at])) {
      return true;
    }
  }
  return false;
}
