// A process as a runtime that cannot be had here would have it: in a cgroup of that runtime's name,
// in namespaces and below a root directory of its own.
import { existsSync } from "node:fs";
import { assertEquals } from "../expect.ts";
import { run } from "../trigger.ts";

/** A hierarchy that events tell of: version 1, hybrid, version 2. */
export const TOP: string = ["/sys/fs/cgroup/cpu", "/sys/fs/cgroup"].find(existsSync)!;

/** Runs it to its end, and removes what it made of the cgroup's path. */
export async function runInCgroup(
  path: string,
  root: string,
  command: readonly string[],
): Promise<void> {
  const script = `set -e
group=$0/saker.test/$1
root=$2
shift 2
mkdir -p $group
sh -c 'echo $$ > $0/cgroup.procs; root=$1; shift
  exec unshare --mount --pid --fork chroot $root "$@"' $group $root "$@"
while [ "$group" != "$0" ]; do
  rmdir $group || exit 0
  group=\${group%/*}
done`;
  const { code, stderr } = await run("/bin/sh", ["-c", script, TOP, path, root, ...command]);
  assertEquals([code, stderr], [0, ""]);
}
