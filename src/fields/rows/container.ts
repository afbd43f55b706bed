// Fields of the container that a thread runs in, and of its pod: what the cgroups tell (the id)
// and what a runtime or a capture's `container` events told of it.
import { RE2JS } from "re2js";
import type { Context } from "../../state/contract/context.ts";
import { SHORT_ID_LENGTH } from "../../state/tables/cgroup_owner.ts";
import type { Container } from "../../state/tables/containers.ts";
import type { Bound, Field, Value } from "../row/field.ts";
import { hasProbes, isProbe, type ProbeKey, probeText } from "./health_probes.ts";
import { ofThread } from "./proc.ts";
import { fields, indexArgument, type Row, type RowInfo, withArgument } from "../row/row.ts";
import { containerIdOf } from "../text/user_names.ts";

/** What stands for a container where there is none. */
const HOST: Container = {
  id: "host",
  fullId: "host",
  type: "host",
  info: { name: "host" },
};

export function containerFields(): Field[] {
  return [...identity(), ...mounts(), ...times(), ...pod(), ...probes(), ...withoutData()];
}

/** Fields whose values runtimes tell: they are missing until one has told. */
export function isToldByRuntimes({ field: { name } }: Bound): boolean {
  if (name.startsWith("container.")) return !TOLD_BY_EVENTS.has(name);
  return name.startsWith("k8s.");
}

const TOLD_BY_EVENTS: ReadonlySet<string> = new Set([
  "container.id",
  "container.start_ts",
  "container.duration",
]);

/** The event's container; HOST outside of containers, undefined where only an id is known. */
function containerOf(context: Context): Container | undefined {
  const { machine, thread } = context;
  if (machine.eventContainer !== undefined) return machine.eventContainer;
  if (thread === undefined) return undefined;
  const id = containerIdOf(context, thread);
  if (id === "") return HOST;
  const container = machine.containerOf(thread);
  return container?.info === undefined && container?.type === "" ? undefined : container;
}

function ofContainer(read: (container: Container, context: Context) => Value): Row["extract"] {
  return (context) => {
    const container = containerOf(context);
    return container && read(container, context);
  };
}

function text(container: Container, key: string): string {
  const value = container.info?.[key];
  return typeof value === "string" ? value : "";
}

function flag(container: Container, key: string): boolean {
  return container.info?.[key] === true;
}

function strings(container: Container, key: string): Readonly<Record<string, unknown>> {
  const value = container.info?.[key];
  return typeof value === "object" && value !== null ? value as Record<string, unknown> : {};
}

function label(labels: Readonly<Record<string, unknown>>, name: string): Value {
  const value = Object.hasOwn(labels, name) ? labels[name] : undefined;
  return typeof value === "string" ? value : undefined;
}

/** Labels as `name:value, …` sorted by name; those of the orchestrator itself are left out. */
function labelsText(labels: Readonly<Record<string, unknown>>): string {
  const parts: string[] = [];
  for (const name of Object.keys(labels).sort()) {
    if (name.startsWith("annotation.") || name.startsWith("io.kubernetes.")) continue;
    const value = label(labels, name);
    parts.push(value ? `${name}:${value}` : name);
  }
  return parts.join(", ");
}

function row(name: string, description: string, extract: Row["extract"]): Row {
  return { name, type: "CHARBUF", description, domain: "thread", extract };
}

function suggested(row: Row): Row {
  return { ...row, flags: ["suggested"] };
}

function property(name: string, key: string, description: string): Row {
  return row(name, description, ofContainer((container) => text(container, key)));
}

function flagRow(name: string, key: string, description: string): Row {
  return {
    name,
    type: "BOOL",
    description,
    domain: "thread",
    extract: ofContainer((container) => flag(container, key)),
  };
}

function identity(): Field[] {
  return fields("container", [
    suggested(row(
      "container.id",
      "Short id of the container; host outside of containers.",
      (context) => {
        const { machine, thread } = context;
        if (machine.eventContainer !== undefined) return machine.eventContainer.id;
        return thread && (containerIdOf(context, thread) || "host");
      },
    )),
    row("container.full_id", "Full id of the container.", ofContainer(({ fullId }) => fullId)),
    suggested(property("container.name", "name", "Name of the container.")),
    property("container.image", "image", "Name of the container's image, tag included."),
    property("container.image.id", "imageid", "Id of the container's image."),
    row(
      "container.type",
      "Kind of the runtime that made the container.",
      ofContainer(
        ({ type }) => type,
      ),
    ),
    flagRow("container.privileged", "privileged", "Whether the container runs privileged."),
    suggested(
      property("container.image.repository", "imagerepo", "The image's name without its tag."),
    ),
    suggested(property("container.image.tag", "imagetag", "The image's tag.")),
    property("container.image.digest", "imagedigest", "Digest of the image's content."),
    property("container.ip", "ip", "IPv4 address of the container."),
    property("container.cni.json", "cni_json", "Network set-up of the pod, as JSON."),
    flagRow("container.host_pid", "host_pid", "Whether it shares the host's pid namespace."),
    flagRow("container.host_network", "host_network", "Whether it shares the host's network."),
    flagRow("container.host_ipc", "host_ipc", "Whether it shares the host's ipc namespace."),
    row(
      "container.labels",
      "All labels of the container.",
      ofContainer((container) => labelsText(strings(container, "labels"))),
    ),
  ]).concat(
    labelField(
      "container.label",
      "One label of the container.",
      (container, name) => label(strings(container, "labels"), name),
    ),
  );
}

