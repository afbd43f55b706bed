// Containers: their ids, found in the cgroups of a thread, and what `container` events tell of
// them (the JSON of Falco's container plugin: {"container": {"id", "type": number, …}}).
import { type Owned, Owner, ownerOf } from "./cgroup_owner.ts";
import { AwaitedContainers } from "./awaited_containers.ts";
import { Cluster } from "./cluster.ts";
import { containerOf } from "./falco_matchers.ts";
import { EMPTY, type Strings } from "./strings.ts";
import type { Thread } from "./thread.ts";

/** Container metadata; everything but the id is undefined until a runtime or capture told it. */
export interface Container {
  readonly id: string;
  readonly fullId: string;
  readonly type: string;
  /** The JSON that the container plugin's `container` event carries, parsed. */
  readonly info: Readonly<Record<string, unknown>> | undefined;
}

/** What the person who runs saker says of containers, whatever their cgroups say. */
export interface KnownContainers {
  /** Kinds whose processes count as the host's: lxc, libvirt-lxc, bpm. */
  readonly off: readonly string[];
  /** Every process is in this one (`engines.static` of Falco's container plugin). */
  readonly all?: Container;
}

/** Bound of the containers kept; the oldest goes first. */
const CONTAINERS_MAX = 16_384;
/** Those of them whose short ids are others' too: nobody has such by chance. */
const TWINS_MAX = 256;
/** Bound of the cgroups and ids that are known to be the host's or a container's. */
const KNOWN_MAX = 16_384;

/** Names of the plugin's numbers for container types. */
const TYPES: Readonly<Record<number, string>> = {
  0: "docker",
  1: "lxc",
  2: "libvirt-lxc",
  3: "mesos",
  4: "rkt",
  5: "",
  6: "cri",
  7: "containerd",
  8: "cri-o",
  9: "bpm",
  10: "",
  11: "podman",
  0xfffe: "host",
  0xffff: "",
};

export class Containers {
  /** Containers that made room for newer ones. */
  evicted = 0;
  readonly #strings: Strings;
  readonly #byId = new Map<string, Container>();
  /** Id of a cgroups string → id of the container's short id. */
  readonly #matched = new Map<number, number>();
  /** Containers whose short ids are those of others: by their whole ids. */
  readonly #twins = new Map<string, Container>();
  /** Id of a cgroups string → its container's whole id, and what is known of it. */
  readonly #ofCgroups = new Map<number, Found>();
  /** New ones, of which a runtime is still to tell. */
  readonly awaited = new AwaitedContainers();
  /** Pods that they are of. */
  readonly cluster: Cluster;

  /** Id of a cgroups string → what its paths say; the container's id as a string id. */
  readonly #owners = new Map<number, { readonly owner: Owner; readonly id: number }>();
  /** Cgroups strings in which the host's own programs run. */
  readonly #hosts = new Set<number>();
  /** Ids of containers in which a process was seen that lives apart from the host. */
  readonly #confirmed = new Set<number>();
  #off: ReadonlySet<string> = new Set();
  #all: Container | undefined;
  /** String id of the one container that every process is in; EMPTY: there is no such. */
  ofAll = EMPTY;

  constructor(strings: Strings) {
    this.#strings = strings;
    this.cluster = new Cluster(strings);
  }

  /** To be called before any thread is known. */
  take({ off, all }: KnownContainers): void {
    this.#off = new Set(off);
    this.#all = all;
    if (all === undefined) return;
    this.ofAll = this.#strings.internText(all.id);
    this.add(all);
  }

  get(id: string): Container | undefined {
    return this.#byId.get(id);
  }

  get size(): number {
    return this.#byId.size;
  }

  *all(): Generator<Container> {
    yield* this.#byId.values();
  }

  /** The container that a thread is in, by the handles of its short id and of its cgroups. Where
   * two share a short id, what is known of the other is not told of this one. */
  of(id: number, cgroups: number): Container | undefined {
    return this.#find(id, cgroups).container;
  }

