// Config → which capabilities a watch keeps once it has started, or why it keeps all. In: the
// configuration and how the host looks. Out: bits and names (linux/capability.h).
import { dirname } from "node:path";
import type { Config } from "../../config/schema.ts";
import type { KeptRights } from "../../engine/contract/messages.ts";
import { isOlder } from "./host_findings.ts";

export interface RightsView {
  /** Of this process; null where the system has none. */
  readonly uid: number | null;
  readonly release: string;
  /** Whose a file or directory is; undefined where it is not there. */
  readonly ownerOf: (path: string) => number | undefined;
}

const BITS = {
  CAP_DAC_OVERRIDE: 1,
  CAP_DAC_READ_SEARCH: 2,
  CAP_NET_BIND_SERVICE: 10,
  CAP_SYS_PTRACE: 19,
  CAP_BPF: 39,
} as const;

/** What is read all the time, and a port that another configuration may want. */
const ALWAYS = ["CAP_SYS_PTRACE", "CAP_DAC_READ_SEARCH", "CAP_NET_BIND_SERVICE"] as const;

/** Files and directories that are written while saker watches. */
function writtenPaths(config: Config): string[] {
  const { file_output, spool, capture, metrics } = config;
  return [
    ...(file_output.enabled ? [file_output.filename] : []),
    ...(spool.enabled ? [spool.directory] : []),
    ...(capture.enabled ? [`${capture.path_prefix}_`] : []),
    ...(metrics.enabled && metrics.output_file !== "" ? [metrics.output_file] : []),
  ].filter((path) => path !== "");
}

/** Whether somebody else owns what is there, or the directory in which it would be made. */
function isOfOthers(path: string, { uid, ownerOf }: RightsView): boolean {
  const owner = ownerOf(path);
  if (owner !== undefined && owner !== uid) return true;
  for (let at = dirname(path);; at = dirname(at)) {
    const owner = ownerOf(at);
    if (owner !== undefined) return owner !== uid;
    if (at === dirname(at)) return false;
  }
}

/** File systems whose server may never answer, and with it whoever asks whose a file is. */
const MAY_HANG = /^(fuse|fuseblk|fuse\..*|nfs4?|cifs|smb3|9p|ceph|afs|lustre|virtiofs)$/;
/** Nobody's: where it cannot be asked, it counts as another's. */
const UNKNOWN_OWNER = -1;

/** Whether this process sees a mount that may hang: no path is asked then, links lead anywhere. */
function seesHanging(): boolean {
  try {
    const mounts = Deno.readTextFileSync("/proc/self/mountinfo").split("\n");
    return mounts.some((line) => MAY_HANG.test(/ - (\S+)/.exec(line)?.[1] ?? ""));
  } catch {
    return true;
  }
}

/** How this host looks. */
export function thisView(): RightsView {
  const hanging = seesHanging();
  return {
    uid: Deno.uid(),
    release: Deno.osRelease(),
    ownerOf(path): number | undefined {
      if (hanging) return UNKNOWN_OWNER;
      try {
        return Deno.statSync(path).uid ?? undefined;
      } catch {
        return undefined;
      }
    },
  };
}

/** What is kept; a text says why everything is. */
export function keptRights(config: Config, view: RightsView): KeptRights | string {
  const seconds = config.engine.drop_privileges_after;
  if (seconds === 0) return "engine.drop_privileges_after is 0";
  if (config.program_output.enabled) {
    return "program_output runs a program, which has what saker has";
  }
  const names: (keyof typeof BITS)[] = [...ALWAYS];
  // Until then every look into a map wants it where others may not use BPF.
  if (isOlder(view.release, [5, 19])) names.push("CAP_BPF");
  if (writtenPaths(config).some((path) => isOfOthers(path, view))) names.push("CAP_DAC_OVERRIDE");
  const kept = names.reduce((bits, name) => bits | 1n << BigInt(BITS[name]), 0n);
  return { afterSeconds: seconds, kept, names };
}
