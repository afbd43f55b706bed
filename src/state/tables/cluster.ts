// What is known of the cluster that this machine is a node of: `k8s` events come in, as Falco's
// k8smeta plugin makes them, pods and what they belong to go out. A thread's pod is found by the
// name of its cgroup.
import type { Strings } from "./strings.ts";

/** One object of the API. */
export interface ClusterObject {
  readonly kind: string;
  readonly uid: string;
  readonly name: string;
  readonly namespace: string;
  readonly labels: ReadonlyMap<string, string>;
  /** Of a pod. */
  readonly ip: string;
  /** Of a pod: kind → uids of what it belongs to. */
  readonly refs: ReadonlyMap<string, readonly string[]>;
  /** Of a pod that the node made of a file of its own: what its cgroups are named by. */
  readonly staticUid: string;
  /** The event's JSON, for recordings. */
  readonly json: string;
}

/** Objects of all kinds; the oldest go first. */
const OBJECTS_MAX = 16_384;
const LABELS_MAX = 512;
const REFS_MAX = 512;
/** Bytes that the texts of all objects have at the most, about. */
const JSON_MAX = 64 << 20;
/** Cgroups whose pods are known. */
const CGROUPS_MAX = 16_384;
/** As Falco's plugin has it, and the uids without dashes that pods of the node's own files have. */
const POD = /pod([a-z0-9]{8}(?:[-_][a-z0-9]{4}){3}[-_][a-z0-9]{12})/;
const STATIC_POD = /\/(?:kubepods[a-z-]*-)?pod([0-9a-f]{32})(?:\.slice)?(?:\/|$)/;

export class Cluster {
  /** Somebody is asked, or was while a recording was made: pods that are not known lack. */
  enabled = false;
  /** Objects that made room for newer ones. */
  evicted = 0;
  readonly #strings: Strings;
  readonly #objects = new Map<string, ClusterObject>();
  /** Uids of cgroups → uids of pods, where these differ. */
  readonly #statics = new Map<string, string>();
  readonly #podOfCgroups = new Map<number, string>();
  #size = 0;

  constructor(strings: Strings) {
    this.#strings = strings;
  }

  get size(): number {
    return this.#objects.size;
  }

  *all(): Generator<ClusterObject> {
    yield* this.#objects.values();
  }

  pod(uid: string): ClusterObject | undefined {
    return this.get("Pod", this.#statics.get(uid) ?? uid);
  }

  get(kind: string, uid: string): ClusterObject | undefined {
    const found = this.#objects.get(uid);
    return found?.kind === kind ? found : undefined;
  }

  /** Uid of the pod whose the cgroups (a string id) are; "" where they name none. */
  podUidOf(cgroups: number): string {
    const known = this.#podOfCgroups.get(cgroups);
    if (known !== undefined) return known;
    const text = this.#strings.text(cgroups) ?? "";
    const uid = POD.exec(text)?.[1]?.replaceAll("_", "-") ??
      text.split("\0").map((one) => STATIC_POD.exec(one)?.[1]).find((one) => one !== undefined) ??
      "";
    if (this.#podOfCgroups.size >= CGROUPS_MAX) this.#podOfCgroups.clear();
    this.#podOfCgroups.set(cgroups, uid);
    return uid;
  }

  /** To be called when string ids were freed. */
  forgetCgroups(): void {
    this.#podOfCgroups.clear();
  }

  clear(): void {
    this.#objects.clear();
    this.#statics.clear();
    this.#size = 0;
    this.forgetCgroups();
  }

  /** Takes the JSON of a `k8s` event; whether it told something. */
  apply(json: string): boolean {
    const event = parsed(json);
    const uid = textAt(event, "uid");
    if (event === undefined || uid === "") return false;
    this.enabled = true;
    if (textAt(event, "reason") === "Delete") return this.#delete(uid);
    const object = objectOf(event, uid, json);
    this.#delete(uid);
    while (this.#objects.size >= OBJECTS_MAX || this.#size + json.length > JSON_MAX) {
      const oldest = this.#objects.keys().next().value;
      if (oldest === undefined) return false;
      this.#delete(oldest);
      this.evicted++;
    }
    this.#objects.set(uid, object);
    this.#size += json.length;
    if (object.staticUid !== "") this.#statics.set(object.staticUid, uid);
    return true;
  }

  #delete(uid: string): boolean {
    const object = this.#objects.get(uid);
    if (object === undefined) return false;
    this.#objects.delete(uid);
    this.#size -= object.json.length;
    if (object.staticUid !== "") this.#statics.delete(object.staticUid);
    return true;
  }
}

type Json = Readonly<Record<string, unknown>>;

function objectOf(event: Json, uid: string, json: string): ClusterObject {
  // Each is the text of a JSON of its own.
  const meta = parsed(textAt(event, "meta"));
  const refs = mapAt(mapAt(event, "refs"), "resources");
  return {
    ...{ kind: textAt(event, "kind"), uid, json },
    name: textAt(meta, "name"),
    namespace: textAt(meta, "namespace"),
    labels: new Map(texts(mapAt(meta, "labels"))),
    ip: textAt(parsed(textAt(event, "status")), "podIP"),
    refs: new Map(lists(refs)),
    staticUid: textAt(event, "static_uid"),
  };
}

function* texts(map: Json | undefined): Generator<[string, string]> {
  for (const key of Object.keys(map ?? {}).sort().slice(0, LABELS_MAX)) {
    const value = map![key];
    if (typeof value === "string") yield [key, value];
  }
}

function* lists(map: Json | undefined): Generator<[string, readonly string[]]> {
  for (const [kind, value] of Object.entries(map ?? {}).slice(0, REFS_MAX)) {
    const list = mapAt({ value }, "value")?.["list"];
    if (!Array.isArray(list)) continue;
    yield [kind, list.filter((uid) => typeof uid === "string").slice(0, REFS_MAX)];
  }
}

function parsed(json: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "object" && value !== null ? value as Json : undefined;
  } catch {
    return undefined;
  }
}

function textAt(map: Json | undefined, key: string): string {
  const value = map !== undefined && Object.hasOwn(map, key) ? map[key] : undefined;
  return typeof value === "string" ? value : "";
}

function mapAt(map: Json | undefined, key: string): Json | undefined {
  const value = map !== undefined && Object.hasOwn(map, key) ? map[key] : undefined;
  return typeof value === "object" && value !== null ? value as Json : undefined;
}
