// Events that no thread made: users, groups and containers, as the recorder learnt of them.
import { codeOf, positionsOf } from "../../events/table.ts";
import type { Event } from "../../events/event.ts";
import {
  CLUSTER_NEWS,
  CONTAINER_UNKNOWN,
  CONTAINERS_AWAITED,
} from "../../events/scap/state_events.ts";
import { containerTypeName, parseContainer } from "../tables/containers.ts";
import type { Context } from "../contract/context.ts";
import type { Container } from "../tables/containers.ts";
import type { Tables } from "../tables/tables.ts";

const AWAITED_MAX = 4096;
const decoder = new TextDecoder();
const USER_ADDED = codeOf("USER_ADDED_E");
const GROUP_ADDED = codeOf("GROUP_ADDED_E");
const USER = positionsOf(
  ["USER_ADDED_E", "USER_DELETED_E"],
  ...["uid", "gid", "name", "home", "shell", "container_id"] as const,
);
const GROUP = positionsOf(["GROUP_ADDED_E", "GROUP_DELETED_E"], "gid", "name", "container_id");
const ASYNC = positionsOf("ASYNCEVENT_E", "name", "data");
const CONTAINER = positionsOf("CONTAINER_E", "id", "type", "name", "image");
const { json: JSON_TEXT } = positionsOf(["CONTAINER_JSON_E", "CONTAINER_JSON_2_E"], "json");

/**
 * Users of containers are passed over, as Falco does on captures: it would look for them on the
 * machine that reads the capture.
 */
export function onUser(machine: Tables, context: Context): void {
  const { event } = context;
  if (!event.has(USER.uid)) return;
  const uid = event.uint32(USER.uid);
  const containerId = text(event, USER.container_id);
  if (event.code === USER_ADDED && containerId !== "") return;
  if (isIgnored(machine, containerId)) return;
  if (event.code === USER_ADDED) {
    machine.users.addUser(containerId, {
      uid,
      gid: event.has(USER.gid) ? event.uint32(USER.gid) : 0,
      name: text(event, USER.name),
      homedir: text(event, USER.home),
      shell: text(event, USER.shell),
    });
  } else machine.users.removeUser(containerId, uid);
  machine.lineage++;
}

/**
 * Falco takes the users of containers from the containers' own files, which are not there when a
 * capture is read, and not from events. So on captures only users of the host have names.
 */
function isIgnored(machine: Tables, containerId: string): boolean {
  return containerId !== "" && !machine.isLive;
}

export function onGroup(machine: Tables, context: Context): void {
  const { event } = context;
  if (!event.has(GROUP.gid)) return;
  const gid = event.uint32(GROUP.gid);
  const containerId = text(event, GROUP.container_id);
  if (isIgnored(machine, containerId)) return;
  if (event.code === GROUP_ADDED) {
    machine.users.addGroup(containerId, { gid, name: text(event, GROUP.name) });
  } else machine.users.removeGroup(containerId, gid);
  machine.lineage++;
}

/** Asynchronous events; those of the container plugin and of k8smeta carry their JSON. */
export function onAsync(machine: Tables, context: Context): void {
  const { event } = context;
  const name = text(event, ASYNC.name);
  const { awaited, cluster } = machine.containers;
  if (name === CLUSTER_NEWS) {
    if (cluster.apply(text(event, ASYNC.data))) machine.lineage++;
    return;
  }
  if (!name.startsWith("container")) return;
  if (name === CONTAINERS_AWAITED) {
    const told = awaitedIn(text(event, ASYNC.data));
    cluster.enabled ||= told.cluster;
    return awaited.enable(told.ids);
  }
  if (name !== "container" && name !== "container_removed" && name !== CONTAINER_UNKNOWN) return;
  const container = parseContainer(text(event, ASYNC.data));
  if (container === undefined) return;
  const { id, fullId } = container;
  if (name === CONTAINER_UNKNOWN) return awaited.end(fullId || id);
  if (name === "container_removed" && container.info?.["name"] === undefined) {
    // Saker's own, which tells nothing but the id.
    machine.lineage++;
    return machine.containers.remove(id, fullId);
  }
  learn(machine, container);
  if (name === "container_removed") machine.containers.remove(id, fullId);
}

interface Awaited {
  readonly ids: readonly string[];
  readonly cluster: boolean;
}

/** Ids that a recording began to wait for before it began, and whether a cluster was asked. */
function awaitedIn(json: string): Awaited {
  try {
    const { awaited, cluster } = JSON.parse(json) as { awaited?: unknown; cluster?: unknown };
    const ids = (Array.isArray(awaited) ? awaited : []).filter((id) => typeof id === "string");
    return { ids: ids.slice(0, AWAITED_MAX), cluster: cluster === true };
  } catch {
    return { ids: [], cluster: false };
  }
}

/** The container events of old captures: id, type, name and image. */
export function onContainer(machine: Tables, context: Context): void {
  const { event } = context;
  const id = text(event, CONTAINER.id);
  const type = event.has(CONTAINER.type) ? event.uint32(CONTAINER.type) : 0xffff;
  const name = text(event, CONTAINER.name);
  const info = { id, type, name, image: text(event, CONTAINER.image) };
  learn(machine, { id, fullId: "", type: containerTypeName(type), info });
}

/** The same as JSON. */
export function onContainerJson(machine: Tables, context: Context): void {
  const container = parseContainer(text(context.event, JSON_TEXT));
  if (container !== undefined) learn(machine, container);
}

function learn(machine: Tables, container: Container): void {
  machine.containers.add(container);
  machine.eventContainer = container;
  machine.containers.awaited.end(container.id);
  if (container.fullId !== container.id) machine.containers.awaited.end(container.fullId);
  machine.lineage++;
}

/** A parameter up to its first NUL. */
function text(event: Event, index: number): string {
  const length = event.paramLength(index);
  if (length === 0) return "";
  const bytes = event.bytes.subarray(event.param(index), event.param(index) + length);
  const nul = bytes.indexOf(0);
  return decoder.decode(nul < 0 ? bytes : bytes.subarray(0, nul));
}
