// Has the driver that the configuration names be there before anything is opened: the kernel module
// is loaded where it can be. Throws one line where it cannot.
import type { Config } from "../../config/schema.ts";
import type { Terminal } from "../terminal.ts";

export async function provideDriver(
  { engine }: Config,
  terminal: Terminal,
  told: (line: string) => void,
): Promise<void> {
  if (engine.kind !== "kmod") return;
  const { provideKernelModule } = await import("./kernel_module.ts");
  await provideKernelModule(terminal, told);
}
