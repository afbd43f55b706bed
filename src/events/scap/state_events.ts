// What no list of a capture has a place for goes into its first events, as Falco does it: users
// and groups of containers, and what is known of the containers. They only keep tables right.
import { BLOCK_EVENT_FLAGS, BLOCK_EVENT_FLAGS_LARGE, STATE_ONLY } from "../blocks.ts";
import { HEADER_BYTES } from "../event.ts";
import { codeOf, EVENTS } from "../table.ts";
import type { BlockBuffer } from "./block_buffer.ts";
import type { GroupRecord, UserRecord } from "./state_blocks.ts";

const USER_ADDED = codeOf("USER_ADDED_E");
const GROUP_ADDED = codeOf("GROUP_ADDED_E");
const ASYNC = codeOf("ASYNCEVENT_E");
/** Longest text of a parameter whose length has 16 bits, its NUL included. */
const PARAM_MAX = 65_535;

const encoder = new TextEncoder();

/** `time` in ns since the epoch. */
export function putContainerUser(
  out: BlockBuffer,
  time: bigint,
  containerId: string,
  user: UserRecord,
): void {
  putEvent(out, USER_ADDED, time, [
    uint32(user.uid),
    uint32(user.gid),
    text(user.name),
    text(user.homedir),
    text(user.shell),
    text(containerId),
  ]);
}

export function putContainerGroup(
  out: BlockBuffer,
  time: bigint,
  containerId: string,
  group: GroupRecord,
): void {
  putEvent(out, GROUP_ADDED, time, [uint32(group.gid), text(group.name), text(containerId)]);
}

/** What an asynchronous event says of a container. The last two are saker's own: no runtime knows
 * it; and, without an id, that alerts of new containers waited for what is known of them. */
export type ContainerNews =
  | "container"
  | "container_removed"
  | typeof CONTAINER_UNKNOWN
  | typeof CONTAINERS_AWAITED;

/** The name of events that tell of a cluster's objects, as Falco's k8smeta plugin gives it. */
export const CLUSTER_NEWS = "k8s";
export const CONTAINER_UNKNOWN = "container_unknown";
export const CONTAINERS_AWAITED = "containers_awaited";

/** `json` as the k8smeta plugin's `k8s` events carry it. */
export function putCluster(out: BlockBuffer, time: bigint, json: string): void {
  putAsync(out, time, CLUSTER_NEWS, json);
}

/** `json` as the container plugin's `container` events carry it. */
export function putContainer(
  out: BlockBuffer,
  time: bigint,
  json: string,
  news: ContainerNews = "container",
): void {
  putAsync(out, time, news, json);
}

function putAsync(out: BlockBuffer, time: bigint, name: string, json: string): void {
  putEvent(out, ASYNC, time, [uint32(0), text(name), encoder.encode(`${json}\0`)]);
}

function putEvent(out: BlockBuffer, code: number, time: bigint, params: Uint8Array[]): void {
  const large = EVENTS[code]!.flags.has("large_payload");
  out.beginBlock(large ? BLOCK_EVENT_FLAGS_LARGE : BLOCK_EVENT_FLAGS);
  // No processor has them.
  out.u16(0);
  out.u32(STATE_ONLY);
  out.u64(time);
  out.i64(-1);
  const head = HEADER_BYTES + params.length * (large ? 4 : 2);
  out.u32(params.reduce((sum, param) => sum + param.length, head));
  out.u16(code);
  out.u32(params.length);
  for (const param of params) large ? out.u32(param.length) : out.u16(param.length);
  for (const param of params) out.raw(param);
  out.endBlock();
}

function uint32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

function text(value: string): Uint8Array {
  const bytes = encoder.encode(value);
  const length = Math.min(bytes.length, PARAM_MAX - 1);
  const closed = new Uint8Array(length + 1);
  closed.set(bytes.subarray(0, length));
  return closed;
}
