// Fields of what a request asks for, besides a pod's containers: `ka.req.*`.
import { type JsonTape, Kind } from "../../audit/decode/json_tape.ts";
import { isString, stringOf, textOf } from "../../audit/decode/json_value.ts";
import type { Field, Value } from "../row/field.ts";
import type { AuditAtHand } from "./at_hand.ts";
import { imagesOf, repositoryOf, SPEC } from "./container_rows.ts";
import { type Index, indexed, keyed, list, single } from "./rows_of.ts";
import { all, at, elementsOf, follow, listOf, textsOf } from "./walk.ts";

export function requestFields(hand: AuditAtHand): Field[] {
  return [
    ...bindings(hand),
    ...configmaps(hand),
    ...firstContainer(hand),
    ...pods(hand),
    ...roles(hand),
    ...services(hand),
    ...volumes(hand),
  ];
}

/** The text of what is at the end of the keys. */
export function atKeys(...keys: readonly string[]): (tape: JsonTape) => Value {
  return (tape) => {
    const entry = follow(tape, keys);
    return entry < 0 ? undefined : textOf(tape, entry);
  };
}

/** The texts of the array there. */
export function listAt(...keys: readonly string[]): (tape: JsonTape) => Value {
  return (tape) => textsOf(tape, elementsOf(tape, follow(tape, keys)));
}

function bindings(hand: AuditAtHand): Field[] {
  const ofKind = (name: string, what: string, kind: string, withNamespace = false) =>
    list(
      hand,
      `ka.req.binding.subjects.${name}`,
      `${what} that a request binds to a role.`,
      (tape) => subjectsOf(tape, kind, withNamespace),
    );
  return [
    list(
      hand,
      "ka.req.binding.subjects",
      "Whom a request binds to a role, as JSON.",
      listAt("requestObject", "subjects"),
    ),
    ofKind("user_names", "Users", "User"),
    ofKind("serviceaccount_names", "Service accounts", "ServiceAccount"),
    ofKind("serviceaccount_ns_names", "Service accounts as namespace:name", "ServiceAccount", true),
    ofKind("group_names", "Groups", "Group"),
    single(
      hand,
      "ka.req.binding.role",
      "Role that a request binds subjects to.",
      atKeys("requestObject", "roleRef", "name"),
    ),
    keyed(
      hand,
      "ka.req.binding.subject.has_name",
      "Always true; kept for old rules.",
      () => "true",
    ),
  ];
}

function subjectsOf(tape: JsonTape, kind: string, withNamespace: boolean): Value {
  const names: string[] = [];
  for (const subject of elementsOf(tape, at(tape, "requestObject", "subjects"))) {
    const name = tape.get(subject, "name");
    const space = withNamespace ? tape.get(subject, "namespace") : 0;
    if (name < 0 || space < 0 || !isText(tape, tape.get(subject, "kind"), kind)) continue;
    names.push((withNamespace ? `${textOf(tape, space)}:` : "") + textOf(tape, name));
  }
  return listOf(names);
}

function isText(tape: JsonTape, entry: number, text: string): boolean {
  return entry >= 0 && textOf(tape, entry) === text;
}

function configmaps(hand: AuditAtHand): Field[] {
  return [
    single(
      hand,
      "ka.req.configmap.name",
      "Name of the config map, or of whatever a request is about.",
      atKeys("objectRef", "name"),
    ),
    single(
      hand,
      "ka.req.configmap.obj",
      "Data of the config map in a request, as JSON.",
      atKeys("requestObject", "data"),
    ),
  ];
}

function firstContainer(hand: AuditAtHand): Field[] {
  return [
    single(
      hand,
      "ka.req.container.image",
      "Image of the pod's first container in a request.",
      (tape) => imagesOf(tape, "containers", 0)?.[0],
    ),
    single(
      hand,
      "ka.req.container.image.repository",
      "The same without tag and digest.",
      (tape) => imagesOf(tape, "containers", 0)?.map(repositoryOf)[0],
    ),
    single(
      hand,
      "ka.req.container.privileged",
      "Whether any container of the pod in a request is privileged.",
      (tape) => {
        const found = all(tape, undefined, [
          ...SPEC,
          "containers",
          "securityContext",
          "privileged",
        ]);
        if (found === undefined) return undefined;
        return String(found.some((entry) => entry >= 0 && tape.kinds[entry] === Kind.True));
      },
    ),
    single(
      hand,
      "ka.req.container.host_network",
      "Whether the pod in a request is on the host's network.",
      atKeys(...SPEC, "hostNetwork"),
    ),
  ];
}

