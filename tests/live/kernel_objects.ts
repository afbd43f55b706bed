// What a process holds of the kernel's BPF: ids of programs, links and maps, and which of them the
// kernel still has once the process is gone.
import { assert } from "./expect.ts";
import { PYTHON, run } from "./trigger.ts";

export interface KernelObject {
  readonly kind: "prog" | "map" | "link";
  readonly id: number;
}

/** Those behind the process's descriptors. */
export function kernelObjects(pid: number): KernelObject[] {
  const found = new Map<string, KernelObject>();
  for (const { name } of Deno.readDirSync(`/proc/${pid}/fdinfo`)) {
    let text: string;
    try {
      text = Deno.readTextFileSync(`/proc/${pid}/fdinfo/${name}`);
    } catch {
      // Closed meanwhile.
      continue;
    }
    for (const [, kind, id] of text.matchAll(/^(prog|map|link)_id:\s*(\d+)$/gm)) {
      found.set(`${kind} ${id}`, { kind: kind as KernelObject["kind"], id: Number(id) });
    }
  }
  return [...found.values()];
}

/**
 * Asks bpf(2) which id is the next behind the one before each. A descriptor by id would say the
 * same, but to take and close one of an array of programs that is just being freed makes the
 * kernel keep it for ever (6.18: its work of clearing is queued already, the reference for it is
 * taken again).
 */
const ASK = `
import ctypes, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
for one in sys.argv[1:]:
    kind, number = one.split(":")
    attribute = ctypes.create_string_buffer(struct.pack("<III", int(number) - 1, 0, 0) + bytes(116))
    found = libc.syscall(321, {"prog": 11, "map": 12, "link": 31}[kind], attribute, 128) == 0
    if found and struct.unpack_from("<I", attribute, 4)[0] == int(number): print(one)
`;

export async function stillThere(objects: readonly KernelObject[]): Promise<string[]> {
  const names = objects.map(({ kind, id }) => `${kind}:${id}`);
  const { code, stdout, stderr } = await run(PYTHON, ["-I", "-S", "-c", ASK, ...names]);
  assert(code === 0, stderr);
  return stdout.split("\n").filter((line) => line !== "");
}
