// Values as text and as JSON.
import { deepStrictEqual, strictEqual } from "node:assert";
import { ipText } from "./text/addresses.ts";
import { Bench, CHILD, open } from "./context_fixture.ts";
import { numberText, paramNumberText } from "./text/numbers.ts";

function opened(): Bench {
  const bench = new Bench();
  bench.apply(open(3, "/etc//ssl"));
  return bench;
}

Deno.test("clock fields are text in messages and nanoseconds in JSON", () => {
  const bench = opened();
  strictEqual(bench.text("evt.time"), "22:13:20.000000000");
  strictEqual(bench.text("evt.time.iso8601"), "2023-11-14T22:13:20.000000000+0000");
  strictEqual(bench.text("evt.datetime.s"), "2023-11-14 22:13:20");
  strictEqual(bench.json("evt.time"), 1_700_000_000_000_000_000n);
  strictEqual(bench.text("evt.rawtime.ns"), "000000000");
  strictEqual(bench.json("evt.rawtime.ns"), 0n);
});

Deno.test("hexadecimal is text in JSON, decimal a number", () => {
  const bench = opened();
  strictEqual(bench.json("fd.dev"), "803");
  strictEqual(bench.json("fd.dev.major"), 8);
  strictEqual(bench.json("fd.num"), 3);
});

Deno.test("a number without a format is not shown", () => {
  const bench = opened();
  strictEqual(bench.value("evt.type.is.openat"), 1);
  strictEqual(bench.json("evt.type.is.openat"), undefined);
  strictEqual(bench.text("evt.type.is.openat"), "<NA>");
});

Deno.test("a raw parameter has the format that its event gives it", () => {
  const bench = new Bench();
  const timer = { res: 3, clockid: 1, flags: 255 };
  bench.apply({ id: "SYSCALL_TIMERFD_CREATE_X", tid: CHILD, params: timer });
  strictEqual(bench.value("evt.rawarg.flags"), 255);
  strictEqual(bench.json("evt.rawarg.flags"), "FF");
  strictEqual(bench.json("evt.rawarg.clockid"), 1);
  bench.apply({ id: "SYSCALL_EPOLL_CREATE_X", tid: CHILD, params: { res: 0, size: -22 } });
  strictEqual(bench.text("evt.rawarg.size"), "-22");
  bench.apply({ id: "SYSCALL_SETUID_X", tid: CHILD, params: { res: 0 } });
  strictEqual(bench.value("evt.rawarg.uid"), undefined);
  strictEqual(bench.text("evt.rawarg.uid"), "0", "Falco shows 0 where there is nothing");
});

Deno.test("a list is an array in JSON and stands in parentheses in text", () => {
  const bench = opened();
  deepStrictEqual(bench.json("fd.types"), ["file"]);
  strictEqual(bench.text("fd.types"), "(file)");
  deepStrictEqual(bench.json("fd.types[3]"), ["file"]);
  strictEqual(bench.json("fd.types[4]"), undefined);
});

Deno.test("control characters stay what they are, for JSON to escape", () => {
  const bench = new Bench();
  bench.apply(open(3, "/tmp/a\n\tb\x7f"));
  strictEqual(bench.text("fd.name"), "/tmp/a\n\tb\x7f");
  strictEqual(bench.json("fd.name"), "/tmp/a\n\tb\x7f");
  strictEqual(bench.value("fd.name"), "/tmp/a\n\tb\x7f");
});

Deno.test("a file's directory and name come from its path", () => {
  const bench = opened();
  strictEqual(bench.text("fd.name"), "/etc/ssl");
  strictEqual(bench.text("fd.nameraw"), "/etc/ssl");
  strictEqual(bench.text("fd.directory"), "/etc");
  strictEqual(bench.text("fd.filename"), "ssl");
});

Deno.test("an open that failed has a name but no type and the number -1", () => {
  const bench = new Bench();
  bench.apply(open(-13, "secret"));
  strictEqual(bench.text("fd.name").endsWith("secret"), true);
  strictEqual(bench.value("fd.type"), undefined);
  strictEqual(bench.text("fd.typechar"), "f");
  strictEqual(bench.value("fd.num"), -1);
});

