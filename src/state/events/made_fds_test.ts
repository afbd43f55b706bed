// Calls that make descriptors: what of each parameter stands in the entry, and what stands there
// where the event lacks it.
import { deepStrictEqual, strictEqual } from "node:assert";
import { type Fd, FD_TYPES, FdKind } from "../tables/fd.ts";
import { Scene } from "../scene.ts";

const TID = 5;
const DIRECTORY = 1 << 10;
const CLOEXEC = 1 << 12;
/** Of eventpoll and memfd; of files it says that they are read. */
const CLOEXEC_OF_KIND = 1;
const AT_FDCWD = -100;

type Params = Parameters<Scene["event"]>[2] & object;

function begun(): Scene {
  const scene = new Scene();
  scene.exec(TID, "sh");
  scene.event("SYSCALL_CHDIR_X", TID, { res: 0, path: "/home" });
  scene.open(TID, 0, "/zero", DIRECTORY);
  scene.open(TID, 9, "/nine", DIRECTORY);
  return scene;
}

/** What the call leaves under the number. */
function made(id: string, params: Params, number = 3): Fd | undefined {
  const scene = begun();
  scene.event(id, TID, params);
  return scene.machine.fdsOf(scene.thread(TID))?.get(number);
}

function shown(id: string, params: Params): Record<string, unknown> | undefined {
  const scene = begun();
  const context = scene.event(id, TID, params);
  const fd = scene.machine.fdsOf(scene.thread(TID))?.get(3);
  strictEqual(fd, context.fd, "the event's descriptor is that of the table");
  return fd && {
    ...{ name: scene.text(fd.name), raw: scene.text(fd.nameRaw), kind: FD_TYPES[fd.kind] },
    ...{ flags: fd.openFlags, dev: fd.dev, ino: fd.ino },
  };
}

interface Open {
  readonly id: string;
  readonly params: Params;
  /** By the parameter that is missing, what differs; undefined: nothing is made. */
  readonly without: Readonly<Record<string, Record<string, unknown> | undefined>>;
}

const NO_FILE = { dev: 0, ino: 0 };
const FILE = { flags: 1, mode: 0, dev: 7, ino: 8 };
const OPENS: readonly Open[] = [
  {
    id: "SYSCALL_OPEN_X",
    params: { fd: 3, name: "a", ...FILE },
    without: {
      ...{ fd: undefined, name: { name: "", raw: "" }, flags: { flags: 0 }, dev: NO_FILE },
      ...{ ino: NO_FILE, mode: {} },
    },
  },
  {
    id: "SYSCALL_OPENAT_2_X",
    params: { fd: 3, dirfd: AT_FDCWD, name: "a", ...FILE },
    without: {
      ...{ fd: undefined, name: { name: "/home/<NA>", raw: "<NA>" }, flags: { flags: 0 } },
      ...{ dev: NO_FILE, ino: NO_FILE, dirfd: { name: "a" }, mode: {} },
    },
  },
  {
    id: "SYSCALL_OPENAT2_X",
    params: { fd: 3, dirfd: AT_FDCWD, name: "a", resolve: 0, ...FILE },
    without: {
      ...{ fd: undefined, name: { name: "/home/<NA>", raw: "<NA>" }, flags: { flags: 0 } },
      ...{ dev: NO_FILE, ino: NO_FILE, dirfd: { name: "a" }, resolve: {} },
    },
  },
  {
    id: "SYSCALL_OPEN_BY_HANDLE_AT_X",
    params: { fd: 3, mountfd: 9, path: "/h/a", ...FILE },
    without: {
      ...{ fd: undefined, path: { name: "", raw: "" }, flags: { flags: 0 }, dev: NO_FILE },
      ...{ ino: NO_FILE, mountfd: {} },
    },
  },
  {
    id: "SYSCALL_CREAT_X",
    params: { fd: 3, name: "a", mode: 0o600, dev: 7, ino: 8, creat_flags: 0 },
    without: { fd: undefined, name: { name: "", raw: "" }, dev: NO_FILE, ino: NO_FILE },
  },
];

