// What this machine does not let root do, and OCI runtimes that go without it: a machine may lack
// a capability, and then no container can be given it. A script in front of the real runtime takes
// it out of the container's configuration; all else is the runtime's own.
import { LIBRARIES, unpacked } from "./unpacked.ts";

/** Capabilities by number (linux/capability.h). */
const CAPABILITIES = (
  "chown dac_override dac_read_search fowner fsetid kill setgid setuid setpcap linux_immutable " +
  "net_bind_service net_broadcast net_admin net_raw ipc_lock ipc_owner sys_module sys_rawio " +
  "sys_chroot sys_ptrace sys_pacct sys_admin sys_boot sys_nice sys_resource sys_time " +
  "sys_tty_config mknod lease audit_write audit_control setfcap mac_override mac_admin syslog " +
  "wake_alarm block_suspend audit_read perfmon bpf checkpoint_restore"
).split(" ").map((name) => `CAP_${name.toUpperCase()}`);

/** Capabilities that not even root has here. */
export function missingCapabilities(): string[] {
  const status = Deno.readTextFileSync("/proc/self/status");
  const held = BigInt(`0x${/^CapPrm:\s*(\w+)$/m.exec(status)![1]}`);
  const last = Number(Deno.readTextFileSync("/proc/sys/kernel/cap_last_cap"));
  return CAPABILITIES.filter((_, bit) => bit <= last && (held & (1n << BigInt(bit))) === 0n);
}

/** Puts `runc` or `crun` into a directory: what stands first in the PATH of a runtime's daemon. */
export function placeOciRuntime(name: "runc" | "crun", directory: string): string {
  const path = `${directory}/${name}`;
  const edits = missingCapabilities().flatMap((capability) => [
    ...["-e", `'s/,[[:space:]]*"${capability}"//g'`],
    ...["-e", `'s/"${capability}"[[:space:]]*,//g'`, "-e", `'s/"${capability}"//g'`],
  ]);
  Deno.writeTextFileSync(path, script(unpacked(name), edits.join(" ")), { mode: 0o755 });
  return path;
}

function script(program: string, edits: string): string {
  const start = `#!/bin/sh
export LD_LIBRARY_PATH='${LIBRARIES}'
`;
  if (edits === "") return `${start}exec '${program}' "$@"\n`;
  return `${start}before=
for word; do
  case $before in
    --bundle | -b) sed -z -i ${edits} "$word/config.json" ;;
    --process | -p) sed -z -i ${edits} "$word" ;;
  esac
  before=$word
done
exec '${program}' "$@"
`;
}
