// Thread life: forks seen from either side and in either order, execs, exits, orphans, bounds.
import { deepStrictEqual, strictEqual } from "node:assert";
import type { MachineState } from "../create_machine.ts";
import { IN_PIDNS, nulls, Scene, THREAD_FLAGS, VFORK_FLAGS } from "../scene.ts";
import { Thread, ThreadFlag } from "./thread.ts";

/** init and one shell below it. */
function scene(): Scene {
  const made = new Scene();
  made.exec(1, "init", { ptid: 0, pgid: 1, vpgid: 1 });
  made.born(10, 10, 1);
  made.exec(10, "bash");
  return made;
}

for (
  const [order, tell] of [
    ["the creator first", (s: Scene) => (s.forked(10, 11), s.born(11, 11, 10))],
    ["the child first", (s: Scene) => (s.born(11, 11, 10), s.forked(10, 11))],
    ["the creator alone", (s: Scene) => s.forked(10, 11)],
    ["the child alone", (s: Scene) => s.born(11, 11, 10)],
  ] as const
) {
  Deno.test(`a fork gives one child of the same state, told by ${order}`, () => {
    const s = scene();
    s.open(10, 3, "/etc/passwd");
    tell(s);
    const child = s.thread(11);
    strictEqual(child.pid, 11);
    strictEqual(child.ptid, 10);
    strictEqual(child.parent, s.thread(10));
    strictEqual(s.text(child.exepath), "/usr/bin/bash");
    deepStrictEqual(s.fds(11), { 3: "/etc/passwd" });
    strictEqual(s.machine.threads.size, 3);
    strictEqual(s.machine.parentOf(child), s.thread(10));
  });
}

Deno.test("a fork shares descriptors until one side changes them", () => {
  const s = scene();
  s.open(10, 3, "/a");
  s.forked(10, 11);
  s.open(11, 4, "/b");
  s.close(10, 3);
  s.pass();
  deepStrictEqual(s.fds(10), {});
  deepStrictEqual(s.fds(11), { 3: "/a", 4: "/b" });
});

Deno.test("a vfork's creator makes no entry, since the child may be gone already", () => {
  const s = scene();
  s.born(11, 11, 10, VFORK_FLAGS);
  s.exit(11);
  s.forked(10, 11, VFORK_FLAGS);
  s.pass();
  strictEqual(s.machine.threads.has(11), false);
});

Deno.test("a creator's late event does not bring back a child that ended", () => {
  const s = scene();
  s.born(11, 11, 10);
  s.exit(11);
  s.forked(10, 11);
  s.pass();
  strictEqual(s.machine.threads.has(11), false);
});

Deno.test("a number is given again once its thread is old", () => {
  const s = scene();
  s.born(11, 11, 10);
  s.exec(11, "old");
  s.atMs += 3000;
  s.born(11, 11, 1);
  strictEqual(s.text(s.thread(11).comm), "sh");
  strictEqual(s.thread(11).ptid, 1);
});

Deno.test("a child in another pid namespace is told by its own event only", () => {
  const s = scene();
  s.forked(10, 2, IN_PIDNS);
  strictEqual(s.machine.threads.has(2), false);
  s.born(11, 11, 10, IN_PIDNS, { vtid: 2, vpid: 2 });
  strictEqual(s.thread(11).vpid, 2);
  strictEqual(s.thread(11).isInPidNamespace, true);
});

Deno.test("threads share their process's descriptors and directory", () => {
  const s = scene();
  s.forked(10, 12, THREAD_FLAGS);
  strictEqual(s.thread(12).pid, 10);
  s.open(12, 3, "/x");
  deepStrictEqual(s.fds(10), { 3: "/x" });
  s.event("SYSCALL_CHDIR_X", 10, { res: 0, path: "/tmp" });
  const name = s.text(s.open(12, 4, "file").fdName);
  strictEqual(name, "/tmp/file");
});