Deno.test("an open by handle that failed has no name, as in Falco", () => {
  const bench = new Bench();
  const params = { fd: -116, mountfd: 5, flags: 1, path: new Uint8Array(0), dev: 0, ino: 0 };
  bench.apply({ id: "SYSCALL_OPEN_BY_HANDLE_AT_X", tid: CHILD, params });
  for (const field of ["fd.name", "fd.nameraw", "evt.arg.path", "evt.abspath", "fd.filename"]) {
    strictEqual(bench.text(field), "<NA>", field);
  }
});

Deno.test("an event without a descriptor has no fields of one", () => {
  const bench = opened();
  bench.apply({ id: "SYSCALL_SETUID_X", tid: CHILD, params: { res: 0, uid: 0 } });
  for (const field of ["fd.num", "fd.name", "fd.type", "fd.typechar", "fd.nameraw", "fd.ip"]) {
    strictEqual(bench.value(field), undefined, field);
  }
});

Deno.test("paths of calls that succeed are joined with the working directory", () => {
  const bench = opened();
  bench.apply({ id: "SYSCALL_CHDIR_X", tid: CHILD, params: { res: 0, path: "/var/lib" } });
  const rename = (res: number) => ({
    id: "SYSCALL_RENAME_X",
    tid: CHILD,
    params: { res, oldpath: "./a", newpath: "../b" },
  });
  bench.apply(rename(0));
  strictEqual(bench.text("fs.path.source"), "/var/lib/a");
  strictEqual(bench.text("fs.path.sourceraw"), "./a");
  strictEqual(bench.text("fs.path.target"), "/var/b");
  strictEqual(bench.value("fs.path.name"), undefined);
  bench.apply(rename(-2));
  strictEqual(bench.value("fs.path.source"), undefined);
});

Deno.test("a path that the kernel resolved is the path that was acted on", () => {
  const values = {
    id: "SYSCALL_OPEN_X",
    tid: CHILD,
    params: { fd: 3, name: "/proc/self/root/etc/shadow", flags: 1, mode: 0, dev: 1, ino: 2 },
    own: { path: "/etc/shadow" },
  };
  const live = new Bench("kernel");
  live.apply(values);
  strictEqual(live.text("fs.path.name"), "/etc/shadow");
  strictEqual(live.text("fs.path.nameraw"), "/proc/self/root/etc/shadow");
  const asked = new Bench("caller");
  asked.apply(values);
  strictEqual(asked.text("fs.path.name"), "/proc/self/root/etc/shadow");
});

Deno.test("renames and links know which of the kernel's two paths is which", () => {
  const two = (id: string) => {
    const bench = new Bench("kernel");
    const params = { res: 0, oldpath: "a", newpath: "b" };
    bench.apply({ id, tid: CHILD, params, own: { path: "/old", path2: "/new" } });
    return [bench.text("fs.path.source"), bench.text("fs.path.target")];
  };
  deepStrictEqual(two("SYSCALL_RENAME_X"), ["/old", "/new"]);
  deepStrictEqual(two("SYSCALL_LINK_2_X"), ["/new", "/old"]);
});

Deno.test("without the kernel's path a relative one starts from the call's directory", () => {
  const bench = new Bench("kernel");
  bench.apply({ ...open(4, "/etc", 1 | 1 << 10), own: { path: "/etc" } });
  const params = { res: 0, olddirfd: 4, oldpath: "a", newdirfd: 4, newpath: "ssl/b" };
  bench.apply({ id: "SYSCALL_RENAMEAT_X", tid: CHILD, params, own: {} });
  deepStrictEqual(
    [bench.text("fs.path.source"), bench.text("fs.path.target")],
    ["/etc/a", "/etc/ssl/b"],
  );
  bench.apply({
    id: "SYSCALL_SYMLINKAT_X",
    tid: CHILD,
    params: { res: 0, target: "../shadow", linkdirfd: 4, linkpath: "ssl/l" },
    own: {},
  });
  deepStrictEqual(
    [bench.text("fs.path.source"), bench.text("fs.path.target")],
    ["/etc/ssl/l", "/etc/shadow"],
    "a link's target starts from the link's directory",
  );
  bench.apply({
    id: "SYSCALL_SYMLINK_X",
    tid: CHILD,
    params: { res: 0, target: "../shadow", linkpath: "/tmp/ssl/l" },
    own: { path: "/etc/ssl/l" },
  });
  deepStrictEqual(
    [bench.text("fs.path.source"), bench.text("fs.path.target")],
    ["/etc/ssl/l", "/etc/shadow"],
    "that which the kernel knows",
  );
});

