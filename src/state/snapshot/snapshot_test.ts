// State lists of every version are read, and any bytes in them do no harm.
import { deepStrictEqual, strictEqual } from "node:assert";
import { BlockBuffer } from "../../events/scap/block_buffer.ts";
import { FD_LISTS, PROCESS_LISTS } from "../../events/scap/state_types.ts";
import { EVENTS } from "../../events/table.ts";
import { FdFlag, FdKind } from "../tables/fd.ts";
import { nulls, Scene } from "../scene.ts";

const encoder = new TextEncoder();
function load(s: Scene, type: number, put: (out: BlockBuffer) => void): void {
  const out = new BlockBuffer();
  put(out);
  s.machine.load(type, out.bytes, 0, out.length);
}

function text(out: BlockBuffer, value: string): void {
  out.text(encoder.encode(value));
}

/** One process entry as version `version` has it. */
function putProcess(
  out: BlockBuffer,
  version: number,
  tid: number,
  pid: number,
  ptid: number,
): void {
  const length = version >= 9 ? out.openLength() : 0;
  out.i64(tid);
  out.i64(pid);
  out.i64(ptid);
  if (version >= 6) out.i64(7);
  if (version >= 8) out.i64(8);
  text(out, "bash");
  text(out, "-bash");
  if (version >= 7) text(out, "/bin/bash (deleted)");
  out.list(nulls("-l"));
  text(out, "/home/me");
  out.i64(1024);
  out.u32(tid === pid ? 0 : 1);
  out.u32(1000);
  out.u32(100);
  if (version >= 2) {
    for (const kb of [1, 2, 3]) out.u32(kb);
    out.u64(4n);
    out.u64(5n);
  }
  if (version >= 3) out.list(nulls("A=b"));
  if (version >= 4) {
    out.i64(tid);
    out.i64(pid);
    out.list(nulls("cpu=/x"));
  }
  if (version >= 5) text(out, "/");
  if (version < 9) return;
  out.u64(9n);
  out.u32(34816);
  out.u32(1000);
  out.u8(1);
  for (const caps of [1n, 2n, 3n]) out.u64(caps);
  out.closeLength(length, 4);
}

for (const [type, version] of PROCESS_LISTS) {
  Deno.test(`a process list ${type.toString(16)} is read as version ${version}`, () => {
    const s = new Scene();
    load(s, type, (out) => {
      putProcess(out, version, 5, 5, 1);
      putProcess(out, version, 6, 5, 1);
      putProcess(out, version, 9, 9, 5);
      out.zeros(2);
    });
    s.pass(5);
    const main = s.thread(5);
    deepStrictEqual(
      [s.text(main.comm), s.text(main.exe), s.text(main.cwd), main.uid, main.gid],
      ["bash", "-bash", "/home/me/", 1000, 100],
    );
    strictEqual(new TextDecoder().decode(main.args), "-l\0");
    strictEqual(main.pageFaultsMinor, version >= 2 ? 5n : 0n);
    strictEqual(main.env.length, version >= 3 ? 4 : 0);
    strictEqual(s.text(main.cgroups), version >= 4 ? "cpu=/x" : "");
    strictEqual(main.sid, version >= 6 ? 7 : -1);
    strictEqual(s.text(main.exepath), version >= 7 ? "/bin/bash" : "");
    strictEqual(main.vpgid, version >= 8 ? 8 : -1);
    strictEqual(main.tty, version >= 9 ? 34816 : 0);
    strictEqual(main.capEffective, version >= 9 ? 3n : 0n);
    strictEqual(s.thread(6).group, main.group);
    strictEqual(s.thread(9).parent, main);
  });
}

Deno.test("a list cut anywhere gives the entries before the cut", () => {
  for (const [type, version] of PROCESS_LISTS) {
    const out = new BlockBuffer();
    for (let tid = 1; tid <= 3; tid++) putProcess(out, version, tid, tid, 0);
    const each = out.length / 3;
    for (let length = 0; length <= out.length; length += 3) {
      const s = new Scene();
      s.machine.load(type, out.bytes, 0, length);
      const whole = Math.floor(length / each);
      strictEqual(s.machine.threads.size >= whole, true);
      strictEqual(s.machine.threads.size <= whole + 1, true);
    }
  }
});

