// Events that no thread made: users, groups and containers, as the recorder learnt of them.
import { codeOf } from "../../events/table.ts";
import type { Event } from "../../events/event.ts";
import { containerTypeName, parseContainer } from "../tables/containers.ts";
import type { Context } from "../contract/context.ts";
import type { Container } from "../tables/containers.ts";
import type { Tables } from "../tables/tables.ts";

const decoder = new TextDecoder();
const USER_ADDED = codeOf("USER_ADDED_E");
const GROUP_ADDED = codeOf("GROUP_ADDED_E");

/**
 * Users of containers are passed over, as Falco does on captures: it would look for them on the
 * machine that reads the capture.
 */
export function onUser(machine: Tables, context: Context): void {
  const { event } = context;
  if (!event.has(0)) return;
  const uid = event.uint32(0);
  const containerId = text(event, 5);
  if (event.code === USER_ADDED && containerId !== "") return;
  if (isIgnored(machine, containerId)) return;
  if (event.code === USER_ADDED) {
    machine.users.addUser(containerId, {
      uid,
      gid: event.has(1) ? event.uint32(1) : 0,
      name: text(event, 2),
      homedir: text(event, 3),
      shell: text(event, 4),
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
  if (!event.has(0)) return;
  const gid = event.uint32(0);
  const containerId = text(event, 2);
  if (isIgnored(machine, containerId)) return;
  if (event.code === GROUP_ADDED) {
    machine.users.addGroup(containerId, { gid, name: text(event, 1) });
  } else machine.users.removeGroup(containerId, gid);
  machine.lineage++;
}

/** Asynchronous events; those of the container plugin carry its JSON. */
export function onAsync(machine: Tables, context: Context): void {
  const { event } = context;
  const name = text(event, 1);
  if (name !== "container" && name !== "container_removed") return;
  const container = parseContainer(text(event, 2));
  if (container === undefined) return;
  learn(machine, container);
  if (name === "container_removed") machine.containers.remove(container.id);
}

/** The container events of old captures: id, type, name and image. */
export function onContainer(machine: Tables, context: Context): void {
  const { event } = context;
  const id = text(event, 0);
  const type = event.paramLength(1) >= 4 ? event.uint32(1) : 0xffff;
  const info = { id, type, name: text(event, 2), image: text(event, 3) };
  learn(machine, { id, fullId: "", type: containerTypeName(type), info });
}

/** The same as JSON. */
export function onContainerJson(machine: Tables, context: Context): void {
  const container = parseContainer(text(context.event, 0));
  if (container !== undefined) learn(machine, container);
}

function learn(machine: Tables, container: Container): void {
  machine.containers.add(container);
  machine.eventContainer = container;
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
