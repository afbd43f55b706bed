// Fields of the pod that a thread runs in, and of what the pod belongs to, as the cluster's API
// server tells them: names, uids and labels.
import type { Context } from "../../state/contract/context.ts";
import type { ClusterObject } from "../../state/tables/cluster.ts";
import type { Bound, Field, Value } from "../row/field.ts";
import { field, type RowInfo, withArgument } from "../row/row.ts";

const CLASS = "k8smeta";

/** Kinds that a pod belongs to at most one of: `k8smeta.NAME.*`. */
const ONE_OF: readonly (readonly [name: string, kind: string, what: string])[] = [
  ["ns", "Namespace", "namespace"],
  ["deployment", "Deployment", "deployment"],
  ["rs", "ReplicaSet", "replica set"],
  ["rc", "ReplicationController", "replication controller"],
];

/** Whether the cluster tells the field's value: it is missing until it has told. */
export function isToldByCluster({ field: { fieldClass } }: Bound): boolean {
  return fieldClass === CLASS;
}

export function clusterFields(): Field[] {
  return [...pods(), ...ONE_OF.flatMap(ownerFields), ...services()];
}

type Read = (pod: ClusterObject, context: Context) => Value;

function ofPod(read: Read) {
  return (context: Context): Value => {
    const { cluster } = context.machine;
    if (cluster.size === 0) return undefined;
    const pod = cluster.pod(context.podUid());
    return pod && read(pod, context);
  };
}

function info(name: string, description: string, isList = false): RowInfo {
  return { name: `k8smeta.${name}`, type: "CHARBUF", description, domain: "thread", isList };
}

function row(name: string, description: string, read: Read, isList = false): Field {
  const about = info(name, description, isList);
  return field(CLASS, { ...about, extract: ofPod(read) });
}

function labelRow(
  name: string,
  description: string,
  read: (key: string, ...from: Parameters<Read>) => Value,
  isList = false,
): Field {
  const argument = { required: true, kinds: ["KEY"] } as const;
  return withArgument(CLASS, info(name, description, isList), argument, (key) => ({
    extract: ofPod((pod, context) => read(key!, pod, context)),
  }));
}

/** `name:value` of each label, in the order of the names; none: no value, as in Falco. */
function labelsOf(objects: readonly ClusterObject[]): Value {
  return some(objects.flatMap(({ labels }) => [...labels].map((label) => label.join(":"))));
}

function some(list: readonly string[]): Value {
  return list.length === 0 ? undefined : list;
}

function pods(): Field[] {
  return [
    row("pod.name", "Name of the pod.", ({ name }) => name),
    row("pod.uid", "Unique id of the pod.", ({ uid }) => uid),
    labelRow("pod.label", "One label of the pod.", (key, { labels }) => labels.get(key)),
    row("pod.labels", "All labels of the pod, as name:value.", (pod) => labelsOf([pod]), true),
    row("pod.ip", "Address of the pod.", ({ ip }) => ip || undefined),
  ];
}

function ownerFields([name, kind, what]: (typeof ONE_OF)[number]): Field[] {
  const uid = ({ refs }: ClusterObject) => refs.get(kind)?.[0];
  const own = (pod: ClusterObject, { machine }: Context) => {
    const found = uid(pod);
    return found === undefined ? undefined : machine.cluster.get(kind, found);
  };
  return [
    row(
      `${name}.name`,
      `Name of the pod's ${what}.`,
      // Every pod knows the name of its namespace.
      name === "ns" ? (pod) => pod.namespace || undefined : (...from) => own(...from)?.name,
    ),
    row(`${name}.uid`, `Unique id of the pod's ${what}.`, uid),
    labelRow(
      `${name}.label`,
      `One label of the pod's ${what}.`,
      (key, ...from) => own(...from)?.labels.get(key),
    ),
    row(
      `${name}.labels`,
      `All labels of the pod's ${what}, as name:value.`,
      (...from) => labelsOf([own(...from)].filter((one) => one !== undefined)),
      true,
    ),
  ];
}

function services(): Field[] {
  const uids = ({ refs }: ClusterObject) => refs.get("Service") ?? [];
  const all = (pod: ClusterObject, { machine }: Context) =>
    uids(pod).map((uid) => machine.cluster.get("Service", uid)).filter((one) => one !== undefined);
  return [
    row(
      "svc.name",
      "Names of the services that choose the pod.",
      (...from) => some(all(...from).map(({ name }) => name)),
      true,
    ),
    row(
      "svc.uid",
      "Unique ids of the services that choose the pod.",
      (pod) => some(uids(pod)),
      true,
    ),
    labelRow(
      "svc.label",
      "One label of the services that choose the pod: a value for each that has it.",
      (key, ...from) =>
        some(all(...from).map(({ labels }) => labels.get(key)).filter((one) => one !== undefined)),
      true,
    ),
    row(
      "svc.labels",
      "All labels of the services that choose the pod, as name:value.",
      (...from) => labelsOf(all(...from)),
      true,
    ),
  ];
}
