// The module as it is loaded now: what the kernel shows of it, and who has its device open. In: the
// host's /sys and /proc. Out: plain data.
import { MODULE } from "./build_module.ts";

export const DEVICE = "/dev/saker";

/** The device as this process reaches it. */
export function devicePath(root: string): string {
  const below = `${root}${DEVICE}`;
  try {
    Deno.lstatSync(below);
    return below;
  } catch {
    return DEVICE;
  }
}

export interface LoadedModule {
  /** `live`; `coming` and `going` while it is loaded and unloaded. */
  readonly state: string;
  /** saker's, as the module says. */
  readonly version: string;
  /** Open files and mappings of its device, and whatever else holds it. */
  readonly uses: number;
  /** Its parameters as they are. */
  readonly parameters: Readonly<Record<string, string>>;
}

/** Undefined where it is not loaded. `root`: below which the host's /sys is; "" for /. */
export function loadedModule(root: string): LoadedModule | undefined {
  const directory = `${root}/sys/module/${MODULE}`;
  const state = textOf(`${directory}/initstate`);
  if (state === undefined) return undefined;
  return {
    state,
    version: textOf(`${directory}/version`) ?? "",
    uses: Number(textOf(`${directory}/refcnt`) ?? 0),
    parameters: Object.fromEntries(
      namesIn(`${directory}/parameters`).sort()
        .map((name) => [name, textOf(`${directory}/parameters/${name}`) ?? ""]),
    ),
  };
}

/** A process that has the device open. */
export interface Reader {
  readonly pid: number;
  readonly name: string;
}

/** As far as this process may look. `root`: below which the host's /proc is. */
export function readersOf(root: string): Reader[] {
  const readers: Reader[] = [];
  for (const pid of namesIn(`${root}/proc`)) {
    if (!/^[0-9]+$/.test(pid)) continue;
    const directory = `${root}/proc/${pid}`;
    if (!namesIn(`${directory}/fd`).some((fd) => isDevice(`${directory}/fd/${fd}`))) continue;
    readers.push({ pid: Number(pid), name: textOf(`${directory}/comm`) ?? "" });
  }
  return readers.sort((a, b) => a.pid - b.pid);
}

function isDevice(link: string): boolean {
  try {
    return Deno.readLinkSync(link) === DEVICE;
  } catch {
    return false;
  }
}

function namesIn(directory: string): string[] {
  try {
    return [...Deno.readDirSync(directory)].map(({ name }) => name);
  } catch {
    return [];
  }
}

function textOf(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path).trim();
  } catch {
    return undefined;
  }
}
