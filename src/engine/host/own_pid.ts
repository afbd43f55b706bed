// This process's id as the host numbers it: what the probe sees of it, and where it stands in the
// host's /proc. In a container with process ids of its own it is another than the process's own.

/** `hostRoot`: where the host's root directory is ("": here). */
export function ownPid(hostRoot: string): number {
  try {
    // The link says the number in the namespace that the mount belongs to.
    const pid = Number(Deno.readLinkSync(`${hostRoot}/proc/self`));
    if (Number.isInteger(pid) && pid > 0) return pid;
  } catch {
    // There is no such mount: what is said of it elsewhere is enough.
  }
  return Deno.pid;
}
