// What `saker doctor` says of the container runtimes: which were found, by which socket, what each
// answers, or why not. A configuration comes in, findings go out.
import type { RuntimeState } from "../../../bindings-rs/runtimes.d.ts";
import type { Config } from "../../config/schema.ts";
import { type Addon, loadAddon } from "../../engine/host/addon.ts";
import { containersStart, knownContainers } from "../start/containers_start.ts";

/** A socket that is there and does not answer within this is said to hang. */
const PATIENCE_MS = 2_500;
const POLL_MS = 20;
const ABSENT = "is not there";

export interface RuntimeFinding {
  readonly verdict: "ok" | "note";
  readonly text: string;
  readonly detail?: true;
}

/** Asks the runtimes that a watch would ask, as long as one of them has not answered. */
export async function runtimeFindings(
  config: Config,
  hostRoot: string,
): Promise<RuntimeFinding[]> {
  const { sockets, labelMaxLen, withSize } = containersStart(config);
  if (sockets.length === 0) {
    const { all } = knownContainers(config);
    const why = all === undefined
      ? "all engines are off"
      : `engines.static says that all processes are in container ${all.id}`;
    return [{ verdict: "note", text: `no container runtime is asked: ${why}` }];
  }
  let addon: Addon;
  try {
    addon = loadAddon();
  } catch {
    // The probe's findings tell of it.
    return [];
  }
  const runtimes = addon.Runtimes.start({
    ...{ hostRoot, sockets, labelMaxLen, withSize },
    patienceMs: PATIENCE_MS,
  });
  const untilMs = performance.now() + PATIENCE_MS;
  let states = runtimes.state();
  while (performance.now() < untilMs && !isSettled(states, sockets)) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    states = runtimes.state();
  }
  const there = states.filter(({ trouble, up }) => up || trouble !== ABSENT);
  const findings = there.map(findingOf);
  const absent = states.filter(({ trouble }) => trouble === ABSENT);
  const none: RuntimeFinding[] = there.length > 0 ? [] : [{
    verdict: "note",
    text: "no container runtime was found: alerts of containers show their ids alone",
  }];
  return [
    ...findings,
    ...none,
    ...absent.map(({ kind, path }): RuntimeFinding => ({
      verdict: "ok",
      detail: true,
      text: `  ${kind}: ${path} ${ABSENT}`,
    })),
  ];
}

function findingOf({ kind, path, up, version, follows, trouble }: RuntimeState): RuntimeFinding {
  if (up) {
    const how = follows ? "its events are followed" : "it is asked, as it tells no events";
    return { verdict: "ok", text: `${version} answers on ${path} (${kind}); ${how}` };
  }
  // One socket may be asked for two APIs, of which it has one.
  const why = trouble === "" ? `did not answer within ${PATIENCE_MS} ms` : trouble;
  return { verdict: "note", text: `${kind}: ${path} ${why}` };
}

function isSettled(
  states: readonly RuntimeState[],
  sockets: readonly { readonly path: string }[],
): boolean {
  const named = sockets.filter(({ path }) => !path.includes("*")).length;
  if (states.length < named) return false;
  return states.every(({ up, follows, kind, trouble }) =>
    trouble !== "" || (up && (follows || kind === "cri"))
  );
}
