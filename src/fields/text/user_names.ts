// Names of users and groups as an event's container knows them.
import type { Context } from "../../state/contract/context.ts";
import type { Group, User } from "../../state/tables/users.ts";
import type { Thread } from "../../state/tables/thread.ts";

/** The container that the thread runs in; "" on the host. */
export function containerIdOf(context: Context, thread: Thread): string {
  const id = context.machine.strings.text(thread.containerId) ?? "";
  return id === "host" ? "" : id;
}

export function userOf(context: Context, thread: Thread, uid: number): User | undefined {
  return context.machine.user(containerIdOf(context, thread), uid, thread.pid);
}

export function groupOf(context: Context, thread: Thread, gid: number): Group | undefined {
  return context.machine.group(containerIdOf(context, thread), gid, thread.pid);
}

/** Name of a user that a parameter gives by number; `<NA>` where it has none. */
export function userName(context: Context, uid: number): string {
  const name = context.thread && userOf(context, context.thread, uid)?.name;
  return name || "<NA>";
}

export function groupName(context: Context, gid: number): string {
  const name = context.thread && groupOf(context, context.thread, gid)?.name;
  return name || "<NA>";
}
