// What a module's file says of itself. In: the bytes of a .ko (ELF, 64 bit, this machine's order).
// Out: its `.modinfo`, which is KEY=VALUE texts divided by NULs, and whether it is signed.

export interface ModuleFile {
  readonly name: string;
  /** saker's. */
  readonly version: string;
  /** The kernel that it is made for, and that kernel's settings which matter to modules, such as
   * "6.1.0-49-amd64 SMP preempt mod_unload modversions ". */
  readonly vermagic: string;
  readonly isSigned: boolean;
}

/** What the kernel looks for at the end of a signed module. */
const SIGNED = "~Module signature appended~\n";
const ELF_MAGIC = 0x464c457f;
const ELF_CLASS_64 = 2;

/** Undefined where that is no module. */
export function readModuleFile(bytes: Uint8Array): ModuleFile | undefined {
  const info = sectionOf(bytes, ".modinfo");
  if (info === undefined) return undefined;
  const values = new Map(
    new TextDecoder().decode(info).split("\0").flatMap((text) => {
      const at = text.indexOf("=");
      return at < 0 ? [] : [[text.slice(0, at), text.slice(at + 1)] as const];
    }),
  );
  const vermagic = values.get("vermagic");
  if (vermagic === undefined) return undefined;
  const tail = bytes.subarray(Math.max(0, bytes.length - SIGNED.length));
  return {
    name: values.get("name") ?? "",
    version: values.get("version") ?? "",
    vermagic,
    isSigned: new TextDecoder().decode(tail) === SIGNED,
  };
}

/** The release of the kernel that a module is made for. */
export function releaseOf({ vermagic }: ModuleFile): string {
  return vermagic.split(" ", 1)[0]!;
}

function sectionOf(bytes: Uint8Array, wanted: string): Uint8Array | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    if (view.getUint32(0, true) !== ELF_MAGIC || bytes[4] !== ELF_CLASS_64) return undefined;
    const table = Number(view.getBigUint64(0x28, true));
    const entryBytes = view.getUint16(0x3a, true);
    const count = view.getUint16(0x3c, true);
    const section = (index: number) => {
      const at = table + index * entryBytes;
      const from = Number(view.getBigUint64(at + 0x18, true));
      const length = Number(view.getBigUint64(at + 0x20, true));
      return { name: view.getUint32(at, true), bytes: bytes.subarray(from, from + length) };
    };
    const names = section(view.getUint16(0x3e, true)).bytes;
    for (let index = 0; index < count; index++) {
      const { name, bytes: found } = section(index);
      if (textAt(names, name) === wanted) return found;
    }
  } catch (error) {
    // A number that leads out of the file.
    if (!(error instanceof RangeError)) throw error;
  }
  return undefined;
}

function textAt(bytes: Uint8Array, from: number): string {
  const end = bytes.indexOf(0, from);
  return new TextDecoder().decode(bytes.subarray(from, end < 0 ? bytes.length : end));
}
