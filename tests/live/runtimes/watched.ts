// Saker with the sockets of a test's own runtimes, and rules that say what is known of the
// containers in which a test's programs run.
import { type Alert, eventually, Saker } from "../saker.ts";
import type { Place } from "../trigger.ts";
import { IMAGE } from "./image.ts";

const OUTPUT = "id=%container.id name=%container.name image=%container.image.repository:" +
  "%container.image.tag type=%container.type privileged=%container.privileged " +
  "team=%container.label[team] mounts=%container.mounts pod=%k8s.pod.name ns=%k8s.ns.name " +
  "labels=%k8s.pod.labels uid=%k8s.pod.uid full=%container.full_id line=%proc.cmdline";

/** By name what comes behind "an execution by this test's programs". */
const RULES: Readonly<Record<string, string>> = {
  "In a container": "container.id != host",
  "Privileged": "container.id != host and container.privileged=true",
  "Host's etc": "container.mount.source[/host/etc]=/etc and container.mount.dest[/etc]=/host/etc",
  "Not from here": `not container.image.repository in (${IMAGE.split(":")[0]}, docker.io/x)`,
  "Of red": "container.label[team]=red",
  "In pod": "k8s.pod.name startswith saker-pod",
};

export type Engine = "docker" | "podman" | "containerd" | "cri";

type Sockets = Partial<Record<Engine, readonly string[]>>;

/** Arguments of a saker that asks these sockets alone; `more`: other engines. */
export function asking(place: Place, sockets: Sockets, more: object = {}): string[] {
  const engines = Object.fromEntries(
    (["docker", "podman", "containerd", "cri"] as const).map((name) => {
      const own = sockets[name];
      return [name, own === undefined ? { enabled: false } : { enabled: true, sockets: own }];
    }),
  );
  const plugin = {
    ...{ name: "container", library_path: "libcontainer.so" },
    init_config: { label_max_len: 100, with_size: false, engines: { ...engines, ...more } },
  };
  const config = { plugins: [plugin], load_plugins: ["container"], json_output: true };
  Deno.writeTextFileSync(place.file("falco.yaml"), JSON.stringify(config));
  return ["-c", place.file("falco.yaml")];
}

/** Arguments for the rules above, on executions of `sh -c true MARK`. */
export function telling(place: Place): string[] {
  // The runtimes' own programs have the marker too.
  const execution = "evt.type in (execve, execveat) and " +
    `proc.cmdline startswith "sh -c true ${place.marker}"`;
  const rules = Object.entries(RULES).map(([rule, condition]) => ({
    rule,
    condition: `${execution} and (${condition})`,
    ...{ desc: rule, priority: "NOTICE", output: OUTPUT },
  }));
  Deno.writeTextFileSync(place.file("rules.yaml"), JSON.stringify(rules));
  return ["-r", place.file("rules.yaml"), "-o", "rule_matching=all"];
}

/** However busy the machine is, a runtime that knows a container has the time to tell of it. */
export const PATIENT = ["-o", "engine.container_wait=20000"];

/** Starts saker with these sockets alone, some of which may be of a runtime that is not there. */
export async function watch(
  place: Place,
  sockets: Sockets,
  following: readonly Engine[] = Object.keys(sockets) as Engine[],
  more: readonly string[] = [],
): Promise<Saker> {
  const args = [...asking(place, sockets), ...telling(place), ...more];
  const saker = await Saker.start([place.marker], { args });
  try {
    for (const kind of following) await untilUp(saker, kind);
  } catch (error) {
    await saker.stop();
    throw error;
  }
  return saker;
}

/** What a runtime of this kind tells is followed: it may take its time to answer first. */
export function untilUp(saker: Saker, kind: Engine): Promise<true> {
  return eventually(`saker to reach ${kind}`, async () => {
    const runtimes = (await saker.health())?.body["runtimes"] as
      | { sockets: { kind: string; up: boolean; follows: boolean }[] }
      | undefined;
    const own = runtimes?.sockets.find((socket) => socket.kind === kind && socket.up);
    return own !== undefined && (own.follows || kind === "cri") ? true : undefined;
  });
}

/** What the alert's container is said to be. */
export function about({ output_fields: fields }: Alert, ...names: readonly string[]): unknown[] {
  return names.map((name) => fields[name]);
}
