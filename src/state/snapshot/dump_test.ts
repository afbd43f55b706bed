// Tables that are dumped and loaded again are the same tables: on generated state, of every kind.
import { deepStrictEqual, strictEqual } from "node:assert";
import { BlockWalk, Step } from "../../events/blocks.ts";
import { Event } from "../../events/event.ts";
import { Context } from "../contract/context.ts";
import { createMachine } from "../create_machine.ts";
import { Fd, FD_TYPES, FdFlag, FdKind } from "../tables/fd.ts";
import { FdTable } from "../tables/fd_table.ts";
import { MachineState } from "../create_machine.ts";
import { MISSING } from "../tables/strings.ts";
import { type Birth, Thread, ThreadFlag } from "../tables/thread.ts";
import { LiveScene } from "../views_fixture.ts";

const TIME = 1_700_000_000_000_000_000n;

function machine(paths: "both" | "kernel" | "caller" = "both"): MachineState {
  const made = createMachine({
    paths,
    threadsMax: 10_000,
    fdsMax: 100_000,
    hostname: "box",
  });
  return made as MachineState;
}

function load(into: MachineState, blocks: Uint8Array): void {
  const context = new Context(into, new Event());
  const walk = new BlockWalk(context.event);
  walk.begin(blocks, blocks.length);
  for (let step = walk.next(); step !== Step.End; step = walk.next()) {
    strictEqual(step === Step.Malformed, false, "every block is sound");
    if (step === Step.State) into.load(walk.type, blocks, walk.start, walk.end);
    if (step === Step.Event) into.apply(context);
  }
  into.settle();
}

/** All that a field can see of the tables, string ids as texts. */
function told(tables: MachineState): unknown {
  const text = (id: number) => tables.strings.text(id);
  const threads = [...tables.threads.values()].map((thread) => {
    const { parent, group, fds, firstChild, nextSibling, previousSibling, ...rest } = thread;
    const { rulePlace: _, seen: _s, birth, ...own } = rest;
    return {
      ...own,
      version: 0,
      flags: thread.flags | ThreadFlag.FromSnapshot,
      texts: [own.comm, own.exe, own.exepath, own.cgroups, own.root, own.cwd, own.containerId]
        .map(text),
      callerCwd: text(own.callerCwd),
      ...{ comm: 0, exe: 0, exepath: 0, cgroups: 0, root: 0, cwd: 0, containerId: 0 },
      parent: parent?.tid,
      birth: chainOf(tables, birth),
      children: [firstChild, nextSibling, previousSibling].map((kin) => kin?.tid),
      group: group && {
        pid: group.pid,
        main: group.main?.tid,
        others: group.others.map(({ tid }) => tid),
        alive: group.alive,
        reaper: group.reaper,
      },
      fds: [...fds?.entries() ?? []].map(([number, fd]) => ({
        ...fd,
        ends: [fd.sourceIp, fd.sourcePort, fd.destinationIp, fd.destinationPort, fd.l4proto],
        unix: [fd.unixSource, fd.unixDestination, fd.pid],
        number,
        ino: BigInt(fd.ino),
        name: text(fd.name),
        nameRaw: text(fd.nameRaw),
        callerName: text(fd.callerName),
      })),
    };
  });
  return {
    threads,
    interfaces: tables.interfaces.list,
    // Those of containers are passed over where there is no live machine, as in Falco.
    users: [...tables.users.users()].filter(([container]) => container === ""),
    groups: [...tables.users.groups()].filter(([container]) => container === ""),
    containers: [...tables.containers.all()].filter(({ info }) => info !== undefined),
    cpus: tables.cpus,
    bootTs: tables.bootTs,
    memoryBytes: tables.memoryBytes,
  };
}

/** Who made a process, up to one that began it all. */
function chainOf(tables: MachineState, birth: Birth | undefined): unknown[] {
  const chain: unknown[] = [];
  for (let at = birth; at !== undefined; at = at.maker) {
    const { pid, between, listed, thread, args, hasArgs, madeNs } = at;
    const names = [at.comm, at.exe, at.exepath].map((id) => tables.strings.text(id));
    const up = at.maker === undefined ? [] : [between, listed];
    chain.push([pid, ...up, thread?.tid, ...names, args, hasArgs]);
    if (thread === undefined) chain.push(madeNs);
  }
  return chain;
}

