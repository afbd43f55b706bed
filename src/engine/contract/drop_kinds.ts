// Lost events by the kinds that Falco tells them by, and by name: the shared numbers come in, pairs
// go out.
import { EVENTS } from "../../events/table.ts";
import type { Counters } from "./counters.ts";

/** Falco's kinds of lost events, by the names of their calls. */
const DROP_KINDS: readonly (readonly [kind: string, calls: readonly string[]])[] = [
  ["clone_fork", ["clone", "clone3", "fork", "vfork"]],
  ["execve", ["execve", "execveat"]],
  ["connect", ["connect"]],
  ["open", ["open", "creat", "openat", "openat2", "open_by_handle_at"]],
  [
    "dir_file",
    (
      "dup chmod fchmod fchmodat chown lchown fchown fchownat link linkat mkdir mkdirat mount " +
      "umount umount2 rename renameat renameat2 rmdir symlink symlinkat unlink unlinkat"
    ).split(" "),
  ],
  [
    "other_interest",
    (
      "bpf setpgid ptrace seccomp setns setresgid setresuid setsid unshare capset keyctl"
    ).split(" "),
  ],
  ["close", ["close"]],
  ["proc", ["procexit"]],
];

/** Lost events by Falco's kinds. */
export function dropKinds(counters: Counters): [kind: string, lost: number][] {
  const byName = new Map(lostByName(counters));
  const lost = (calls: readonly string[]) =>
    calls.reduce((sum, call) => sum + (byName.get(call) ?? 0), 0);
  return DROP_KINDS.map(([kind, calls]) => [kind, lost(calls)]);
}

/** Lost events by name, of those that lost some; `unknown` for those whose event is not known. */
export function lostByName({ lost }: Counters): [event: string, lost: number][] {
  const byName = new Map<string, number>();
  for (const { code, name } of EVENTS) {
    const count = lost[code]!;
    const told = code === 0 ? "unknown" : name;
    if (count > 0) byName.set(told, (byName.get(told) ?? 0) + count);
  }
  return [...byName];
}
