// Why a kernel takes no module, in a line for the person who wants it there. In: the number of the
// kernel's error, what the host says of itself. Out: what is wrong and what to do.

/** What the host says about loading modules. */
export interface HostRules {
  /** `none`, `integrity` or `confidentiality`; undefined where the kernel knows no lockdown. */
  readonly lockdown: string | undefined;
  /** Modules without a good signature are refused. */
  readonly wantsSignature: boolean;
  /** The machine's firmware starts signed kernels alone; such kernels often want signed modules. */
  readonly isSecureBoot: boolean;
  /** `kernel.modules_disabled`: nothing can be loaded until the next boot. */
  readonly isClosed: boolean;
  /** There are modules at all: the kernel was built with CONFIG_MODULES. */
  readonly hasModules: boolean;
}

/** `root`: below which the host's /proc and /sys are; "" for /. */
export function hostRules(root: string): HostRules {
  const text = (path: string) => {
    try {
      return Deno.readTextFileSync(`${root}${path}`);
    } catch {
      return undefined;
    }
  };
  return {
    lockdown: /\[(\w+)\]/.exec(text("/sys/kernel/security/lockdown") ?? "")?.[1],
    wantsSignature: text("/sys/module/module/parameters/sig_enforce")?.trim() === "Y",
    isSecureBoot: isSecureBoot(root),
    isClosed: text("/proc/sys/kernel/modules_disabled")?.trim() === "1",
    hasModules: text("/proc/modules") !== undefined,
  };
}

/** A variable of the firmware: four bytes of attributes, and one that is 1. */
function isSecureBoot(root: string): boolean {
  const name = "SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c";
  try {
    return Deno.readFileSync(`${root}/sys/firmware/efi/efivars/${name}`)[4] === 1;
  } catch {
    return false;
  }
}

export const NO_MODULES = "this kernel takes no modules: it was built without CONFIG_MODULES";

/** What hinders any module of ours, before one is built; undefined where nothing is known to. */
export function hindrance(rules: HostRules, isSigned: boolean): string | undefined {
  if (!rules.hasModules) return NO_MODULES;
  if (rules.isClosed) {
    return "this host loads no more modules until its next boot (kernel.modules_disabled is 1)";
  }
  if (isSigned) return undefined;
  const sign = "sign it with a key that the kernel trusts (saker driver build --sign-key KEY " +
    "--sign-cert CERTIFICATE; of your own, a machine owner key: mokutil --import CERTIFICATE)";
  if (rules.lockdown === "integrity" || rules.lockdown === "confidentiality") {
    const why = rules.isSecureBoot ? ", as secure boot has it" : "";
    return `this kernel is locked down (${rules.lockdown}${why}) and takes signed modules alone: ` +
      sign;
  }
  if (rules.wantsSignature) {
    return `this kernel takes signed modules alone (module.sig_enforce): ${sign}`;
  }
  return undefined;
}

const EPERM = 1;
const ENOENT = 2;
const ENOEXEC = 8;
const ENOMEM = 12;
const EACCES = 13;
const EEXIST = 17;
const EINVAL = 22;
const ENOSYS = 38;
const EBADMSG = 74;
const ENOKEY = 126;
const EKEYREJECTED = 129;

/** Why the kernel did not load a module, by the number of its error. */
export function loadRefusal(errno: number, rules: HostRules, isSigned: boolean): string {
  const known = hindrance(rules, isSigned);
  if (known !== undefined) return known;
  const log = "the kernel's log says which (dmesg)";
  switch (errno) {
    case EPERM:
      return isSigned
        ? "no permission; loading a module takes root (CAP_SYS_MODULE)"
        : "no permission; loading a module takes root (CAP_SYS_MODULE), outside of containers";
    case ENOENT:
      return `it needs what this kernel does not offer to modules: ${log}`;
    case ENOEXEC:
      return "it was made for another kernel, or another configuration of this one: build it " +
        `with this kernel's headers; ${log}`;
    case ENOMEM:
      return "not enough memory";
    case EACCES:
      return "its file is not root's alone";
    case EEXIST:
      return "a module of that name is loaded already";
    case EINVAL:
      return `it refused one of its parameters or what it found: ${log}`;
    case ENOSYS:
      return NO_MODULES;
    // What module.sig_enforce makes of an unknown key.
    case EKEYREJECTED:
    case ENOKEY:
      return "it is signed with a key that this kernel does not trust: enrol its certificate " +
        "(mokutil --import CERTIFICATE), and boot";
    case EBADMSG:
      return "its signature is not right: it was changed after it was signed";
    default:
      return `error ${errno} of the kernel: ${log}`;
  }
}

const EAGAIN = 11;
const EBUSY = 16;

/** Why the kernel did not unload a module; `readers` are those that have its device open. */
export function unloadRefusal(errno: number, readers: readonly string[]): string {
  switch (errno) {
    case EAGAIN:
    case EBUSY:
      return readers.length === 0
        ? "it is in use, by nobody who can be seen from here"
        : `it is in use by ${readers.join(", ")}`;
    case EPERM:
      return "no permission; unloading a module takes root (CAP_SYS_MODULE)";
    case ENOSYS:
      return "this kernel unloads no modules (CONFIG_MODULE_UNLOAD)";
    default:
      return `error ${errno} of the kernel (dmesg may say more)`;
  }
}