function pods(hand: AuditAtHand): Field[] {
  const pod = (name: string, what: string, ...keys: readonly string[]) =>
    single(hand, `ka.req.pod.${name}`, `${what} the pod in a request.`, atKeys(...SPEC, ...keys));
  return [
    pod("host_ipc", "Whether the host's IPC namespace is used by", "hostIPC"),
    pod("host_network", "Whether the host's network is used by", "hostNetwork"),
    pod("host_pid", "Whether the host's process namespace is used by", "hostPID"),
    pod("run_as_user", "User id of", "securityContext", "runAsUser"),
    pod("run_as_group", "Group id of", "securityContext", "runAsGroup"),
    pod("fs_group", "Group id of the volumes of", "securityContext", "fsGroup"),
    list(
      hand,
      "ka.req.pod.supplemental_groups",
      "Further group ids of the pod in a request.",
      listAt(...SPEC, "securityContext", "supplementalGroups"),
    ),
  ];
}

function roles(hand: AuditAtHand): Field[] {
  const ofRules = (key: string, what: string) =>
    indexed(
      hand,
      `ka.req.role.rules.${key}`,
      `${what} of the rules of a role in a request.`,
      rulesRead(key),
    );
  return [
    list(
      hand,
      "ka.req.role.rules",
      "Rules of a role in a request, as JSON.",
      listAt("requestObject", "rules"),
    ),
    ofRules("apiGroups", "API groups"),
    ofRules("nonResourceURLs", "Paths that are no resources"),
    ofRules("verbs", "Verbs"),
    ofRules("resources", "Resources"),
  ];
}

/** The elements of the rules' arrays, all in one list. */
export function rulesRead(key: string): (tape: JsonTape, index: Index) => Value {
  return (tape, index) =>
    textsOf(
      tape,
      (all(tape, index, ["requestObject", "rules", key]) ?? [])
        .flatMap((entry) => elementsOf(tape, entry)),
    );
}

function services(hand: AuditAtHand): Field[] {
  return [
    single(
      hand,
      "ka.req.service.type",
      "Type of the service in a request.",
      atKeys(...SPEC, "type"),
    ),
    indexed(
      hand,
      "ka.req.service.ports",
      "Ports of the service in a request, as JSON.",
      (tape, index) => textsOf(tape, all(tape, index, [...SPEC, "ports"])),
    ),
  ];
}

function volumes(hand: AuditAtHand): Field[] {
  const paths = (tape: JsonTape, index: Index) =>
    all(tape, index, [...SPEC, "volumes", "hostPath", "path"]);
  return [
    indexed(
      hand,
      "ka.req.pod.volumes.hostpath",
      "Paths of the host that the pod in a request mounts.",
      (tape, index) => textsOf(tape, paths(tape, index)),
    ),
    keyed(
      hand,
      "ka.req.volume.hostpath",
      "Whether the pod in a request mounts that path of the host; one that ends with * begins so.",
      (tape, key) => {
        const found = paths(tape, undefined);
        if (found === undefined) return undefined;
        const wanted = key.endsWith("*") ? key.slice(0, -1) : undefined;
        return String(found.some((entry) => {
          if (entry < 0) return false;
          const path = textOf(tape, entry);
          return path === key || (wanted !== undefined && path.startsWith(wanted));
        }));
      },
    ),
    indexed(
      hand,
      "ka.req.pod.volumes.flexvolume_driver",
      "Drivers of the flex volumes of the pod in a request.",
      (tape, index) =>
        textsOf(tape, all(tape, index, [...SPEC, "volumes", "flexVolume", "driver"])),
    ),
    indexed(
      hand,
      "ka.req.pod.volumes.volume_type",
      "Types of the volumes of the pod in a request.",
      volumeTypes,
    ),
  ];
}

/** All keys but the name. Over a JSON patch Falco's plugin ends Falco here. */
function volumeTypes(tape: JsonTape, index: Index): Value {
  const types: string[] = [];
  for (const volumes of all(tape, index, [...SPEC, "volumes"]) ?? []) {
    for (const volume of volumesIn(tape, volumes, index)) {
      if (volume < 0 || tape.kinds[volume] !== Kind.Object) continue;
      const end = tape.nexts[volume]!;
      for (let key = volume + 1; key < end; key = tape.nexts[key + 1]!) {
        const type = stringOf(tape, key);
        if (type !== "name") types.push(type);
      }
    }
  }
  return listOf(types);
}

/** Through arrays in arrays, or the one that the index says. */
function volumesIn(tape: JsonTape, entry: number, index: Index): number[] {
  if (entry < 0 || tape.kinds[entry] !== Kind.Array) return [entry];
  if (index !== undefined) return [tape.element(entry, index)];
  return elementsOf(tape, entry).flatMap((volume) => volumesIn(tape, volume, index));
}

/** `ka.target.pod.name`: of requests about pods themselves. */
export function targetPodName(tape: JsonTape): Value {
  const target = at(tape, "objectRef");
  if (!isString(tape, tape.get(target, "resource"), "pods")) return undefined;
  const part = tape.get(target, "subresource");
  if (part >= 0 && tape.kinds[part] === Kind.String && stringOf(tape, part) !== "") {
    return undefined;
  }
  return atKeys("responseObject", "metadata", "name")(tape);
}