Deno.test("an exec ends the process's other threads", () => {
  const s = scene();
  s.forked(10, 12, THREAD_FLAGS);
  s.forked(10, 13, THREAD_FLAGS);
  s.exec(10, "next");
  strictEqual(s.machine.threads.has(12), false);
  strictEqual(s.thread(10).group!.alive, 1);
});

Deno.test("a process stays while a thread of it lives after its main thread", () => {
  const s = scene();
  s.forked(10, 12, THREAD_FLAGS);
  s.exit(10);
  s.pass();
  strictEqual(s.thread(10).isDead, true);
  s.exit(12);
  s.pass();
  strictEqual(s.machine.threads.has(10), false);
  strictEqual(s.machine.threads.has(12), false);
});

Deno.test("an exec by another thread makes a dead main thread live again", () => {
  const s = scene();
  s.forked(10, 12, THREAD_FLAGS);
  s.exit(10);
  s.exec(10, "again");
  strictEqual(s.thread(10).isDead, false);
  s.exit(10);
  s.pass();
  strictEqual(s.machine.threads.has(10), false);
});

Deno.test("an exec replaces program, arguments and identity; a failed one nothing", () => {
  const s = scene();
  s.exec(10, "no", { res: -2 });
  strictEqual(s.text(s.thread(10).comm), "bash");
  const { version } = s.thread(10);
  s.exec(10, "cat", { uid: 5, args: nulls("/etc/shadow"), trusted_exepath: "/tmp/cat (deleted)" });
  const thread = s.thread(10);
  strictEqual(s.text(thread.exepath), "/tmp/cat");
  strictEqual(thread.uid, 5);
  strictEqual(new TextDecoder().decode(thread.args), "/etc/shadow\0");
  strictEqual(thread.version > version, true);
});

Deno.test("an exit is seen by its own event and gone by the next", () => {
  const s = scene();
  strictEqual(s.exit(10).thread, s.thread(10));
  strictEqual(s.machine.threads.has(10), true);
  s.pass();
  strictEqual(s.machine.threads.has(10), false);
});

Deno.test("whoever asks is told of each thread that goes, and whose id is another's", () => {
  const s = scene();
  const gone: number[] = [];
  s.machine.threadGone = (tid) => gone.push(tid);
  s.forked(10, 11);
  s.exit(11);
  s.pass();
  deepStrictEqual(gone, [11]);
  (s.machine as MachineState).add(new Thread(10, 10));
  deepStrictEqual(gone, [11, 10]);
});

Deno.test("orphans go to the reaper that the kernel names", () => {
  const s = scene();
  s.forked(10, 11);
  s.forked(1, 20);
  s.exit(10, 20);
  s.pass();
  strictEqual(s.thread(11).ptid, 20);
  strictEqual(s.thread(20).group!.reaper, true);
});

Deno.test("orphans go to a thread of the process, a subreaper, init, in this order", () => {
  const s = scene();
  s.event("SYSCALL_PRCTL_X", 10, { res: 0, option: 36, arg2_str: "", arg2_int: 1 });
  s.forked(10, 11);
  s.forked(11, 12);
  s.exit(11);
  s.pass();
  strictEqual(s.thread(12).ptid, 10, "a subreaper before init");
  s.forked(10, 13, THREAD_FLAGS);
  s.exit(10);
  s.pass();
  strictEqual(s.thread(12).ptid, 13, "a thread of the same process first");
  s.exit(13);
  s.pass();
  strictEqual(s.thread(12).ptid, 1);
});

Deno.test("a lineage changes for those below when a parent runs another program", () => {
  const s = scene();
  s.forked(10, 11);
  const { lineage } = s.machine;
  s.exec(10, "zsh");
  strictEqual(s.machine.lineage > lineage, true);
});

Deno.test("a session's leader is found, also when only its ancestors tell", () => {
  const s = scene();
  s.event("SYSCALL_SETSID_X", 10, { res: 10 });
  s.forked(10, 11);
  strictEqual(s.machine.sessionLeaderOf(s.thread(11)), s.thread(10));
  strictEqual(s.machine.groupLeaderOf(s.thread(11), "pgid"), s.thread(10));
});