/** A machine with everything in it, the same for the same seed. */
function generated(seed: number): MachineState {
  const made = machine();
  const random = (below: number) => {
    seed = Math.imul(seed, 1_103_515_245) + 12_345 >>> 0;
    return (seed >>> 8) % below;
  };
  const word = () => "abcäöü/. \n\0".slice(random(6), 6 + random(6)).repeat(random(20));
  const id = () => made.strings.internPassing(word().replaceAll("\0", ""));
  const big = () => BigInt(random(1 << 24)) << BigInt(random(39));
  const ip = (size: number) => Uint8Array.from({ length: size }, () => random(256));
  const name = () => `n${random(1000)}`;

  made.cpus = random(256);
  made.bootTs = big();
  made.memoryBytes = big();
  for (const size of [4, 4, 16]) {
    const entry = { name: name(), address: ip(size), netmask: ip(size), broadcast: ip(size) };
    made.interfaces.add({ ...entry, linkspeed: big() });
  }
  for (const container of ["", "c0ffee112233"]) {
    for (let uid = 0; uid < 3; uid++) {
      const user = { uid, gid: random(99), name: name(), homedir: name(), shell: name() };
      made.users.addUser(container, user);
      made.users.addGroup(container, { gid: uid, name: name() });
    }
  }
  const info = { id: "c0ffee112233", full_id: "c0ffee1122334455", name: word(), type: 0 };
  made.containers.add({ id: info.id, fullId: info.full_id, type: "docker", info });

  for (let tid = 1; tid < 60; tid++) {
    const pid = random(3) === 0 && made.threads.has(tid - 1) ? made.threads.get(tid - 1)!.pid : tid;
    const thread = new Thread(tid, pid);
    thread.ptid = random(tid);
    thread.vtid = random(99);
    thread.vpid = 2 + random(99);
    thread.sid = random(99) - 1;
    thread.vpgid = random(99) - 1;
    thread.pgid = random(99) - 1;
    thread.reaperTid = random(tid) - 1;
    thread.cloneFlags = pid === tid ? 0 : 2;
    thread.flags = [0, 2, 4, 8, 16, ThreadFlag.Subreaper][random(6)]!;
    thread.comm = id();
    thread.exe = id();
    thread.exepath = id();
    thread.root = id();
    thread.cgroups = made.strings.internPassing(`cpu=/docker-${"ab".repeat(32)}.scope`);
    thread.cwd = random(4) === 0 ? 0 : made.strings.internPassing(`/${name()}/`);
    if (random(4) === 0) thread.callerCwd = made.strings.internPassing(`/l/${name()}/`);
    thread.exeAgeAtStart = big();
    thread.exeAgeInPidns = big();
    thread.args = new TextEncoder().encode(`${word().replaceAll("\0", "")}\0-x\0`);
    if (pid === tid) thread.env = new TextEncoder().encode("A=b\0");
    if (random(8) === 0) {
      thread.lists = { args: 70_000, env: 4, argsCut: true, envCut: false };
      thread.args = new TextEncoder().encode(`${"long".repeat(2000)}\0`);
    }
    thread.uid = random(9);
    thread.gid = random(9);
    thread.loginuid = 0xffffffff;
    thread.tty = random(4);
    thread.capEffective = big();
    thread.capPermitted = big();
    thread.capInheritable = big();
    thread.exeIno = big();
    thread.exeInoCtime = big();
    thread.exeInoMtime = big();
    thread.cloneTs = big();
    thread.lastExecTs = big();
    thread.pidnsInitStartTs = big();
    thread.fdLimit = big();
    thread.vmSizeKb = random(1 << 20);
    thread.pageFaultsMajor = big();
    made.add(thread);
    if (thread.isMain && random(2) === 0) {
      // A maker that has ended, and one that runs another program since.
      const gone = new Thread(1000 + tid, 1000 + tid);
      gone.comm = gone.exe = gone.exepath = id();
      gone.args = thread.args;
      const maker = made.threads.get(random(tid));
      made.births.bear(gone, maker?.isMain ? made.births.of(maker) : undefined, random(1 << 24));
      made.births.bear(thread, made.births.of(gone));
      made.births.ends(gone);
      if (maker?.isMain && random(2) === 0) made.births.executes(maker);
    }
    if (thread.flags & ThreadFlag.Subreaper) thread.group!.reaper = true;
    thread.containerId = made.containers.match(thread.cgroups);
    if (random(2) === 0) continue;
    thread.fds = new FdTable(made.budget);
    for (let number = 0; number < 12; number++) thread.fds.set(random(2000), descriptor());
  }
  return made;

  function descriptor(): Fd {
    const kind: FdKind = 1 + random(FD_TYPES.length - 1);
    // Longer than what other readers of captures take.
    const long = () => made.strings.internPassing("/long".repeat(300 + random(300)));
    const name = random(8) === 0 ? long() : id();
    const fd = new Fd(kind, name, [MISSING, id(), long()][random(3)]);
    if (random(4) === 0) fd.callerName = [id(), long()][random(2)]!;
    fd.flags = random(512);
    if (kind === FdKind.Ipv4 || kind === FdKind.Ipv6) {
      const size = kind === FdKind.Ipv4 ? 4 : 16;
      fd.sourceIp = random(5) === 0 ? undefined : ip(size);
      fd.sourcePort = random(50);
      fd.l4proto = [0, 1, 6, 17, 255][random(5)]!;
      if (!(fd.flags & FdFlag.Listening)) {
        fd.destinationIp = random(5) === 0 ? undefined : ip(size);
        fd.destinationPort = random(50);
      }
    }
    if (kind === FdKind.Unix) {
      fd.unixSource = big();
      fd.unixDestination = big();
    }
    fd.openFlags = random(1 << 20);
    fd.dev = random(1 << 20);
    fd.ino = random(2) === 0 ? random(1 << 24) : 0xffff_ffff_ffff_fff0n;
    return fd;
  }
}

