// `saker driver build`, `load` and `unload`: the kernel module is made, put into the kernel and
// taken out of it. Each says in a line what was done; failures are thrown as one line.
import {
  type BuildFlags,
  buildFor,
  type LoadFlags,
  loadKernelModule,
  moduleHost,
  unloadKernelModule,
} from "../start/kernel_module.ts";
import type { Terminal } from "../terminal.ts";

export async function buildDriver(flags: BuildFlags, terminal: Terminal): Promise<number> {
  const { file, release, isNew } = await buildFor(flags, moduleHost(terminal), terminal);
  const what = isNew ? "built" : "built already";
  terminal.out(`The kernel module for ${release} is ${what}: ${file}\n`);
  return 0;
}

export async function loadDriver(flags: LoadFlags, terminal: Terminal): Promise<number> {
  const { isNew, file } = await loadKernelModule(flags, moduleHost(terminal), terminal);
  terminal.out(
    isNew ? `The kernel module is loaded: ${file}\n` : "The kernel module is loaded already\n",
  );
  return 0;
}

export function unloadDriver(terminal: Terminal): number {
  const isGone = unloadKernelModule(moduleHost(terminal));
  terminal.out(isGone ? "The kernel module is unloaded\n" : "The kernel module is not loaded\n");
  return 0;
}
