// Container runtimes for tests, as scripts/setup has unpacked them below the cache: where their
// programs are, what they need to run from there, and why one cannot be had.
import { isFile, isRoot } from "../trigger.ts";

export type RuntimeName = "containerd" | "docker" | "podman";

/** A runtime that cannot run here, with the reason: its tests say so and are left out. */
export class CannotRun extends Error {}

const cache = Deno.env.get("SAKER_CACHE") ?? `${Deno.env.get("HOME") ?? ""}/.cache/saker`;
export const TOOLS = `${cache}/tools`;
const SETS = ["containerd", "docker", "podman", "lxc", "nspawn", "uidmap", "rpm"];
const PROGRAM_DIRECTORIES = ["usr/bin", "usr/sbin", "bin", "sbin"];
const LIBRARY_DIRECTORIES = [
  "usr/lib/x86_64-linux-gnu",
  "lib/x86_64-linux-gnu",
  "usr/lib/x86_64-linux-gnu/systemd",
];

export const LIBRARIES = inSets(LIBRARY_DIRECTORIES).join(":");

/** What a runtime's programs are called. */
const PROGRAMS: Readonly<Record<RuntimeName, readonly string[]>> = {
  containerd: ["containerd", "ctr", "containerd-shim-runc-v2", "runc"],
  docker: ["dockerd", "docker", "containerd", "containerd-shim-runc-v2", "runc"],
  podman: ["podman", "conmon", "crun"],
};

/** A program of a runtime, or busybox, where it was unpacked. */
export function unpacked(program: string): string {
  const found = inSets(PROGRAM_DIRECTORIES, ["busybox", ...SETS])
    .map((directory) => `${directory}/${program}`)
    .find(isFile);
  if (found === undefined) throw new CannotRun(`scripts/setup could not have ${program}`);
  return found;
}

/** Throws where a runtime surely cannot be started. */
export function demand(runtime: RuntimeName): void {
  if (!isRoot()) throw new CannotRun(`${runtime} needs root`);
  for (const program of ["busybox", ...PROGRAMS[runtime]]) unpacked(program);
}

/** The environment of a runtime's programs; `first` stands before all others in PATH. */
export function environment(first: string): Record<string, string> {
  const own = inSets(PROGRAM_DIRECTORIES);
  const path = Deno.env.get("PATH") ?? "/usr/sbin:/usr/bin:/sbin:/bin";
  return {
    PATH: [first, ...own, path].join(":"),
    LD_LIBRARY_PATH: LIBRARIES,
    // Nothing of the person who runs the tests.
    HOME: first,
  };
}

function inSets(directories: readonly string[], sets: readonly string[] = SETS): string[] {
  return sets.flatMap((set) => directories.map((directory) => `${TOOLS}/${set}/${directory}`));
}
