// A program's arguments, environment and cgroups as text. They come as the events have them:
// strings separated by NUL.
import { rawText } from "../../words/raw_text.ts";
import type { Machine } from "../../state/contract/machine.ts";
import { shortOf } from "../../state/tables/long_lists.ts";
import type { Thread } from "../../state/tables/thread.ts";

/** The strings of a NUL-separated block; the last may lack its NUL. */
export function splitNul(bytes: Uint8Array): string[] {
  const end = bytes.length > 0 && bytes[bytes.length - 1] === 0 ? bytes.length - 1 : bytes.length;
  return end === 0 ? [] : rawText(bytes.subarray(0, end)).split("\0");
}

/** How many strings that are. */
export function countNul(bytes: Uint8Array): number {
  if (bytes.length === 0 || (bytes.length === 1 && bytes[0] === 0)) return 0;
  let count = 1;
  for (let at = 0; at < bytes.length - 1; at++) if (bytes[at] === 0) count++;
  return count;
}

/** The strings of a NUL-separated block with blanks between them. */
export function joinNul(bytes: Uint8Array): string {
  const end = bytes.length > 0 && bytes[bytes.length - 1] === 0 ? bytes.length - 1 : bytes.length;
  return end === 0 ? "" : rawText(bytes.subarray(0, end)).replaceAll("\0", " ");
}

/** The same for outputs: of a long block both ends. */
export function joinShort(bytes: Uint8Array): string {
  return joinNul(shortOf(bytes));
}

/** Command name and arguments. */
export function commandLine(
  machine: Machine,
  thread: Pick<Thread, "comm" | "args">,
  join: (args: Uint8Array) => string = joinNul,
): string {
  const comm = machine.strings.text(thread.comm) ?? "";
  return thread.args.length === 0 ? comm : `${comm} ${join(thread.args)}`;
}

/** Value of an environment variable without blanks around it; "" where it is not set. */
export function variable(env: Uint8Array, name: string): string {
  const prefix = `${name}=`;
  for (const entry of splitNul(env)) {
    if (!entry.startsWith(prefix) || entry.length === prefix.length) continue;
    return entry.slice(prefix.length).replace(/^ +| +$/g, "");
  }
  return "";
}

/** Subsystem and path of each of a thread's cgroups, under the names that Falco uses. */
export function cgroups(machine: Machine, thread: Thread): [subsystem: string, path: string][] {
  const list: [string, string][] = [];
  const text = machine.strings.text(thread.cgroups) ?? "";
  for (const entry of text.endsWith("\0") ? text.slice(0, -1).split("\0") : text.split("\0")) {
    const equals = entry.indexOf("=");
    if (equals < 0) break;
    const name = entry.slice(0, equals).replace("_cgroup", "");
    list.push([RENAMED[name] ?? name, entry.slice(equals + 1)]);
  }
  return list;
}

/** `io` is the name of `blkio` in newer kernels. */
const RENAMED: Readonly<Record<string, string>> = {
  perf: "perf_event",
  mem: "memory",
  io: "blkio",
};
