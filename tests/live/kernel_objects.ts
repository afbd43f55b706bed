// What a process holds of the kernel's BPF: ids of programs, links and maps, and which of them the
// kernel still has once the process is gone.
import { assert } from "./expect.ts";
import { run } from "./trigger.ts";

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

/** Asks bpf(2) for a descriptor of each by its id: ENOENT is what is no more. */
const ASK = `
import ctypes, os, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
for one in sys.argv[1:]:
    kind, number = one.split(":")
    attribute = ctypes.create_string_buffer(struct.pack("<III", int(number), 0, 0) + bytes(116))
    fd = libc.syscall(321, {"prog": 13, "map": 14, "link": 30}[kind], attribute, 128)
    if fd >= 0:
        os.close(fd)
        print(one)
`;

export async function stillThere(objects: readonly KernelObject[]): Promise<string[]> {
  const names = objects.map(({ kind, id }) => `${kind}:${id}`);
  const { code, stdout, stderr } = await run("python3", ["-I", "-S", "-c", ASK, ...names]);
  assert(code === 0, stderr);
  return stdout.split("\n").filter((line) => line !== "");
}
