// For tests: captures of programs that were started and what they opened. In: the programs, the
// makers before those that they made. Out: a capture's bytes.
import type { ParamValue } from "../src/events/event_fixture.ts";
import { flagValue } from "../src/events/table.ts";
import { BlockBuffer } from "../src/events/scap/block_buffer.ts";
import { putMachine, putSection } from "../src/events/scap/state_blocks.ts";
import { list, putEvent } from "./sieve_captures.ts";

export interface Started {
  readonly pid: number;
  readonly parent: number;
  readonly exepath: string;
  /** Default: root. */
  readonly uid?: number;
  readonly args?: readonly string[];
  /** Files that it opens for reading. */
  readonly opens?: readonly string[];
}

const START_NS = 1_700_000_000_000_000_000n;
const O_RDONLY = flagValue("file_flags", "O_RDONLY");

export function captureOf(programs: readonly Started[]): Uint8Array {
  const out = new BlockBuffer(1 << 16);
  let ns = START_NS;
  const put = (id: string, tid: number, params: Readonly<Record<string, ParamValue>>) => {
    ns += 1_000_000_000n;
    putEvent(out, { id, tid, params, time: ns });
  };
  putSection(out);
  putMachine(out, {
    cpus: 1,
    memoryBytes: 1n << 30n,
    pidMax: 32_768n,
    hostname: "box",
    bootTs: START_NS,
  });
  for (const { pid, parent, exepath, uid = 0, args = [], opens = [] } of programs) {
    const comm = exepath.slice(exepath.lastIndexOf("/") + 1);
    const own = {
      ...{ exe: exepath, args: list(...args), tid: pid, pid, ptid: parent, cwd: "", comm },
      ...{ fdlimit: 1024, pgft_maj: 0, pgft_min: 1, vm_size: 1, vm_rss: 1, vm_swap: 0 },
      ...{ cgroups: list("cpu=/"), uid, gid: uid, vtid: pid, vpid: pid },
    };
    put("SYSCALL_CLONE_20_X", pid, { ...own, res: 0, flags: 0 });
    put("SYSCALL_EXECVE_19_X", pid, {
      ...own,
      ...{ res: 0, env: list("A=b"), tty: 0, vpgid: pid, loginuid: -1, flags: 0 },
      ...{ cap_inheritable: 0, cap_permitted: 1, cap_effective: 1, pgid: pid },
      ...{ exe_ino: 7, exe_ino_ctime: 5n, exe_ino_mtime: 6n },
      ...{ trusted_exepath: exepath, filename: exepath },
    });
    for (const name of opens) {
      put("SYSCALL_OPENAT_2_X", pid, {
        ...{ fd: 3, dirfd: -100, name, flags: O_RDONLY, mode: 0, dev: 1, ino: 1 },
      });
    }
  }
  return out.bytes.slice(0, out.length);
}
