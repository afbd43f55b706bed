// Descriptor life: what opens, copies and closes them, and the names that they have.
import { deepStrictEqual, strictEqual } from "node:assert";
import { MISSING_FD } from "../contract/context.ts";
import { FdKind } from "./fd.ts";
import { Scene } from "../scene.ts";

const CLOEXEC = 1 << 12;
const DIRECTORY = 1 << 10;

function scene(): Scene {
  const made = new Scene();
  made.exec(5, "sh");
  made.event("SYSCALL_CHDIR_X", 5, { res: 0, path: "/home/me" });
  return made;
}

Deno.test("a closed descriptor is there on its close and gone by the next event", () => {
  const s = scene();
  s.open(5, 3, "/etc/hosts");
  strictEqual(s.text(s.close(5, 3).fdName), "/etc/hosts");
  deepStrictEqual(s.fds(5), { 3: "/etc/hosts" });
  s.pass();
  deepStrictEqual(s.fds(5), {});
});

Deno.test("a failed close closes nothing", () => {
  const s = scene();
  s.open(5, 3, "/etc/hosts");
  s.close(5, 3, -9);
  s.pass();
  deepStrictEqual(s.fds(5), { 3: "/etc/hosts" });
});

Deno.test("a failed open has a name and the number -1, and makes no descriptor", () => {
  const s = scene();
  const { fd, fdName, fdNameRaw, fdNumber } = s.open(5, -2, "../x");
  strictEqual(fd, undefined);
  strictEqual(fdNumber, -1);
  strictEqual(s.text(fdName), "/home/x");
  strictEqual(s.text(fdNameRaw), "../x");
});

Deno.test("an event without descriptors has no number and no name", () => {
  const s = scene();
  const { fdNumber, fdName } = s.exec(5, "cat");
  strictEqual(fdNumber, MISSING_FD);
  strictEqual(s.text(fdName), undefined);
});

Deno.test("a relative path is joined with its directory", () => {
  const s = scene();
  s.open(5, 7, "/srv", DIRECTORY);
  const at = (dirfd: number, name: string) =>
    s.text(s.event("SYSCALL_OPENAT_2_X", 5, { fd: 8, dirfd, name, flags: 1, mode: 0 }).fdName);
  strictEqual(at(-100, "a"), "/home/me/a");
  strictEqual(at(7, "a/./b//c/"), "/srv/a/b/c");
  strictEqual(at(7, "/abs"), "/abs");
  strictEqual(at(99, "a"), "<UNKNOWN>a");
  strictEqual(at(7, "../.."), "/");
});

Deno.test("the kernel's path is the name where the machine is told to trust it", () => {
  for (const [paths, name] of [["kernel", "/etc/shadow"], ["caller", "/tmp/link"]] as const) {
    const s = new Scene({ paths });
    s.exec(5, "sh");
    const own = ["/etc/shadow", "", new Uint8Array(0), new Uint8Array(8), new Uint8Array(1)];
    const params = { fd: 3, dirfd: -100, name: "/tmp/link", flags: 1, mode: 0 };
    const { fdName, fdNameRaw } = s.event("SYSCALL_OPENAT_2_X", 5, params, own);
    strictEqual(s.text(fdName), name);
    strictEqual(s.text(fdNameRaw), "/tmp/link");
  }
});

Deno.test("an exec closes what is marked, dup takes the mark away", () => {
  const s = scene();
  s.open(5, 3, "/plain");
  s.open(5, 4, "/marked", 1 | CLOEXEC);
  s.event("SYSCALL_DUP2_X", 5, { res: 6, oldfd: 4, newfd: 6 });
  s.event("SYSCALL_DUP3_X", 5, { res: 7, oldfd: 3, newfd: 7, flags: CLOEXEC });
  s.event("SYSCALL_FCNTL_X", 5, { res: 8, fd: 3, cmd: 26, arg: 0 });
  s.event("SYSCALL_FCNTL_X", 5, { res: 9, fd: 4, cmd: 1, arg: 0 });
  s.event("SYSCALL_EPOLL_CREATE1_X", 5, { res: 10, flags: 1 });
  s.event("SYSCALL_MEMFD_CREATE_X", 5, { fd: 11, name: "m", flags: 1 });
  s.exec(5, "next");
  deepStrictEqual(s.fds(5), { 3: "/plain", 6: "/marked", 9: "/marked" });
});

