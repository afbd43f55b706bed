// Live events for tests of the two views: a scene whose events carry our own parameters.
import { OWN_LANE, OWN_PARAMS, OWN_PATH, OWN_PATH2, OWN_SEQUENCE } from "../events/event.ts";
import type { ParamValue } from "../events/event_fixture.ts";
import type { Context } from "./contract/context.ts";
import type { MachineOptions } from "./contract/machine_host.ts";
import { program, Scene } from "./scene.ts";

const NOTHING = new Uint8Array(0);

/** Our own parameters: the paths that the kernel acted on, "" for none. */
function own(path = "", path2 = ""): ParamValue[] {
  const given: ParamValue[] = Array.from({ length: OWN_PARAMS }, () => NOTHING);
  if (path !== "") given[OWN_PATH] = path;
  if (path2 !== "") given[OWN_PATH2] = path2;
  given[OWN_SEQUENCE] = new Uint8Array(8);
  given[OWN_LANE] = Uint8Array.of(0);
  return given;
}

export class LiveScene extends Scene {
  constructor(options: Partial<MachineOptions> = {}) {
    super({ paths: "both", ...options });
  }

  /** Any event: `kernel` are the paths that the kernel acted on. */
  live(
    id: string,
    tid: number,
    params: Readonly<Record<string, ParamValue>>,
    ...kernel: string[]
  ): Context {
    return this.event(id, tid, params, own(...kernel));
  }

  /** An open of `said` that the kernel led to `kernel`; `fd` -2 (ENOENT) for one that failed. */
  opened(tid: number, fd: number, said: string, kernel: string, dirfd = -100): Context {
    return this.live(
      "SYSCALL_OPENAT_2_X",
      tid,
      { fd, dirfd, name: said, flags: 1, mode: 0, dev: 1, ino: 2 },
      kernel,
    );
  }

  /** An execution of `said`, whose program is `kernel`. */
  executed(tid: number, said: string, kernel: string): Context {
    return this.live("SYSCALL_EXECVE_19_X", tid, {
      ...program("sh", tid, 1),
      res: 0,
      trusted_exepath: kernel,
      filename: said,
      pgid: tid,
      vpgid: tid,
    }, kernel);
  }

  wentTo(tid: number, said: string, kernel: string): Context {
    return this.live("SYSCALL_CHDIR_X", tid, { res: 0, path: said }, kernel);
  }

  /** Any read of a descriptor. */
  read(tid: number, fd: number): Context {
    return this.live("SYSCALL_READ_X", tid, { res: 1, data: NOTHING, fd, size: 1 });
  }
}