Deno.test("showing evt.abspath on a capture leaves the context as it was", () => {
  const bench = new Bench();
  bench.apply(open(4, "/etc", 1 | 1 << 10));
  bench.apply(open(5, "passwd", 1, 4));
  strictEqual(bench.text("evt.abspath"), "/etc/passwd");
  strictEqual(bench.text("fd.name"), "/etc/passwd");
});

/** Calls with a directory and a path, by the names of the two. */
const BELOW: readonly (readonly [id: string, dirfd: string, path: string])[] = [
  ["SYSCALL_OPENAT_2_X", "dirfd", "name"],
  ["SYSCALL_OPENAT2_X", "dirfd", "name"],
  ["SYSCALL_UNLINKAT_2_X", "dirfd", "name"],
  ["SYSCALL_MKDIRAT_X", "dirfd", "path"],
  ["SYSCALL_FCHMODAT_X", "dirfd", "filename"],
  ["SYSCALL_FCHOWNAT_X", "dirfd", "pathname"],
  ["SYSCALL_RENAMEAT_X", "olddirfd", "oldpath"],
  ["SYSCALL_RENAMEAT2_X", "olddirfd", "oldpath"],
  ["SYSCALL_LINKAT_2_X", "olddir", "oldpath"],
  ["SYSCALL_SYMLINKAT_X", "linkdirfd", "linkpath"],
];

for (const [id, dirfd, path] of BELOW) {
  Deno.test(`behind evt.abspath of ${id} the descriptor is its directory, as in Falco`, () => {
    const after = (from: number, name: string, own?: { path?: string }) => {
      const bench = new Bench();
      bench.apply(open(4, "/etc", 1 | 1 << 10));
      const params = { fd: 5, res: 0, flags: 1, mode: 0, [dirfd]: from, [path]: name };
      bench.apply({ id, tid: CHILD, params, ...own === undefined ? {} : { own } });
      const [before, abspath, behind] = bench.texts("fd.name", "evt.abspath", "fd.name");
      return [abspath, behind === before ? "as before" : behind];
    };
    // Of other calls it is the directory before, or there is none.
    const below = id.startsWith("SYSCALL_OPENAT") ? "/etc" : "as before";
    deepStrictEqual(after(4, "x"), ["/etc/x", below]);
    deepStrictEqual(after(4, "/x"), ["/x", "as before"]);
    deepStrictEqual(after(-100, "x")[1], "as before");
    deepStrictEqual(after(7, "x"), ["<UNKNOWN>/x", "as before"]);
    deepStrictEqual(after(4, "x", {}), ["/etc/x", "as before"], "not on a live event");
  });
}

Deno.test("numbers are written in the format of their field", () => {
  strictEqual(numberText(255, "UINT32", "HEX"), "FF");
  strictEqual(numberText(-1, "INT32", "HEX"), "FFFFFFFF");
  strictEqual(numberText(-1n, "UINT64", "DEC"), "18446744073709551615");
  strictEqual(numberText(5, "RELTIME", "10_PADDED_DEC"), "000000005");
  strictEqual(paramNumberText(0o644, "UINT32", "OCT"), "0644");
  strictEqual(paramNumberText(0, "UINT32", "OCT"), "0");
  strictEqual(paramNumberText(0xffffffff, "UINT32", "DEC"), "-1");
});

Deno.test("IPv6 addresses are as short as can be", () => {
  const ip = (...groups: number[]) =>
    ipText(new Uint8Array(groups.flatMap((group) => [group >> 8, group & 255])));
  strictEqual(ip(0, 0, 0, 0, 0, 0, 0, 0), "::");
  strictEqual(ip(0, 0, 0, 0, 0, 0, 0, 1), "::1");
  strictEqual(ip(0x2001, 0xdb8, 0, 0, 1, 0, 0, 1), "2001:db8::1:0:0:1");
  strictEqual(ip(0xfe80, 0, 0, 0, 0, 0, 0, 0), "fe80::");
  strictEqual(ip(1, 0, 3, 4, 5, 6, 7, 8), "1:0:3:4:5:6:7:8");
  strictEqual(ip(0, 0, 0, 0, 0, 0xffff, 0x7f00, 1), "::ffff:127.0.0.1");
});
