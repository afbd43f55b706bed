// Boots a kernel with an archive in qemu, without KVM. Out: all that the guest prints.

export interface Boot {
  readonly kernel: string;
  readonly initrd: string;
  /** A guest that is slower than this is ended. */
  readonly minutes: number;
  /** Further words of the kernel's command line. */
  readonly words?: string;
}

export async function boot({ kernel, initrd, minutes, words = "" }: Boot): Promise<string> {
  const { stdout } = await new Deno.Command("timeout", {
    args: [
      ...[`${minutes}m`, "qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max"],
      ...["-smp", "2", "-m", "1536", "-nographic", "-no-reboot", "-nic", "none"],
      ...["-kernel", kernel, "-initrd", initrd],
      // Where this host is busy the clock of an emulated machine goes in steps, of which its kernel
      // would complain beside what a test is about.
      ...["-append", `console=ttyS0 panic=-1 quiet tsc=nowatchdog rdinit=/init ${words}`.trim()],
    ],
    stdin: "null",
    stderr: "inherit",
  }).output();
  return new TextDecoder().decode(stdout);
}