Deno.test("an unknown thread is made up until an event tells more", () => {
  const s = new Scene();
  const { thread } = s.pass(77);
  strictEqual(thread!.isInvalid, true);
  strictEqual(s.text(thread!.comm), "<NA>");
  strictEqual(thread!.flags & ThreadFlag.Invalid, ThreadFlag.Invalid);
  s.exec(77, "now");
  strictEqual(s.thread(77).isInvalid, false);
  strictEqual(s.thread(77).vpid, 77);
});

Deno.test("threads above the bound are refused and counted", () => {
  const s = new Scene({ threadsMax: 5 });
  for (let tid = 1; tid <= 20; tid++) s.pass(tid);
  strictEqual(s.machine.threads.size, 5);
  strictEqual(s.machine.stats().threadsRefused, 15);
  strictEqual(s.pass(3).thread, s.thread(3));
  strictEqual(s.pass(19).thread, undefined);
});

Deno.test("in a full live table copies of their makers give way to what is new", () => {
  const bound = 800;
  const s = new Scene({ threadsMax: bound, isAlive: () => true });
  s.exec(1, "init", { ptid: 0, pgid: 1, vpgid: 1 });
  for (let tid = 10; tid < 60; tid++) {
    s.born(tid, tid, 1);
    s.exec(tid, `daemon${tid}`);
  }
  s.born(100, 100, 1);
  s.exec(100, "flood");
  for (let tid = 1001; tid <= 3000; tid++) {
    s.born(tid, tid, 100);
    strictEqual(s.thread(tid).parent, s.thread(100));
  }
  for (let tid = 3001; tid <= 4000; tid++) s.born(tid, 100, 1, THREAD_FLAGS);
  s.born(5000, 5000, 10);
  s.exec(5000, "act");
  strictEqual(s.text(s.thread(5000).exepath), "/usr/bin/act");
  strictEqual(s.machine.parentOf(s.thread(5000)), s.thread(10));
  const { threads, threadsRefused } = s.machine.stats();
  strictEqual(threads <= bound, true);
  strictEqual(threads + threadsRefused, 1 + 50 + 1 + 2000 + 1000 + 1);
  for (let tid = 10; tid < 60; tid++) strictEqual(s.text(s.thread(tid).comm), `daemon${tid}`);
  const { others, alive } = s.thread(100).group!;
  strictEqual(alive, 1 + others.length);
  for (const other of others) strictEqual(s.thread(other.tid), other);
});

Deno.test("idle threads that are gone are purged after 300 seconds, the living stay", () => {
  const s = new Scene({ isAlive: (tid) => tid === 10 });
  s.exec(10, "stays");
  s.exec(11, "goes");
  s.pass(99);
  for (let minute = 0; minute < 12; minute++) {
    s.atMs += 60_000;
    for (let count = 0; count < 1024; count++) s.pass(1);
  }
  strictEqual(s.machine.threads.has(10), true);
  strictEqual(s.machine.threads.has(11), false);
  strictEqual(s.machine.threads.has(99), false);
});

Deno.test("random forks, execs and exits leave a tree that is whole", () => {
  for (const seed of [1, 2, 3, 4711]) checkTree(seed);
});

/** Children and parents name each other, groups count their living, nothing dead stays. */
function checkTree(seed: number): void {
  const s = scene();
  let state = seed;
  const random = (below: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return (state >>> 8) % below;
  };
  for (let step = 0; step < 3000; step++) {
    const tid = 1 + random(60);
    const other = 1 + random(60);
    switch (random(6)) {
      case 0:
        s.forked(tid, other);
        break;
      case 1:
        s.born(other, other, tid);
        break;
      case 2:
        s.forked(tid, other, THREAD_FLAGS);
        break;
      case 3:
        // An exec comes from the main thread, whoever called it.
        if (s.machine.threads.get(tid)?.isMain ?? true) s.exec(tid, `c${random(9)}`);
        break;
      case 4:
        s.exit(tid, random(3) === 0 ? other : 0);
        break;
      default:
        s.atMs += 500;
        s.open(tid, random(5), `/f${random(9)}`);
    }
  }
  s.pass();
  const { threads } = s.machine;
  for (const thread of threads.values()) {
    for (let child = thread.firstChild; child !== undefined; child = child.nextSibling) {
      strictEqual(child.parent, thread, `seed ${seed}: a child names its parent`);
      strictEqual(threads.get(child.tid), child, `seed ${seed}: a child is in the table`);
    }
    if (thread.parent !== undefined) strictEqual(threads.get(thread.parent.tid), thread.parent);
    const group = thread.group;
    if (group === undefined) continue;
    const all = group.main === undefined ? group.others : [group.main, ...group.others];
    strictEqual(
      group.alive >= 0 && group.alive <= all.length,
      true,
      `seed ${seed}: living counted`,
    );
  }
}