for (const { id, params, without } of OPENS) {
  Deno.test(`${id} makes an entry of its parameters, and of nothing where one is missing`, () => {
    const whole = shown(id, params)!;
    const isByHandle = "path" in params;
    deepStrictEqual(whole, {
      ...{ name: isByHandle ? "/h/a" : "/home/a", raw: isByHandle ? "/h/a" : "a", kind: "file" },
      ...{ flags: id === "SYSCALL_CREAT_X" ? 0 : 1, dev: 7, ino: 8 },
    });
    for (const [missing, differs] of Object.entries(without)) {
      const { [missing]: _, ...others } = params;
      const expected: typeof whole | undefined = differs === undefined
        ? undefined
        : { ...whole, ...differs };
      deepStrictEqual(shown(id, others), expected, `without ${missing}`);
    }
  });

  Deno.test(`${id} makes an entry for numbers from 0 on, none where it failed`, () => {
    for (const fd of [0, 1, 3, 1000]) strictEqual(made(id, { ...params, fd }, fd)?.ino, 8, `${fd}`);
    for (const fd of [-1, -2, -4095]) strictEqual(made(id, { ...params, fd }, fd), undefined);
  });
}

Deno.test("a directory of any number from 0 on is what a relative path starts from", () => {
  for (const [id, name] of [["SYSCALL_OPENAT_2_X", "name"], ["SYSCALL_OPENAT2_X", "name"]]) {
    const from = (dirfd: number) => shown(id!, { fd: 3, dirfd, [name!]: "a", ...FILE })?.["name"];
    deepStrictEqual([0, 9, AT_FDCWD, 8, -2, -99, -101].map(from), [
      ...["/zero/a", "/nine/a", "/home/a", "<UNKNOWN>a", "<UNKNOWN>a", "<UNKNOWN>a", "<UNKNOWN>a"],
    ]);
  }
});

Deno.test("a creat tells of the layer of an overlay only with its whole file", () => {
  const flagsOf = (params: Params) => {
    const fd = made("SYSCALL_CREAT_X", { fd: 3, name: "/a", mode: 0, dev: 7, ino: 8, ...params })!;
    return fd.flags;
  };
  const [none, upper, lower, both] = [0, 1, 2, 3].map((creat_flags) => flagsOf({ creat_flags }));
  strictEqual(none, 0);
  strictEqual(upper === 0 || lower === 0 || upper === lower, false);
  strictEqual(both, upper, "the upper one hides the lower one");
  strictEqual(flagsOf({ creat_flags: 1, ino: undefined }), 0);
  strictEqual(flagsOf({ creat_flags: 2, dev: undefined }), 0);
});

/** Calls that make one descriptor of another kind, and its flags with those of the call. */
const OTHERS: readonly (readonly [id: string, params: Params, kind: FdKind, flags: number])[] = [
  ["SYSCALL_EVENTFD_X", { res: 3, initval: 0, flags: 0 }, FdKind.Event, 0],
  ["SYSCALL_EVENTFD2_X", { res: 3, flags: 0x1000, initval: 3 }, FdKind.Event, 0x1000],
  ["SYSCALL_SIGNALFD4_X", { res: 3, flags: 0x1000, fd: -1, mask: 0 }, FdKind.Signal, 0x1000],
  ["SYSCALL_TIMERFD_CREATE_X", { res: 3, clockid: 1, flags: 0 }, FdKind.Timer, 0],
  ["SYSCALL_INOTIFY_INIT_X", { res: 3, flags: 0 }, FdKind.Inotify, 0],
  ["SYSCALL_INOTIFY_INIT1_X", { res: 3, flags: 0x1000 }, FdKind.Inotify, 0x1000],
  ["SYSCALL_USERFAULTFD_X", { res: 3, flags: 0 }, FdKind.UserFault, 0],
  ["SYSCALL_EPOLL_CREATE_X", { res: 3, size: 1 }, FdKind.EventPoll, 0],
  ["SYSCALL_EPOLL_CREATE1_X", { res: 3, flags: CLOEXEC_OF_KIND }, FdKind.EventPoll, CLOEXEC],
  ["SYSCALL_EPOLL_CREATE1_X", { res: 3, flags: 2 }, FdKind.EventPoll, 0],
  ["SYSCALL_BPF_2_X", { fd: 3, cmd: 5 }, FdKind.Bpf, 0],
  ["SYSCALL_MEMFD_CREATE_X", { fd: 3, name: "m", flags: 1 }, FdKind.Memfd, 1],
  ["SYSCALL_PIDFD_OPEN_X", { fd: 3, pid: TID, flags: 2 }, FdKind.Pidfd, 2],
];

