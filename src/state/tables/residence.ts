// Which container a thread is in, from its cgroups and from where the kernel says that it lives.
// A path alone is no proof: anybody may name a cgroup like a container's, and on some machines the
// host's own looks like one. docs/containers.md says what holds when, and why.
import { Owner, shortId } from "./cgroup_owner.ts";
import type { Tables } from "./tables.ts";
import { EMPTY, MISSING } from "./strings.ts";
import type { Thread } from "./thread.ts";

/** Marks of probe-rs/src/namespaces.rs. */
export const enum Lives {
  /** Without it nothing is known. */
  Known = 1,
  HostPids = 2,
  HostMounts = 4,
  HostRoot = 8,
}

const ON_HOST = Lives.HostPids | Lives.HostMounts;
const WITH_HOST_ROOT = Lives.HostPids | Lives.HostRoot;
const ALL = Lives.HostPids | Lives.HostMounts | Lives.HostRoot;
/** From a container's first process up to its monitor. */
const MONITOR_LEVELS = 4;
const MONITORED = /(?:^|\0)(?:-c|--cid)\0([0-9a-f]{64})\0/;

/**
 * Gives the thread its container; `before`: the one that it, or who made it, was in. Returns
 * whether that changed. `begins`: it runs a program of its own, so that its cgroup is one where
 * programs of its kind run.
 */
export function settleIn(tables: Tables, thread: Thread, before: number, begins: boolean): boolean {
  const found = containerOf(tables, thread, before, begins);
  if (found === thread.containerId) return false;
  thread.containerId = found;
  tables.containers.meet(found, thread.cgroups);
  return true;
}

function containerOf(tables: Tables, thread: Thread, before: number, begins: boolean): number {
  const { containers } = tables;
  if (containers.ofAll !== EMPTY) return containers.ofAll;
  const { namespaces: lives, cgroups } = thread;
  if ((lives & Lives.Known) === 0) {
    // A capture, or a process at which nobody may look.
    return tables.isLive
      ? containers.ownerAtLeast(cgroups, Owner.Digits)
      : containers.match(cgroups);
  }
  const owned = containers.ownerOf(cgroups);
  const isRuntimes = owned.owner === Owner.Runtime;
  if (owned.owner !== Owner.None) {
    const apart = isRuntimes
      ? (lives & Lives.HostPids) === 0 || (lives & (Lives.HostMounts | Lives.HostRoot)) === 0
      : (lives & Lives.HostRoot) === 0 && (lives & ON_HOST) !== ON_HOST;
    if (apart && (isRuntimes || !containers.isHosts(cgroups))) {
      containers.confirm(owned.id, tables.threads);
      return owned.id;
    }
    // Who entered the host from it is still of it.
    if (containers.isConfirmed(owned.id)) return owned.id;
    if (begins && isAtHome(tables, thread)) containers.noteHosts(cgroups);
  }
  // A container is left by entering the host's namespaces, not by another cgroup.
  if (before !== EMPTY && before !== MISSING && (lives & ON_HOST) !== ON_HOST) return before;
  return (lives & ALL) === 0 ? monitored(tables, thread) : EMPTY;
}

/**
 * Whether a program of the host is where its parent is as well. A runtime puts its helper into the
 * container's cgroup, and that may execute itself there before it leaves the host's namespaces.
 */
function isAtHome(tables: Tables, { namespaces: lives, cgroups, ptid }: Thread): boolean {
  return (lives & WITH_HOST_ROOT) === WITH_HOST_ROOT &&
    tables.threads.get(ptid)?.cgroups === cgroups;
}

/** Podman without a cgroup of its own: its monitor says whose parent it is. */
function monitored(tables: Tables, thread: Thread): number {
  let above = tables.threads.get(thread.ptid);
  for (let level = 0; level < MONITOR_LEVELS && above !== undefined; level++) {
    if (tables.strings.text(above.comm) === "conmon") {
      const args = new TextDecoder().decode(above.args);
      const id = MONITORED.exec(args)?.[1];
      return id === undefined ? EMPTY : tables.strings.internPassing(shortId(id));
    }
    above = tables.threads.get(above.ptid);
  }
  return EMPTY;
}

/**
 * Gives threads of a list their containers. In the order of their ids, since who was first in a
 * cgroup says whose it is; then those that left a container's cgroup before, by the mount namespace
 * that they share with it.
 */
export function settleAll(tables: Tables, threads: readonly Thread[]): void {
  const inOrder = [...threads].sort((one, other) => one.tid - other.tid);
  const inside = new Map<number, number>();
  for (const thread of inOrder) {
    const before = tables.threads.get(thread.ptid)?.containerId ?? EMPTY;
    settleIn(tables, thread, before, true);
    const { namespaces: lives, mountNamespace, containerId } = thread;
    if ((lives & Lives.Known) === 0 || containerId === EMPTY || mountNamespace === 0) continue;
    if ((lives & (Lives.HostMounts | Lives.HostRoot)) === 0) {
      inside.set(mountNamespace, containerId);
    }
  }
  for (const thread of inOrder) {
    if ((thread.namespaces & Lives.Known) === 0 || thread.containerId !== EMPTY) continue;
    thread.containerId = inside.get(thread.mountNamespace) ?? EMPTY;
  }
}
