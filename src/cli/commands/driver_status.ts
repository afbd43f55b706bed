// `saker driver status`: the kernel module as it is: loaded, with its version, its readers and its
// parameters; or not, with what there is to load or what hinders it. Exit code 0 where it is loaded
// and speaks as this saker does, 1 where it is not.
import { embeddedModule, loadAddon } from "../../engine/host/addon.ts";
import { devicePath, loadedModule, readersOf } from "../../kmod/loaded.ts";
import { buildHindrance } from "../../kmod/make_module.ts";
import { hindrance, hostRules } from "../../kmod/refusals.ts";
import {
  installedModule,
  kept,
  type ModuleHost,
  moduleHost,
  readerName,
} from "../start/kernel_module.ts";
import type { Terminal } from "../terminal.ts";

export interface DriverStatus {
  readonly loaded: boolean;
  /** Of the module: saker's version, its interface, what the kernel says of it. */
  readonly version?: string;
  readonly interface?: number;
  readonly state?: string;
  readonly uses?: number;
  readonly readers?: readonly { readonly pid: number; readonly name: string }[];
  readonly readers_max?: number;
  readonly refused?: number;
  readonly parameters?: Readonly<Record<string, string>>;
  /** Why the module does not answer, or is of no use to this saker. */
  readonly trouble?: string;
  /** Of this saker. */
  readonly own_interface: number;
  /** What `load` would take; absent: it would build one. */
  readonly file?: string;
  /** Why it cannot be loaded, or built. */
  readonly hindrance?: string;
}

export function driverStatus({ json }: { readonly json?: boolean }, terminal: Terminal): number {
  const status = statusOf(moduleHost(terminal));
  if (json === true) terminal.out(`${JSON.stringify(status)}\n`);
  else for (const line of linesOf(status)) terminal.out(`${line}\n`);
  return status.loaded && status.trouble === undefined ? 0 : 1;
}

export function statusOf(host: ModuleHost): DriverStatus {
  const addon = loadAddon();
  const own_interface = addon.moduleInterface();
  const loaded = loadedModule(host.root);
  if (loaded === undefined) {
    return { loaded: false, own_interface, ...outlook(host) };
  }
  const { version, state, uses, parameters } = loaded;
  const known = { loaded: true, version, state, uses, readers: readersOf(host.root), parameters };
  try {
    const about = addon.moduleAbout(devicePath(host.root));
    const trouble = about.version === own_interface
      ? {}
      : { trouble: `it has interface ${about.version}, and this saker speaks ${own_interface}` };
    return {
      ...known,
      version: about.saker,
      interface: about.version,
      readers_max: about.readersMax,
      refused: about.refused,
      ...trouble,
      own_interface,
    };
  } catch (error) {
    return { ...known, trouble: (error as Error).message, own_interface };
  }
}

/** What would become of `saker driver load`. */
export function outlook(host: ModuleHost): Pick<DriverStatus, "file" | "hindrance"> {
  const file = found(host);
  const known = hindrance(hostRules(host.root), file !== undefined);
  if (known !== undefined) return { ...(file === undefined ? {} : { file }), hindrance: known };
  if (file !== undefined) return { file };
  let sources: ReturnType<typeof embeddedModule>;
  try {
    sources = embeddedModule();
  } catch (error) {
    return { hindrance: (error as Error).message };
  }
  const lacks = buildHindrance({
    ...host,
    sources,
    headers: undefined,
    signing: undefined,
    output: undefined,
  });
  return lacks === undefined ? {} : { hindrance: lacks };
}

function found(host: ModuleHost): string | undefined {
  try {
    return kept(host) ?? installedModule(host);
  } catch {
    // Not this user's to look at.
    return installedModule(host);
  }
}

function linesOf(status: DriverStatus): string[] {
  if (!status.loaded) {
    const { file, hindrance } = status;
    const outlook = hindrance ?? (file === undefined ? "it can be built" : `it is built: ${file}`);
    return [
      `not loaded; ${outlook}${hindrance === undefined ? " (saker driver load)" : ""}`,
    ];
  }
  const { version, state, uses, readers = [], readers_max, refused, parameters = {} } = status;
  const of = readers_max === undefined ? "" : ` of ${readers_max}`;
  const names = readers.length === 0 ? "" : `: ${readers.map(readerName).join(", ")}`;
  const all = Object.entries(parameters).map(([name, value]) => `${name}=${value}`);
  return [
    `loaded (${state}), saker ${version}, interface ${status.interface ?? "unknown"}`,
    `readers: ${readers.length}${of}${names}`,
    ...(refused === undefined || refused === 0 ? [] : [`readers that were refused: ${refused}`]),
    `uses: ${uses}`,
    ...(all.length === 0 ? [] : [`parameters: ${all.join(" ")}`]),
    ...(status.trouble === undefined ? [] : [`trouble: ${status.trouble}`]),
  ];
}