Deno.test("tables that are dumped and loaded are the same", () => {
  for (let seed = 1; seed <= 40; seed++) {
    const first = generated(seed);
    const second = machine();
    load(second, first.dump(TIME));
    deepStrictEqual(told(second), told(first), `seed ${seed}`);
  }
});

Deno.test("of both names that a dump has, a machine of one view takes its own", () => {
  const live = new LiveScene();
  live.executed(7, "/usr/bin/cat", "/usr/bin/cat");
  live.wentTo(7, "/tmp/d", "/etc/ssl");
  live.opened(7, 3, "/tmp/link", "/etc/shadow");
  const told = (paths: "both" | "kernel" | "caller") => {
    const tables = machine(paths);
    load(tables, live.machine.dump(TIME));
    const thread = tables.threads.get(7)!;
    const fd = tables.fdsOf(thread)!.get(3)!;
    return [fd.name, fd.callerName, thread.cwd, thread.callerCwd].map((id) =>
      tables.strings.text(id)
    );
  };
  deepStrictEqual(told("both"), ["/etc/shadow", "/tmp/link", "/etc/ssl/", "/tmp/d/"]);
  deepStrictEqual(told("kernel"), ["/etc/shadow", undefined, "/etc/ssl/", undefined]);
  deepStrictEqual(told("caller"), ["/tmp/link", undefined, "/tmp/d/", undefined]);
});

Deno.test("what others tell of their state stands behind a dump", () => {
  const tables = machine();
  const own = tables.dump(5n);
  tables.dumpsToo = () => [Uint8Array.of(1, 2), Uint8Array.of(3)];
  const whole = tables.dump(5n);
  deepStrictEqual([...whole.subarray(own.length)], [1, 2, 3]);
  deepStrictEqual(whole.subarray(0, own.length), own);
});

Deno.test("a dump leaves made-up threads out", () => {
  const first = machine();
  first.get(7);
  strictEqual(first.threads.size, 1);
  const second = machine();
  load(second, first.dump(TIME));
  strictEqual(second.threads.size, 0);
});

Deno.test("a damaged dump gives some of the tables and never fails", () => {
  const whole = generated(3).dump(TIME);
  let seed = 5;
  const random = () => (seed = Math.imul(seed, 1_103_515_245) + 12_345 >>> 0) >>> 8;
  for (let round = 0; round < 200; round++) {
    const damaged = whole.slice(0, random() % whole.length);
    for (let change = 0; change < 20; change++) {
      damaged[random() % damaged.length] = random() & 0xff;
    }
    const tables = machine();
    const context = new Context(tables, new Event());
    const walk = new BlockWalk(context.event);
    walk.begin(damaged, damaged.length);
    for (let step = walk.next(); step !== Step.End; step = walk.next()) {
      if (step === Step.State) tables.load(walk.type, damaged, walk.start, walk.end);
    }
    tables.settle();
  }
});

Deno.test("a dump says that alerts of new containers waited, and of which", () => {
  const first = machine();
  first.awaited.enable(["c0ffee112233"]);
  const second = machine();
  load(second, first.dump(TIME));
  strictEqual(second.awaited.enabled, true);
  deepStrictEqual([...second.awaited.all()], ["c0ffee112233"]);
  const other = machine();
  load(other, machine().dump(TIME));
  strictEqual(other.awaited.enabled, false);
});