for (const [id, params, kind, flags] of OTHERS) {
  Deno.test(`${id} with flags ${params["flags"]} makes one of ${FD_TYPES[kind]}`, () => {
    const result = "res" in params ? "res" : "fd";
    const fd = made(id, params);
    deepStrictEqual([fd?.kind, fd?.openFlags], [kind, flags]);
    strictEqual(made(id, { ...params, flags: undefined })?.openFlags, 0, "without flags");
    strictEqual(made(id, { ...params, [result]: 0 }, 0)?.kind, kind, "the number 0");
    strictEqual(made(id, { ...params, [result]: -1 }, 3), undefined, "it failed");
    strictEqual(made(id, { ...params, [result]: undefined }, 3), undefined, "without a result");
  });
}

Deno.test("a memfd that was not made has a number below zero, and no name", () => {
  const scene = begun();
  const context = scene.event("SYSCALL_MEMFD_CREATE_X", TID, { fd: -12, name: "m", flags: 0 });
  strictEqual(scene.text(context.fdName), "");
  deepStrictEqual([context.fd?.kind, context.fdNumber], [FdKind.Unknown, -1]);
  const below = scene.event("SYSCALL_OPENAT_2_X", TID, { fd: 3, dirfd: -12, name: "a", ...FILE });
  strictEqual(scene.text(below.fdName), "<UNKNOWN>a", "nothing lies below it");
});

Deno.test("a pidfd needs its process's id, and knows it", () => {
  strictEqual(made("SYSCALL_PIDFD_OPEN_X", { fd: 3, pid: 77, flags: 0 })?.pid, 77);
  strictEqual(made("SYSCALL_PIDFD_OPEN_X", { fd: 3, flags: 0 }), undefined);
});

Deno.test("pidfd_getfd takes a descriptor of the process, as one that an exec closes", () => {
  const getting = (changed: Params, pidfd = 4) => {
    const scene = begun();
    scene.exec(77, "other");
    scene.open(77, 6, "/of/other", 1);
    scene.event("SYSCALL_PIDFD_OPEN_X", TID, { fd: pidfd, pid: 77, flags: 0 });
    const params = { fd: 3, pid_fd: pidfd, target_fd: 6, flags: 0, ...changed };
    scene.event("SYSCALL_PIDFD_GETFD_X", TID, params);
    const fd = scene.machine.fdsOf(scene.thread(TID))?.get(3);
    return fd && [scene.text(fd.name), fd.openFlags];
  };
  deepStrictEqual(getting({}), ["/of/other", 1 | CLOEXEC]);
  deepStrictEqual(getting({}, 1), ["/of/other", 1 | CLOEXEC]);
  for (const key of ["fd", "pid_fd", "target_fd"]) {
    strictEqual(getting({ [key]: undefined }), undefined, `without ${key}`);
  }
  strictEqual(getting({ pid_fd: 9 }), undefined, "no pidfd");
  strictEqual(getting({ target_fd: 5 }), undefined, "no such descriptor");
  strictEqual(getting({ fd: -9 }), undefined, "it failed");
});

Deno.test("close_range closes, or marks, from its first number to its last", () => {
  const after = (params: Params) => {
    const scene = begun();
    for (const fd of [3, 4, 5, 6]) scene.open(TID, fd, `/${fd}`);
    scene.event("SYSCALL_CLOSE_RANGE_X", TID, { res: 0, first: 4, last: 5, flags: 0, ...params });
    const fds = scene.machine.fdsOf(scene.thread(TID))!;
    return [3, 4, 5, 6].map((number) => {
      const fd = fds.get(number);
      return fd === undefined ? "gone" : fd.openFlags & CLOEXEC ? "marked" : "open";
    });
  };
  deepStrictEqual(after({}), ["open", "gone", "gone", "open"]);
  deepStrictEqual(after({ first: 5, last: 5 }), ["open", "open", "gone", "open"]);
  deepStrictEqual(after({ flags: 4 }), ["open", "marked", "marked", "open"]);
  deepStrictEqual(after({ flags: 2 }), ["open", "gone", "gone", "open"]);
  deepStrictEqual(after({ flags: undefined }), ["open", "gone", "gone", "open"]);
  deepStrictEqual(after({ last: 0xffffffff }), ["open", "gone", "gone", "gone"]);
  deepStrictEqual(after({ res: -22 }), ["open", "open", "open", "open"]);
  deepStrictEqual(after({ last: undefined }), ["open", "open", "open", "open"]);
});

