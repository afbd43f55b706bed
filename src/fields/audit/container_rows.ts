// Fields of what a request says of a pod's containers: `ka.req.pod.containers.*`, and the same of
// its init containers and ephemeral ones. With an index they are of that container alone.
import { type JsonTape, Kind } from "../../audit/decode/json_tape.ts";
import { stringOf, textOf } from "../../audit/decode/json_value.ts";
import { imageName } from "../../words/image_name.ts";
import type { Field, Value } from "../row/field.ts";
import type { AuditAtHand } from "./at_hand.ts";
import { type Index, indexed } from "./rows_of.ts";
import { all, at, elementsOf, listOf, textsOf, textsOfAll } from "./walk.ts";

export const SPEC = ["requestObject", "spec"] as const;

const LISTS = [
  { list: "containers", of: "the pod's containers" },
  { list: "initContainers", of: "the pod's init containers" },
  { list: "ephemeralContainers", of: "the pod's ephemeral containers" },
] as const;

type Read = (tape: JsonTape, list: string, index: Index) => Value;

/** By the name behind the list's: what it is of, and how it is read. */
const FIELDS: readonly (readonly [name: string, what: string, read: Read])[] = [
  [
    "args",
    "Arguments, joined by a blank,",
    (tape, list, index) => joined(tape, list, index, "args"),
  ],
  [
    "command",
    "Commands, joined by a blank,",
    (tape, list, index) => joined(tape, list, index, "command"),
  ],
  ["name", "Names", (tape, list, index) => listOf(textsOfAll(tape, of(tape, list, index, "name")))],
  ["image", "Images", (tape, list, index) => listOf(imagesOf(tape, list, index))],
  [
    "image.repository",
    "Images without tag and digest",
    (tape, list, index) => listOf(imagesOf(tape, list, index)?.map(repositoryOf)),
  ],
  ["host_port", "Ports on the host", hostPorts],
  ["privileged", "Whether they are privileged,", securityContext("privileged")],
  [
    "allow_privilege_escalation",
    "Whether they may gain privileges,",
    securityContext("allowPrivilegeEscalation"),
  ],
  [
    "read_only_fs",
    "Whether they have a read-only root file system,",
    securityContext("readOnlyRootFilesystem"),
  ],
  ["run_as_user", "User ids that are asked for", securityContext("runAsUser")],
  ["eff_run_as_user", "User ids, the pod's where a container has none,", effective("runAsUser")],
  ["run_as_group", "Group ids that are asked for", securityContext("runAsGroup")],
  ["eff_run_as_group", "Group ids, the pod's where a container has none,", effective("runAsGroup")],
  ["proc_mount", "Kinds of /proc", securityContext("procMount")],
  ["add_capabilities", "Capabilities that are added", securityContext("capabilities", "add")],
];

export function containerListFields(hand: AuditAtHand): Field[] {
  return LISTS.flatMap(({ list, of: whose }) =>
    FIELDS
      // Ephemeral containers have no ports.
      .filter(([name]) => name !== "host_port" || list !== "ephemeralContainers")
      .map(([name, what, read]) =>
        indexed(
          hand,
          `ka.req.pod.${list}.${name}`,
          `${what} of ${whose} in a request.`,
          (tape, index) => read(tape, list, index),
        )
      )
  );
}

function of(
  tape: JsonTape,
  list: string,
  index: Index,
  ...keys: readonly string[]
): number[] | undefined {
  return all(tape, index, [...SPEC, list, ...keys]);
}

function securityContext(...keys: readonly string[]): Read {
  return (tape, list, index) => textsOf(tape, of(tape, list, index, "securityContext", ...keys));
}

export function imagesOf(tape: JsonTape, list: string, index: Index): string[] | undefined {
  return textsOfAll(tape, of(tape, list, index, "image"));
}

/** Falco's plugin ends at the first colon, and so takes a registry's port for a tag. */
export function repositoryOf(image: string): string {
  return imageName(image).repository;
}

/** One text a container, of those that have the array; anything but strings is no value. */
function joined(tape: JsonTape, list: string, index: Index, key: string): Value {
  const texts: string[] = [];
  for (const entry of of(tape, list, index, key) ?? []) {
    if (entry < 0) continue;
    if (tape.kinds[entry] !== Kind.Array) return undefined;
    const words = elementsOf(tape, entry);
    if (words.some((word) => tape.kinds[word] !== Kind.String)) return undefined;
    texts.push(words.map((word) => stringOf(tape, word)).join(" "));
  }
  return listOf(texts);
}

/** The host's port, or the container's, which it is on the host's network. */
function hostPorts(tape: JsonTape, list: string, index: Index): Value {
  const texts: string[] = [];
  for (const ports of of(tape, list, index, "ports") ?? []) {
    if (ports < 0) continue;
    if (tape.kinds[ports] !== Kind.Array) return undefined;
    for (const port of elementsOf(tape, ports)) {
      const host = tape.get(port, "hostPort");
      const number = host < 0 ? tape.get(port, "containerPort") : host;
      if (number >= 0) texts.push(textOf(tape, number));
    }
  }
  return listOf(texts);
}

/**
 * One text a container: its own, else the pod's, else 0. Falco's plugin looks beside
 * `securityContext`, where nothing is, and so says 0 whatever the request asks for.
 */
function effective(key: string): Read {
  return (tape, list, index) => {
    const containers = of(tape, list, index);
    if (containers === undefined) return undefined;
    const pod = at(tape, ...SPEC, "securityContext", key);
    const ofPod = pod < 0 ? "0" : textOf(tape, pod);
    const single = index !== undefined && containers.length === 1 &&
      tape.kinds[containers[0]!] === Kind.Array;
    const entries = single
      ? [tape.element(containers[0]!, index)]
      : containers.flatMap((entry) => entry < 0 ? [entry] : listed(tape, entry));
    if (single && entries[0]! < 0) return undefined;
    return listOf(entries.map((container) => {
      const own = tape.get(tape.get(container, "securityContext"), key);
      return own < 0 ? ofPod : textOf(tape, own);
    }));
  };
}

function listed(tape: JsonTape, entry: number): number[] {
  return tape.kinds[entry] === Kind.Array ? elementsOf(tape, entry) : [entry];
}