function labelField(
  name: string,
  description: string,
  read: (container: Container, name: string, context: Context) => Value,
): Field {
  const info: RowInfo = { name, type: "CHARBUF", description, domain: "thread" };
  return withArgument("container", info, { required: true, kinds: ["KEY"] }, (argument) => ({
    extract: ofContainer((container, context) => read(container, argument!, context)),
  }));
}

/** A mount as the runtime tells it. */
interface Mount {
  readonly source: string;
  readonly destination: string;
  readonly mode: string;
  readonly writable: string;
  readonly propagation: string;
}

function mountsOf(container: Container): Mount[] {
  const list = container.info?.["Mounts"];
  if (!Array.isArray(list)) return [];
  return list.filter((item) => typeof item === "object" && item !== null).map((item) => {
    const get = (key: string) => typeof item[key] === "string" ? item[key] as string : "";
    return {
      source: get("Source"),
      destination: get("Destination"),
      mode: get("Mode"),
      writable: item["RW"] === true ? "true" : "false",
      propagation: get("Propagation"),
    };
  });
}

function mountText({ source, destination, mode, writable, propagation }: Mount): string {
  return [source, destination, mode, writable, propagation].join(":");
}

function mounts(): Field[] {
  const all = row(
    "container.mounts",
    "All mounts as source:destination:mode:writable:propagation.",
    ofContainer((container) => mountsOf(container).map(mountText).join(",")),
  );
  return [
    ...fields("container", [all]),
    mountField("container.mount", "One mount", "source", mountText),
    mountField("container.mount.source", "Source of a mount", "destination", (m) => m.source),
    mountField("container.mount.dest", "Destination of a mount", "source", (m) => m.destination),
    mountField("container.mount.mode", "Mode of a mount", "source", (m) => m.mode),
    mountField("container.mount.rdwr", "Whether a mount is writable", "source", (m) => m.writable),
    mountField(
      "container.mount.propagation",
      "Propagation of a mount",
      "source",
      (m) => m.propagation,
    ),
  ];
}

function mountField(
  name: string,
  what: string,
  key: "source" | "destination",
  read: (mount: Mount) => string,
): Field {
  const info: RowInfo = {
    name,
    type: "CHARBUF",
    description: `${what}: by number, or the first whose ${key} an expression is found in.`,
    domain: "thread",
  };
  return withArgument("container", info, { required: true, kinds: ["INDEX", "KEY"] }, (given) => {
    const argument = given!;
    const index = /^(0|[1-9]\d*)$/.test(argument) ? indexArgument(argument) : undefined;
    if (index !== undefined) {
      return {
        extract: ofContainer((container) => {
          const mount = mountsOf(container)[index];
          return mount && read(mount);
        }),
      };
    }
    let pattern = PLAIN_PATTERN.test(argument) ? undefined : patternOf(argument);
    if (pattern === null) return { error: `"${argument}" is not a regular expression` };
    return {
      extract: ofContainer((container) => {
        const asked = pattern ??= patternOf(argument)!;
        const mount = mountsOf(container).find((mount) => asked.matcher(mount[key]).find());
        return mount && read(mount);
      }),
    };
  });
}

/** Surely a regular expression: it is made when a container's mounts are first looked at. */
const PLAIN_PATTERN = /^(?:[\w/.-]\*?)+$/;

function patternOf(text: string): RE2JS | null {
  try {
    return RE2JS.compile(text, RE2JS.MULTILINE);
  } catch {
    return null;
  }
}