Deno.test("descriptor lists of both versions are read, with the kinds that they have", () => {
  for (const [type, version] of FD_LISTS) {
    const withLength = version >= 2;
    const s = new Scene();
    load(s, 0x215, (out) => putProcess(out, 9, 5, 5, 1));
    load(s, type, (out) => {
      out.i64(5);
      const put = (number: number, kind: number, rest: () => void) => {
        const length = withLength ? out.openLength() : 0;
        out.i64(number);
        out.u64(77n);
        out.u8(kind);
        rest();
        if (withLength) out.closeLength(length, 4);
      };
      put(0, 1, () => text(out, "/dev/null"));
      put(1, 16, () => {
        out.u32(1);
        text(out, "/etc/hosts");
        if (withLength) out.u32(2049);
      });
      put(3, 5, () => {
        out.raw(new Uint8Array([0, 0, 0, 0, 80, 0, 2]));
      });
      put(4, 3, () => {
        out.raw(new Uint8Array([10, 0, 0, 1, 10, 0, 0, 2, 80, 0, 1, 2, 2]));
      });
      put(5, 3, () => {
        out.raw(new Uint8Array([10, 0, 0, 1, 10, 0, 0, 2, 9, 9, 80, 0, 2]));
      });
      put(6, 8, () => {
        out.u64(1n);
        out.u64(2n);
        text(out, "/run/x");
      });
    });
    s.pass(5);
    deepStrictEqual(s.fds(5), {
      0: "/dev/null",
      1: "/etc/hosts",
      3: "0.0.0.0:80",
      4: "10.0.0.2:513->10.0.0.1:80",
      5: "10.0.0.1:2313->10.0.0.2:80",
      6: "/run/x",
    });
    const fds = s.machine.fdsOf(s.thread(5))!;
    strictEqual(fds.get(3)!.flags & FdFlag.Listening, FdFlag.Listening);
    strictEqual(fds.get(4)!.flags & FdFlag.RoleServer, FdFlag.RoleServer);
    strictEqual(fds.get(5)!.flags & FdFlag.RoleClient, FdFlag.RoleClient);
    strictEqual(fds.get(6)!.kind, FdKind.Unix);
    strictEqual(fds.get(1)!.dev, withLength ? 2049 : 0);
    strictEqual(fds.get(0)!.ino, 77);
  }
});

Deno.test("users, groups and interfaces of both versions are read", () => {
  for (const withLength of [false, true]) {
    const s = new Scene();
    load(s, withLength ? 0x220 : 0x206, (out) => {
      const user = withLength ? out.openLength() : 0;
      out.u8(0);
      out.u32(1000);
      out.u32(100);
      for (const value of ["me", "/home/me", "/bin/sh"]) text(out, value);
      if (withLength) out.closeLength(user, 4);
      const group = withLength ? out.openLength() : 0;
      out.u8(1);
      out.u32(100);
      text(out, "users");
      if (withLength) out.closeLength(group, 4);
    });
    load(s, withLength ? 0x219 : 0x205, (out) => {
      const length = withLength ? out.openLength() : 0;
      out.u16(1);
      out.u16(4);
      out.raw(new Uint8Array([10, 0, 0, 1, 255, 0, 0, 0, 10, 255, 255, 255]));
      out.u64(0n);
      out.raw(encoder.encode("eth0"));
      if (withLength) out.closeLength(length, 0);
    });
    strictEqual(s.machine.user("", 1000, 1)?.homedir, "/home/me");
    strictEqual(s.machine.group("", 100, 1)?.name, "users");
    strictEqual(s.machine.isLocal(new Uint8Array([10, 0, 0, 1])), true);
    strictEqual(s.machine.isLocal(new Uint8Array([10, 0, 0, 2])), false);
  }
});

const BLOCK_TYPES = [
  0x201,
  0x203,
  0x205,
  0x206,
  0x218,
  0x219,
  0x220,
  ...PROCESS_LISTS.keys(),
];

Deno.test("any bytes as state blocks or events do no harm", () => {
  for (const seed of [1, 2, 99]) {
    let state = seed;
    const random = () => (state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff) >>> 8;
    const s = new Scene({ threadsMax: 20, fdsMax: 500, stringBytesMax: 20_000 });
    for (let round = 0; round < 3000; round++) {
      const bytes = Uint8Array.from(
        { length: random() % 300 },
        () => random() % 3 === 0 ? random() : random() % 4,
      );
      s.machine.load(BLOCK_TYPES[random() % BLOCK_TYPES.length]!, bytes, 0, bytes.length);
      applyRandom(s, random);
    }
    strictEqual(s.machine.threads.size <= 20, true);
    strictEqual(s.machine.stats().threadsRefused > 0, true);
  }
});