  /** As much of its id as its cgroups tell, by the same handles. */
  wholeId(id: number, cgroups: number): string {
    return this.#find(id, cgroups).whole;
  }

  #find(id: number, cgroups: number): Found {
    const known = this.#ofCgroups.get(cgroups);
    if (known?.id === id) return known;
    const short = this.#strings.text(id) ?? "";
    const whole = wholeId(this.#strings.text(cgroups) ?? "", short);
    const first = this.#byId.get(short);
    const container = first === undefined || isSame(first, whole) ? first : this.#twins.get(whole);
    const found = { id, whole, container };
    this.#ofCgroups.set(cgroups, found);
    return found;
  }

  /** A thread was found to be in it: its runtime is to be asked, where nothing is known of it. */
  meet(id: number, cgroups: number): void {
    if (!this.awaited.enabled || id === EMPTY) return;
    const { whole, container } = this.#find(id, cgroups);
    // Of those that have a kind by now the path told all that there is to know.
    if (container?.info !== undefined || (container?.type ?? "") !== "") return;
    this.awaited.note(whole);
  }

  add(container: Container): void {
    this.#ofCgroups.clear();
    const { fullId } = container;
    const before = this.#byId.get(container.id);
    if (before?.info !== undefined && !isSame(before, fullId)) {
      if (this.#twins.size < TWINS_MAX) this.#twins.set(fullId, container);
      else this.evicted++;
      return;
    }
    this.#byId.delete(container.id);
    if (this.#byId.size >= CONTAINERS_MAX) {
      this.#byId.delete(this.#byId.keys().next().value!);
      this.evicted++;
    }
    this.#byId.set(container.id, container);
  }

  clear(): void {
    this.#byId.clear();
    this.#twins.clear();
    this.awaited.clear();
    this.cluster.clear();
    this.forgetMatches();
    if (this.#all !== undefined) this.add(this.#all);
  }

  /** `fullId`: "" where it is not known. */
  remove(id: string, fullId = ""): void {
    this.#ofCgroups.clear();
    this.awaited.forget(fullId || id);
    const first = this.#byId.get(id);
    if (first === undefined || isSame(first, fullId)) this.#byId.delete(id);
    else this.#twins.delete(fullId);
  }

  /** String id of the container that the cgroups (a string id) belong to; EMPTY: the host. */
  match(cgroups: number): number {
    const known = this.#matched.get(cgroups);
    if (known !== undefined) return known;
    const found = this.#search(this.#strings.text(cgroups) ?? "");
    const id = found === "" ? EMPTY : this.#strings.internPassing(found);
    this.#matched.set(cgroups, id);
    return id;
  }

  /** Whose the cgroups (a string id) are by their paths; the surest of them counts. */
  ownerOf(cgroups: number): { readonly owner: Owner; readonly id: number } {
    const known = this.#owners.get(cgroups);
    if (known !== undefined) return known;
    let surest: Owned | undefined;
    for (const entry of (this.#strings.text(cgroups) ?? "").split("\0")) {
      const equals = entry.indexOf("=");
      if (equals < 0) continue;
      const found = ownerOf(entry.slice(equals + 1));
      if (this.#off.has(found.type)) continue;
      if (found.owner > (surest?.owner ?? Owner.None)) surest = found;
    }
    const { owner = Owner.None, id = "", type = "" } = surest ?? {};
    if (type !== "" && !this.#byId.has(id)) this.add({ id, fullId: id, type, info: undefined });
    const owned = { owner, id: id === "" ? EMPTY : this.#strings.internPassing(id) };
    this.#owners.set(cgroups, owned);
    return owned;
  }

  /** String id of the container whose the cgroups are, where the path is as sure as that. */
  ownerAtLeast(cgroups: number, least: Owner): number {
    const { owner, id } = this.ownerOf(cgroups);
    return owner >= least ? id : EMPTY;
  }

  /** Notes that the container is real; where too many are, that of each thread is. */
  confirm(id: number, threads: ReadonlyMap<number, Thread>): void {
    if (this.#confirmed.has(id)) return;
    if (this.#confirmed.size >= KNOWN_MAX) this.confirmHeld(threads);
    this.#confirmed.add(id);
  }

  isConfirmed(id: number): boolean {
    return this.#confirmed.has(id);
  }

  noteHosts(cgroups: number): void {
    if (this.#hosts.size < KNOWN_MAX) this.#hosts.add(cgroups);
  }

  isHosts(cgroups: number): boolean {
    return this.#hosts.has(cgroups);
  }

  /** Forgets all containers that no thread is in. */
  confirmHeld(threads: ReadonlyMap<number, Thread>): void {
    const held = new Set<number>();
    for (const { containerId } of threads.values()) {
      if (this.#confirmed.has(containerId)) held.add(containerId);
    }
    this.#confirmed.clear();
    for (const id of held) this.#confirmed.add(id);
  }

  /** To be called when string ids were freed. */
  forgetMatches(threads: ReadonlyMap<number, Thread> = new Map()): void {
    this.#matched.clear();
    this.#owners.clear();
    this.#hosts.clear();
    this.confirmHeld(threads);
    this.#ofCgroups.clear();
    this.cluster.forgetCgroups();
  }

  #search(cgroups: string): string {
    for (const entry of cgroups.split("\0")) {
      const equals = entry.indexOf("=");
      if (equals < 0) continue;
      const found = containerOf(entry.slice(equals + 1));
      if (found === undefined || this.#off.has(found.type)) continue;
      if (found.type !== "" && !this.#byId.has(found.id)) {
        this.add({ id: found.id, fullId: found.id, type: found.type, info: undefined });
      }
      return found.id;
    }
    return "";
  }
}

interface Found {
  /** Handle of the short id that it was looked for by. */
  readonly id: number;
  readonly whole: string;
  readonly container: Container | undefined;
}

/** Whether a whole id may be the container's; one of which only the beginning is known may. */
function isSame({ id, fullId }: Container, whole: string): boolean {
  return fullId === whole || fullId === "" || fullId === id || whole === "" || whole === id;
}

/** As much of a container's id as its cgroups tell, of which `short` is the beginning. */
function wholeId(cgroups: string, short: string): string {
  for (const whole of cgroups.match(/(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])/g) ?? []) {
    if (whole.startsWith(short)) return whole;
  }
  for (const entry of cgroups.split("\0")) {
    const name = entry.slice(entry.lastIndexOf("/") + 1);
    if (name.startsWith(short)) return name;
  }
  return short;
}

/** Reads the JSON of a `container` event; undefined where it is none. */
export function parseContainer(json: string): Container | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch {
    return undefined;
  }
  if (typeof parsed !== "object" || parsed === null) return undefined;
  const outer = parsed as Record<string, unknown>;
  const inner = outer["container"];
  const info = (typeof inner === "object" && inner !== null ? inner : outer) as Record<
    string,
    unknown
  >;
  const { id, full_id: fullId } = info;
  if (typeof id !== "string") return undefined;
  const type = info["type"] ?? outer["type"];
  return {
    id,
    fullId: typeof fullId === "string" ? fullId : "",
    type: typeof type === "number" ? TYPES[type] ?? "" : "",
    info,
  };
}

/** The JSON of a `container` event that tells what is known of the container. */
export function containerJson({ info, id, type }: Container): string {
  const number = Object.entries(TYPES).find(([, name]) => name === type)?.[0];
  return JSON.stringify({ container: { id, type: Number(number ?? 0xffff), ...info } });
}

export function containerTypeName(type: number): string {
  return TYPES[type] ?? "";
}