Deno.test("fcntl sets the mark on one number, not on its duplicates or in a child", () => {
  const s = scene();
  s.open(5, 3, "/f");
  s.event("SYSCALL_DUP_1_X", 5, { res: 4, oldfd: 3 });
  s.forked(5, 6);
  s.event("SYSCALL_FCNTL_X", 5, { res: 0, fd: 3, cmd: 3, arg: 1 });
  s.exec(5, "x");
  s.exec(6, "x");
  deepStrictEqual(s.fds(5), { 4: "/f" });
  deepStrictEqual(s.fds(6), { 3: "/f", 4: "/f" });
});

Deno.test("close_range closes a range, or marks it", () => {
  const s = scene();
  for (const fd of [3, 4, 5, 2000]) s.open(5, fd, `/${fd}`);
  s.event("SYSCALL_CLOSE_RANGE_X", 5, { res: 0, first: 4, last: 0xffffffff, flags: 0 });
  deepStrictEqual(s.fds(5), { 3: "/3" });
  s.open(5, 4, "/4");
  s.event("SYSCALL_CLOSE_RANGE_X", 5, { res: 0, first: 4, last: 9, flags: 4 });
  deepStrictEqual(s.fds(5), { 3: "/3", 4: "/4" });
  s.exec(5, "x");
  deepStrictEqual(s.fds(5), { 3: "/3" });
});

Deno.test("every call that makes a descriptor makes its kind", () => {
  const s = scene();
  const kinds: [string, Record<string, number | string>, FdKind][] = [
    ["SYSCALL_EVENTFD2_X", { res: 9, flags: 0, initval: 0 }, FdKind.Event],
    ["SYSCALL_SIGNALFD4_X", { res: 9, flags: 0, fd: -1, mask: 0 }, FdKind.Signal],
    ["SYSCALL_TIMERFD_CREATE_X", { res: 9, clockid: 0, flags: 0 }, FdKind.Timer],
    ["SYSCALL_INOTIFY_INIT1_X", { res: 9, flags: 0 }, FdKind.Inotify],
    ["SYSCALL_USERFAULTFD_X", { res: 9, flags: 0 }, FdKind.UserFault],
    ["SYSCALL_IO_URING_SETUP_X", { res: 9, entries: 1 }, FdKind.IoUring],
    ["SYSCALL_EPOLL_CREATE_X", { res: 9, size: 1 }, FdKind.EventPoll],
    ["SYSCALL_BPF_2_X", { fd: 9, cmd: 0 }, FdKind.Bpf],
    ["SYSCALL_PIDFD_OPEN_X", { fd: 9, pid: 5, flags: 0 }, FdKind.Pidfd],
    ["SYSCALL_MEMFD_CREATE_X", { fd: 9, name: "mem", flags: 0 }, FdKind.Memfd],
  ];
  for (const [id, params, kind] of kinds) {
    strictEqual(s.event(id, 5, params).fd?.kind, kind, id);
    strictEqual(s.machine.fdsOf(s.thread(5))!.get(9)?.kind, kind, id);
  }
});

Deno.test("a pipe has two numbers and one inode", () => {
  const s = scene();
  s.event("SYSCALL_PIPE2_X", 5, { res: 0, fd1: 3, fd2: 4, ino: 77, flags: CLOEXEC });
  const fds = s.machine.fdsOf(s.thread(5))!;
  strictEqual(fds.get(3)!.kind, FdKind.Pipe);
  strictEqual(fds.get(4)!.ino, 77);
});