/** An event of a random kind whose parameters have random lengths and bytes. */
function applyRandom(s: Scene, random: () => number): void {
  const { code, params, flags } = EVENTS[random() % EVENTS.length]!;
  const size = flags.has("large_payload") ? 4 : 2;
  const count = random() % 5 === 0 ? random() % 40 : params.length;
  const bytes = Uint8Array.from({ length: 26 + count * size + random() % 200 }, () => random() % 9);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(8, BigInt(random() % 50), true);
  view.setUint32(16, bytes.length, true);
  view.setUint16(20, code, true);
  view.setUint32(22, count, true);
  for (let index = 0; index < count; index++) {
    const length = random() % 3 === 0 ? random() % 30 : 8;
    if (size === 4) view.setUint32(26 + index * 4, length, true);
    else view.setUint16(26 + index * 2, length, true);
  }
  const { event } = s.context;
  event.bind(bytes);
  if (event.moveTo(0, bytes.length)) s.machine.apply(s.context);
}

Deno.test("a thread that no event told of is looked up, and nobody else is replaced", () => {
  const out = new BlockBuffer();
  out.beginBlock(0x215);
  putProcess(out, 9, 5, 5, 1);
  putProcess(out, 9, 77, 77, 5);
  out.endBlock();
  const asked: number[] = [];
  const s = new Scene({
    lookUp: (tid) => {
      asked.push(tid);
      return tid === 77 ? out.bytes : new Uint8Array(0);
    },
  });
  s.exec(5, "known");
  const known = s.thread(5);
  s.pass(77);
  strictEqual(s.text(s.thread(77).comm), "bash");
  strictEqual(s.thread(77).parent, known);
  strictEqual(s.thread(5), known);
  strictEqual(s.pass(78).thread!.isInvalid, true);
  s.pass(77);
  deepStrictEqual(asked, [5, 77, 78]);
});

Deno.test("a child whose creator has ended does not get the program of who took it in", () => {
  const blocks = (tid: number) => {
    const out = new BlockBuffer();
    out.beginBlock(0x215);
    putProcess(out, 9, tid, tid, 5);
    out.endBlock();
    return out.bytes;
  };
  const s = new Scene({ lookUp: (tid) => tid === 77 ? blocks(77) : new Uint8Array(0) });
  s.exec(5, "dash");
  const born = (tid: number, comm: string) => s.born(tid, tid, 5, 0, { comm, exe: comm });
  born(70, "dash");
  strictEqual(s.text(s.thread(70).exepath), "/usr/bin/dash", "its parent's own child");
  // Known to /proc under the name that its event has.
  born(77, "bash");
  strictEqual(s.text(s.thread(77).exepath), "/bin/bash");
  // Gone before it could be looked up.
  born(78, "nginx");
  strictEqual(s.text(s.thread(78).exepath), "");
  strictEqual(s.text(s.thread(78).comm), "nginx");
});

Deno.test("a flood of unknown threads is not looked up one by one", () => {
  let asked = 0;
  const s = new Scene({
    lookUp: () => {
      asked++;
      return new Uint8Array(0);
    },
  });
  for (let tid = 1; tid <= 200; tid++) s.pass(tid);
  strictEqual(asked < 40, true, `${asked} look-ups`);
  strictEqual(s.machine.stats().lookUpsRefused, 200 - asked);
});

Deno.test("an id without a name is looked for among the container's users", () => {
  const asked: unknown[] = [];
  const list = new BlockBuffer();
  list.beginBlock(0x220);
  const user = list.openLength();
  list.u8(0);
  list.u32(1000);
  list.u32(100);
  for (const value of ["inside", "/home/inside", "/bin/sh"]) text(list, value);
  list.closeLength(user, 4);
  list.endBlock();
  const s = new Scene({
    accountsOf: (containerId, pids) => {
      asked.push([containerId, ...pids]);
      return containerId === "abc" ? list.bytes.subarray(0, list.length) : undefined;
    },
  });
  const lineage = s.machine.lineage;
  strictEqual(s.machine.user("abc", 1000, 7)?.name, "inside");
  strictEqual(s.machine.user("abc", 1000, 8)?.name, "inside");
  strictEqual(s.machine.user("", 1000, 9), undefined);
  deepStrictEqual(asked, [["abc", 7], ["", 9]]);
  strictEqual(s.machine.lineage > lineage, true);
});