function times(): Field[] {
  return fields("container", [
    {
      name: "container.start_ts",
      type: "ABSTIME",
      format: "DEC",
      description: "When the container's pid namespace began, as the kernel tells it.",
      domain: "thread",
      extract: ofThread((thread) => thread.pidnsInitStartTs || undefined),
    },
    {
      name: "container.duration",
      type: "RELTIME",
      format: "DEC",
      description: "The event's time less container.start_ts.",
      extract: ofThread((thread, { event }) =>
        thread.pidnsInitStartTs === 0n ? undefined : event.time() - thread.pidnsInitStartTs
      ),
    },
  ]);
}

function sandboxOf(container: Container, { machine }: Context): Container | undefined {
  const id = text(container, "pod_sandbox_id").slice(0, SHORT_ID_LENGTH);
  return id === "" ? HOST : machine.container(id);
}

/** A property of the pod: of the container where its own network is known, else of the sandbox. */
function ofPod(key: string): Row["extract"] {
  return ofContainer((container, context) => {
    if (text(container, "cni_json") !== "") return text(container, key);
    const sandbox = sandboxOf(container, context);
    return sandbox && text(sandbox, key);
  });
}

function podLabels(container: Container, context: Context): Readonly<Record<string, unknown>> {
  const sandbox = text(container, "cni_json") === "" ? sandboxOf(container, context) : undefined;
  return strings(sandbox ?? container, "pod_sandbox_labels");
}

function pod(): Field[] {
  const fromLabel = (name: string, key: string, description: string) =>
    row(
      name,
      description,
      ofContainer((container) => label(strings(container, "labels"), `io.kubernetes.pod.${key}`)),
    );
  return [
    ...fields("container", [
      suggested(fromLabel("k8s.pod.name", "name", "Name of the pod.")),
      suggested(fromLabel("k8s.ns.name", "namespace", "Namespace of the pod.")),
      fromLabel("k8s.pod.id", "uid", "The same as k8s.pod.uid."),
      fromLabel("k8s.pod.uid", "uid", "Unique id of the pod."),
      row(
        "k8s.pod.sandbox_id",
        "Short id of the pod's sandbox.",
        ofContainer((container) => text(container, "pod_sandbox_id").slice(0, SHORT_ID_LENGTH)),
      ),
      property("k8s.pod.full_sandbox_id", "pod_sandbox_id", "Full id of the pod's sandbox."),
      row(
        "k8s.pod.labels",
        "All labels of the pod.",
        ofContainer((container, context) => labelsText(podLabels(container, context))),
      ),
      row("k8s.pod.ip", "IPv4 address of the pod.", ofPod("ip")),
      row("k8s.pod.cni.json", "Network set-up of the pod, as JSON.", ofPod("cni_json")),
    ]),
    labelField(
      "k8s.pod.label",
      "One label of the pod.",
      (container, name, context) =>
        label(podLabels(container, context), name) ??
          label(strings(container, "pod_sandbox_labels"), name),
    ),
  ];
}

/** What the runtime or the kubelet runs in the container by itself. */
function probes(): Field[] {
  const kinds: readonly (readonly [string, ProbeKey, string])[] = [
    ["healthcheck", "Healthcheck", "health check"],
    ["liveness_probe", "LivenessProbe", "liveness probe"],
    ["readiness_probe", "ReadinessProbe", "readiness probe"],
  ];
  return fields("container", [
    ...kinds.map(([name, key, what]): Row => ({
      ...row(
        `container.${name}`,
        `Command of the container's ${what}.`,
        ofContainer((container) => probeText(container, key)),
      ),
      flags: ["deprecated"],
    })),
    ...kinds.map(([name, key, what]): Row => ({
      name: `proc.is_container_${name}`,
      type: "BOOL",
      flags: ["deprecated"],
      description: `Whether the process belongs to the container's ${what}.`,
      extract: ofContainer((container, context) =>
        context.thread && hasProbes(container)
          ? isProbe(context, context.thread, container, key)
          : undefined
      ),
    })),
  ]);
}

/** Names that rules may still use; the container plugin knows no values for them. */
function withoutData(): Field[] {
  const nothing = () => undefined;
  const never = (name: string): Row => ({
    name,
    type: "CHARBUF",
    flags: ["deprecated"],
    description: "Kept for old rules; there is never a value.",
    domain: "thread",
    extract: nothing,
  });
  const objects = ["rc", "svc", "rs", "deployment"].map((kind) => `k8s.${kind}`);
  return [
    ...fields("container", [
      ...objects.flatMap((name) => [never(`${name}.name`)]),
      ...[...objects, "k8s.ns"].flatMap((name) => [never(`${name}.id`), never(`${name}.labels`)]),
    ]),
    ...[...objects, "k8s.ns"].map((name) =>
      withArgument(
        "container",
        never(`${name}.label`),
        { required: true, kinds: ["KEY"] },
        () => ({ extract: nothing }),
      )
    ),
  ];
}