Deno.test("a copy of a descriptor has the bit that closes it only where the call says so", () => {
  const copied = (id: string, params: Params, open = 1) => {
    const scene = begun();
    scene.open(TID, 4, "/four", open);
    scene.event(id, TID, params);
    const fd = scene.machine.fdsOf(scene.thread(TID))?.get(3);
    return fd && fd.openFlags & CLOEXEC ? "marked" : fd && "open";
  };
  const marked = 1 | CLOEXEC;
  const dup3 = { res: 3, oldfd: 4, newfd: 3 };
  strictEqual(copied("SYSCALL_DUP_1_X", { res: 3, oldfd: 4 }, marked), "open");
  strictEqual(copied("SYSCALL_DUP2_X", { res: 3, oldfd: 4, newfd: 3 }, marked), "open");
  strictEqual(copied("SYSCALL_DUP3_X", { ...dup3, flags: CLOEXEC }), "marked");
  strictEqual(copied("SYSCALL_DUP3_X", { ...dup3, flags: 1 }, marked), "open");
  strictEqual(copied("SYSCALL_DUP3_X", dup3, marked), "open");
  strictEqual(copied("SYSCALL_DUP3_X", { ...dup3, res: -9, flags: CLOEXEC }), undefined);
  strictEqual(copied("SYSCALL_FCNTL_X", { res: 3, fd: 4, cmd: 1, arg: 0 }, marked), "open");
  strictEqual(copied("SYSCALL_FCNTL_X", { res: 3, fd: 4, cmd: 26, arg: 0 }), "marked");
  strictEqual(copied("SYSCALL_FCNTL_X", { res: 3, fd: 4, cmd: 2, arg: 0 }), undefined);
  strictEqual(copied("SYSCALL_FCNTL_X", { res: -1, fd: 4, cmd: 1, arg: 0 }), undefined);
});

Deno.test("a copy of a file keeps what it was opened for, one of a memfd loses its own bit", () => {
  const flagsOf = (events: readonly (readonly [id: string, params: Params])[]) => {
    const scene = begun();
    scene.open(TID, 4, "/four", 3 | CLOEXEC);
    for (const [id, params] of events) scene.event(id, TID, params);
    return scene.machine.fdsOf(scene.thread(TID))?.get(3)?.openFlags;
  };
  strictEqual(flagsOf([["SYSCALL_DUP_1_X", { res: 3, oldfd: 4 }]]), 3);
  strictEqual(flagsOf([["SYSCALL_FCNTL_X", { res: 3, fd: 4, cmd: 26, arg: 0 }]]), 3 | CLOEXEC);
  const memory = ["SYSCALL_MEMFD_CREATE_X", { fd: 5, name: "m", flags: 3 }] as const;
  strictEqual(flagsOf([memory, ["SYSCALL_DUP_1_X", { res: 3, oldfd: 5 }]]), 2);
});

Deno.test("both ends of a pipe share its inode; half a pipe is none", () => {
  for (const id of ["SYSCALL_PIPE_X", "SYSCALL_PIPE2_X"]) {
    const ends = (params: Params) => {
      const scene = begun();
      scene.event(id, TID, { res: 0, fd1: 3, fd2: 4, ino: 77, flags: 0, ...params });
      const fds = scene.machine.fdsOf(scene.thread(TID))!;
      return [3, 4].map((number) => fds.get(number)?.ino);
    };
    deepStrictEqual(ends({}), [77, 77]);
    deepStrictEqual(ends({ res: -24 }), [undefined, undefined]);
  }
});
