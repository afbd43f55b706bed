// `saker driver build`, `load`, `unload`, `status`, `install` and `uninstall`: how they are asked
// for.
import type { Command } from "commander";
import type { BuildFlags, LoadFlags } from "../start/kernel_module.ts";
import type { Terminal } from "../terminal.ts";

/** Adds the commands; `onEnd` gets the exit code of the one that ran. */
export function addDriverCommands(
  program: Command,
  onEnd: (code: number) => void,
  terminal: Terminal,
): void {
  const driver = program.command("driver")
    .description("the kernel module, for engine.kind: kmod")
    .action(() =>
      driver.error("missing command: driver build, load, unload, status, install or uninstall")
    );
  const addBuildOptions = (command: Command) =>
    command
      .option("--kernel <release>", "for this kernel instead of the one that runs")
      .option("--sign-key <file>", "sign it with this key (PEM, or a PKCS#11 URI)")
      .option("--sign-cert <file>", "the certificate of that key");
  addBuildOptions(driver.command("build"))
    .description("compile the module with the kernel's headers, and keep it for load")
    .option("--headers <directory>", "the kernel's headers, instead of the installed ones")
    .option("--output <file>", "write it there instead")
    .action(async (flags: BuildFlags) => {
      const { buildDriver } = await import("./driver.ts");
      onEnd(await buildDriver(flags, terminal));
    });
  driver.command("load")
    .description("load the module, which is built first where there is none")
    .argument("[parameters...]", "of the module, NAME=VALUE")
    .option("--file <file>", "a module's file, instead of the one that was built or installed")
    .action(async (parameters: string[], flags: LoadFlags) => {
      const { loadDriver } = await import("./driver.ts");
      onEnd(await loadDriver({ ...flags, parameters }, terminal));
    });
  driver.command("unload")
    .description("unload the module; who still uses it is told")
    .action(async () => {
      const { unloadDriver } = await import("./driver.ts");
      onEnd(unloadDriver(terminal));
    });
  driver.command("status")
    .description("whether it is loaded, who reads from it, or what hinders it")
    .option("--json", "as JSON")
    .action(async (flags: { readonly json?: boolean }) => {
      const { driverStatus } = await import("./driver_status.ts");
      onEnd(driverStatus(flags, terminal));
    });
  addBuildOptions(driver.command("install"))
    .description("install the module for good: through DKMS where there is one")
    .option("--no-dkms", "into /lib/modules even where there is DKMS")
    .action(async (flags: BuildFlags & { readonly dkms: boolean }) => {
      const { installDriver } = await import("./driver_install.ts");
      onEnd(await installDriver(flags, terminal));
    });
  driver.command("uninstall")
    .description("undo install")
    .action(async () => {
      const { uninstallDriver } = await import("./driver_install.ts");
      onEnd(await uninstallDriver(terminal));
    });
}
