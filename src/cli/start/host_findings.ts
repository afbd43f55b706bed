// What this host offers to a saker that watches: /proc, /sys and the kernel's settings come in, one
// finding for each thing that it needs goes out, with what would not be seen and what to do.

export type Verdict = "ok" | "missing" | "note";

export interface Finding {
  readonly verdict: Verdict;
  readonly text: string;
  /** What would help. */
  readonly advice?: string;
  /** Of one program: told where it is amiss, or where somebody wants to know. */
  readonly detail?: true;
}

/** How the host is looked at; a test gives another one. */
export interface HostView {
  readonly release: string;
  readonly arch: string;
  /** The text of a file; undefined where it cannot be read. */
  readonly read: (path: string) => string | undefined;
  readonly exists: (path: string) => boolean;
  /** Where a link leads; undefined where there is none. */
  readonly link: (path: string) => string | undefined;
}

/** Capabilities and their bits (linux/capability.h), what each is for, and what lacks without. */
interface Need {
  readonly name: string;
  readonly bit: number;
  readonly without: string;
  readonly isMust: boolean;
}

const SYS_ADMIN = 21;
const NEEDS: readonly Need[] = [
  { name: "CAP_BPF", bit: 39, isMust: true, without: "no program can be loaded into the kernel" },
  { name: "CAP_PERFMON", bit: 38, isMust: true, without: "no program can be attached" },
  {
    name: "CAP_SYS_PTRACE",
    bit: 19,
    isMust: false,
    without: "programs, files and roots of processes that run already are not known",
  },
  {
    name: "CAP_DAC_READ_SEARCH",
    bit: 2,
    isMust: false,
    without: "files of other users (programs' sums, accounts of containers) cannot be read",
  },
];

/** The kernel's number of the first PID namespace (PROC_PID_INIT_INO). */
const FIRST_PID_NAMESPACE = "pid:[4026531836]";
const OLDEST: readonly [number, number] = [5, 11];

export function hostFindings(view: HostView, hostRoot: string): Finding[] {
  return [
    kernelFinding(view),
    btfFinding(view),
    ...capabilityFindings(view),
    ...lockdownFindings(view),
    ...namespaceFindings(view),
    procFinding(view, hostRoot),
  ];
}

/** Whether a kernel of that release is older than a version. */
export function isOlder(release: string, [major, minor]: readonly [number, number]): boolean {
  const [itsMajor = 0, itsMinor = 0] = release.split(".").map((part) => parseInt(part, 10));
  return itsMajor < major || (itsMajor === major && itsMinor < minor);
}

function kernelFinding({ release, arch }: HostView): Finding {
  if (arch !== "x86_64") {
    return { verdict: "missing", text: `${arch}: saker watches x86_64 only` };
  }
  if (isOlder(release, OLDEST)) {
    return {
      verdict: "missing",
      text: `Linux ${release} is too old`,
      advice: `saker needs Linux ${OLDEST.join(".")} or newer`,
    };
  }
  if (isOlder(release, [5, 17])) {
    return {
      verdict: "note",
      text: `Linux ${release} has no bpf_loop: names that calls take without opening a file are ` +
        "joined from what the caller said",
      advice: "Linux 5.17 or newer looks them up",
    };
  }
  return { verdict: "ok", text: `Linux ${release}` };
}

function btfFinding({ exists }: HostView): Finding {
  return exists("/sys/kernel/btf/vmlinux") ? { verdict: "ok", text: "BTF is there" } : {
    verdict: "missing",
    text: "no /sys/kernel/btf/vmlinux: the kernel does not describe its types (BTF)",
    advice: exists("/sys/kernel")
      ? "use a kernel that was built with CONFIG_DEBUG_INFO_BTF"
      : "mount sysfs at /sys",
  };
}

/** The effective set of a thread's status; undefined where it cannot be read. */
export function effectiveOf(status: string | undefined): bigint | undefined {
  const digits = /^CapEff:\s*([0-9a-f]+)$/m.exec(status ?? "")?.[1];
  return digits === undefined ? undefined : BigInt(`0x${digits}`);
}

function capabilityFindings({ read }: HostView): Finding[] {
  const has = effectiveOf(read("/proc/self/status"));
  if (has === undefined) {
    return [{ verdict: "note", text: "capabilities are not known: /proc/self/status is missing" }];
  }
  const holds = (bit: number) => (has >> BigInt(bit) & 1n) === 1n;
  // CAP_SYS_ADMIN stands for both that were split off it.
  const lacking = NEEDS.filter(({ bit, isMust }) => !holds(bit) && !(isMust && holds(SYS_ADMIN)));
  if (lacking.length === 0) {
    return [{ verdict: "ok", text: `${NEEDS.map(({ name }) => name).join(", ")} are there` }];
  }
  return lacking.map(({ name, isMust, without }) => ({
    verdict: isMust ? "missing" : "note",
    text: `no ${name}: ${without}`,
    advice: "run as root, or give the capability (AmbientCapabilities= of the unit, " +
      "securityContext of the container)",
  }));
}

function lockdownFindings({ read }: HostView): Finding[] {
  const mode = /\[(\w+)\]/.exec(read("/sys/kernel/security/lockdown") ?? "")?.[1];
  if (mode === "confidentiality") {
    return [{
      verdict: "missing",
      text: "kernel lockdown is at confidentiality: BPF programs may not read the kernel's memory",
      advice: "boot with lockdown=integrity",
    }];
  }
  return mode === undefined ? [] : [{ verdict: "ok", text: `lockdown: ${mode}` }];
}

function namespaceFindings({ link }: HostView): Finding[] {
  const namespace = link("/proc/self/ns/pid");
  if (namespace === undefined || namespace === FIRST_PID_NAMESPACE) return [];
  return [{
    verdict: "note",
    text: "runs in a PID namespace of its own: /proc shows other process ids than the kernel's, " +
      "so processes that run already are not known",
    advice: "run in the host's (hostPID: true, --pid=host)",
  }];
}

function procFinding({ exists }: HostView, hostRoot: string): Finding {
  if (exists(`${hostRoot}/proc/1/status`)) {
    return { verdict: "ok", text: `processes are shown in ${hostRoot}/proc` };
  }
  return {
    verdict: "missing",
    text: `no ${hostRoot}/proc/1: processes that run already cannot be known`,
    advice: `mount /proc${hostRoot === "" ? "" : ", or set HOST_ROOT to where the host's root is"}`,
  };
}