Deno.test("of a thread that nothing told of nothing is known", () => {
  const thread = new Thread(5, 4);
  const told = {
    ...{ capPermitted: 0n, capInheritable: 0n, capEffective: 0n },
    ...{ exeIno: 0n, exeInoCtime: 0n, exeInoMtime: 0n, exeAgeAtStart: 0n, exeAgeInPidns: 0n },
    ...{ cloneTs: 0n, lastExecTs: 0n, pidnsInitStartTs: 0n, fdLimit: -1n },
    ...{ vmSizeKb: 0, vmRssKb: 0, vmSwapKb: 0, pageFaultsMajor: 0n, pageFaultsMinor: 0n },
  };
  for (const [name, value] of Object.entries(told)) strictEqual(Reflect.get(thread, name), value);
  const known = Object.entries(thread).filter(([, value]) => value !== undefined);
  deepStrictEqual(Object.fromEntries(known), {
    ...{ tid: 5, pid: 4, ptid: 0, reaperTid: 0, vtid: 0, vpid: 0, sid: 0, vpgid: 0, pgid: 0 },
    ...{ flags: 0, cloneFlags: 0, comm: 0, exe: 0, exepath: 0, cgroups: 0, root: 0, cwd: 0 },
    ...{ callerCwd: -1, hostCwd: -1, containerId: -1 },
    ...{ namespaces: 0, pidNamespace: 0, mountNamespace: 0 },
    ...{ args: new Uint8Array(0), env: new Uint8Array(0) },
    ...{ uid: 0xffff_ffff, gid: 0xffff_ffff, loginuid: 0xffff_ffff, tty: 0 },
    ...{ seen: 0, version: 1, rulePlace: -1 },
  });
});

Deno.test("what is told of a thread is told of no other", () => {
  const [one, other] = [new Thread(5, 5), new Thread(6, 6)];
  one.capEffective = 3n;
  one.vmRssKb = 7;
  deepStrictEqual([one.capEffective, one.vmRssKb], [3n, 7]);
  deepStrictEqual([other.capEffective, other.vmRssKb], [0n, 0]);
});

Deno.test("a thread that ends leaves its process's others, the first of them too", () => {
  const s = scene();
  for (const tid of [11, 12, 13]) s.born(tid, 10, 1, THREAD_FLAGS);
  const others = () => s.thread(10).group!.others.map(({ tid }) => tid);
  deepStrictEqual(others(), [11, 12, 13]);
  s.exit(11);
  s.pass();
  deepStrictEqual(others(), [12, 13]);
  s.exit(13);
  s.pass();
  deepStrictEqual(others(), [12]);
});

Deno.test("alongside() names the process and the others of its container alone", () => {
  const s = scene();
  s.forked(10, 11);
  s.forked(10, 12);
  const [here, there] = [
    s.machine.strings.internText("here"),
    s.machine.strings.internText("there"),
  ];
  for (const [tid, containerId] of [[1, there], [10, here], [11, here], [12, here]] as const) {
    s.thread(tid).containerId = containerId;
  }
  const machine = s.machine as MachineState;
  deepStrictEqual([...machine.alongside(11)], [11, 10, 12]);
  deepStrictEqual([...machine.alongside(99)], [99]);
});
