// `saker driver install` and `uninstall`: the kernel module for good. With DKMS its sources are
// handed over, so that each new kernel has one; without, the module for one kernel goes into
// /lib/modules. In: flags. Out: what was done, line by line; failures are thrown as one line.
import { dirname } from "node:path";
import { embeddedModule } from "../../engine/host/addon.ts";
import { reasonOf } from "../../files/reason.ts";
import { MODULE } from "../../kmod/build_module.ts";
import { dkmsDirectory, dkmsFiles } from "../../kmod/dkms.ts";
import { programIn } from "../../kmod/tools.ts";
import {
  type BuildFlags,
  buildFor,
  type ModuleHost,
  moduleHost,
  signingOf,
} from "../start/kernel_module.ts";
import { SAKER_VERSION } from "../start/versions.ts";
import type { Terminal } from "../terminal.ts";

export interface DriverInstallFlags extends BuildFlags {
  /** False: not through DKMS even where there is one. */
  readonly dkms: boolean;
}

export async function installDriver(
  flags: DriverInstallFlags,
  terminal: Terminal,
): Promise<number> {
  const host = moduleHost(terminal);
  requireRoot("install");
  const dkms = flags.dkms ? programIn(host.path, "dkms") : undefined;
  if (dkms !== undefined && signingOf(flags) !== undefined) {
    throw new Error(
      "DKMS signs modules with a key of its own (/etc/dkms/framework.conf): " +
        "--sign-key goes with --no-dkms",
    );
  }
  if (dkms !== undefined) return await installByDkms(dkms, flags, host, terminal);
  const { file, release } = await buildFor(flags, host, terminal);
  const place = extraFile(host, release);
  try {
    Deno.mkdirSync(dirname(place), { recursive: true, mode: 0o755 });
    Deno.copyFileSync(file, `${place}.new`);
    Deno.chmodSync(`${place}.new`, 0o644);
    Deno.renameSync(`${place}.new`, place);
  } catch (error) {
    throw new Error(`Cannot install ${place}: ${reasonOf(error)}`);
  }
  terminal.out(`installed  ${place}\n`);
  await depmod(release, host, terminal);
  loadAtBoot(host, terminal);
  terminal.out("Next: saker driver load; for each new kernel, install it again (DKMS would)\n");
  return 0;
}

async function installByDkms(
  dkms: string,
  { kernel, headers }: BuildFlags,
  host: ModuleHost,
  terminal: Terminal,
): Promise<number> {
  if (headers !== undefined) throw new Error("--headers: DKMS finds them by itself");
  const directory = dkmsDirectory(SAKER_VERSION);
  const name = `${MODULE}/${SAKER_VERSION}`;
  // Another build of this version may be there.
  await attempt(dkms, ["remove", name, "--all"]);
  try {
    removeDirectory(directory);
    Deno.mkdirSync(directory, { mode: 0o755 });
    for (const { name, bytes } of dkmsFiles(embeddedModule(), SAKER_VERSION)) {
      Deno.writeFileSync(`${directory}/${name}`, bytes, { createNew: true, mode: 0o644 });
    }
  } catch (error) {
    throw new Error(`Cannot install ${directory}: ${reasonOf(error)}`);
  }
  terminal.out(`installed  ${directory}\n`);
  const of = kernel ?? host.release;
  for (const command of ["add", "build", "install"]) {
    const { success, said } = await attempt(dkms, [
      command,
      name,
      ...(command === "add" ? [] : ["-k", of]),
    ]);
    if (!success) throw new Error(`dkms ${command} ${name} failed: ${said}`);
  }
  terminal.out(`installed  ${MODULE} for kernel ${of}, through DKMS\n`);
  loadAtBoot(host, terminal);
  terminal.out("Next: saker driver load\n");
  return 0;
}

export async function uninstallDriver(terminal: Terminal): Promise<number> {
  const host = moduleHost(terminal);
  requireRoot("uninstall");
  let count = 0;
  const dkms = programIn(host.path, "dkms");
  const directory = dkmsDirectory(SAKER_VERSION);
  if (isThere(directory)) {
    if (dkms !== undefined) await attempt(dkms, ["remove", `${MODULE}/${SAKER_VERSION}`, "--all"]);
    removeDirectory(directory);
    terminal.out(`removed  ${directory}\n`);
    count++;
  }
  for (const release of releases(host)) {
    const place = extraFile(host, release);
    if (!isThere(place)) continue;
    Deno.removeSync(place);
    terminal.out(`removed  ${place}\n`);
    await depmod(release, host, terminal);
    count++;
  }
  const list = `${host.root}${AT_BOOT}`;
  if (isThere(list)) {
    Deno.removeSync(list);
    terminal.out(`removed  ${list}\n`);
    count++;
  }
  if (count === 0) terminal.out("The kernel module is not installed\n");
  return 0;
}

function requireRoot(command: string): void {
  if (Deno.uid() === 0) return;
  throw new Error(`saker driver ${command} writes what is root's: run it as root`);
}

function extraFile({ root }: ModuleHost, release: string): string {
  return `${root}/lib/modules/${release}/extra/${MODULE}.ko`;
}

function releases({ root }: ModuleHost): string[] {
  try {
    return [...Deno.readDirSync(`${root}/lib/modules`)].map(({ name }) => name).sort();
  } catch {
    return [];
  }
}

/** Where systemd and others read which modules are loaded at boot. */
const AT_BOOT = "/etc/modules-load.d/saker.conf";

/** saker's unit may load none. */
function loadAtBoot({ root }: ModuleHost, terminal: Terminal): void {
  const place = `${root}${AT_BOOT}`;
  try {
    Deno.mkdirSync(dirname(place), { recursive: true, mode: 0o755 });
    Deno.writeTextFileSync(place, `# Written by saker driver install.\n${MODULE}\n`, {
      mode: 0o644,
    });
  } catch (error) {
    throw new Error(`Cannot install ${place}: ${reasonOf(error)}`);
  }
  terminal.out(`installed  ${place}\n`);
}

/** So that modprobe finds it, which saker does without. */
async function depmod(
  release: string,
  { root, path }: ModuleHost,
  terminal: Terminal,
): Promise<void> {
  const program = programIn(path, "depmod");
  if (program === undefined) {
    terminal.error("Warning: there is no depmod here: modprobe does not find the module\n");
    return;
  }
  const base = root === "" ? [] : ["-b", root];
  const { success, said } = await attempt(program, [...base, release]);
  if (!success) terminal.error(`Warning: depmod ${release} failed: ${said}\n`);
}

async function attempt(
  program: string,
  args: readonly string[],
): Promise<{ readonly success: boolean; readonly said: string }> {
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args: [...args],
    stdin: "null",
  }).output();
  const lines = [stderr, stdout].flatMap((bytes) => new TextDecoder().decode(bytes).split("\n"));
  const said = lines.map((line) => line.trim()).filter((line) => line !== "").slice(0, 3);
  return { success, said: said.join("; ") };
}

function isThere(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

function removeDirectory(directory: string): void {
  if (isThere(directory)) Deno.removeSync(directory, { recursive: true });
}