Deno.test("a pidfd brings in another process's descriptor", () => {
  const s = scene();
  s.exec(6, "other");
  s.open(6, 3, "/secret");
  s.event("SYSCALL_PIDFD_OPEN_X", 5, { fd: 9, pid: 6, flags: 0 });
  s.event("SYSCALL_PIDFD_GETFD_X", 5, { fd: 10, pid_fd: 9, target_fd: 3, flags: 0 });
  strictEqual(s.fds(5)[10], "/secret");
});

Deno.test("descriptors above the bound are refused and counted, and room comes back", () => {
  const s = new Scene({ fdsMax: 10 });
  s.exec(5, "sh");
  for (let fd = 0; fd < 20; fd++) s.open(5, fd, "/f");
  strictEqual(s.machine.stats().fds, 10);
  strictEqual(s.machine.stats().fdsRefused, 10);
  s.exit(5);
  s.exec(6, "sh");
  s.open(6, 3, "/g");
  deepStrictEqual(s.fds(6), { 3: "/g" });
});

Deno.test("strings that nothing holds are freed above the bound, those held keep their ids", () => {
  const s = new Scene({ stringBytesMax: 100_000 });
  s.exec(5, "keeper");
  s.open(5, 3, "/kept");
  const { comm } = s.thread(5);
  for (let count = 0; count < 5000; count++) {
    s.open(5, 4, `/tmp/some/rather/long/path/of/file/${count}`);
  }
  const stats = s.machine.stats();
  strictEqual(stats.stringBytes < 100_000, true, `${stats.stringBytes} bytes`);
  strictEqual(stats.stringSweeps > 0 && stats.stringsFreed > 2000, true);
  strictEqual(s.text(comm), "keeper");
  deepStrictEqual(s.fds(5)[3], "/kept");
  strictEqual(s.text(s.open(5, 6, "../x").fdName), "x");
});

Deno.test("the same events told twice give the same contexts and tables", () => {
  deepStrictEqual(story(11), story(11));
  strictEqual(story(11).join() === story(12).join(), false);
});

/** What a random run of events shows, event by event, and the tables at its end. */
function story(seed: number): unknown[] {
  const s = new Scene({ stringBytesMax: 50_000, threadsMax: 30, fdsMax: 60 });
  let state = seed;
  const random = (below: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return (state >>> 8) % below;
  };
  const told: unknown[] = [];
  for (let step = 0; step < 2000; step++) {
    const tid = 1 + random(40);
    const calls = [
      () => s.open(tid, random(9), `/tmp/${random(500)}`),
      () => s.close(tid, random(9)),
      () => s.born(1 + random(40), tid, 1),
      () => s.exec(tid, `c${random(5)}`),
      () => s.exit(tid),
    ];
    const { thread, fdName, fdNumber, fdNameChanged } = calls[random(calls.length)]!();
    told.push(thread && s.text(thread.comm), s.text(fdName), fdNumber, fdNameChanged);
  }
  return [...told, ...s.machine.threads.keys(), JSON.stringify(s.machine.stats())];
}

Deno.test("tables that forked processes change are copied within the bound", () => {
  const s = new Scene({ fdsMax: 100 });
  s.exec(5, "sh");
  for (let fd = 0; fd < 30; fd++) s.open(5, fd, `/f/${fd}`);
  for (let child = 10; child < 20; child++) s.forked(5, child);
  for (let child = 10; child < 20; child++) s.open(child, 3, `/child/${child}`);
  strictEqual(s.fds(10)[3], "/child/10");
  strictEqual(s.fds(19)[3], "/f/3", "no copy any more: it keeps what it shares");
  strictEqual(s.machine.stats().fdsRefused, 8);
  s.exit(10);
  s.open(19, 3, "/child/19");
  strictEqual(s.fds(19)[3], "/child/19", "room comes back");
  strictEqual(s.fds(5)[3], "/f/3");
});
