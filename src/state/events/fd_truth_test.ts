// The table of descriptors against what the kernel says of them.
import { deepStrictEqual, strictEqual } from "node:assert";
import type { ParamValue } from "../../events/event_fixture.ts";
import { Differs, View } from "../contract/views.ts";
import { FD_TYPES, FdFlag, FdKind } from "../tables/fd.ts";
import { Scene } from "../scene.ts";

const TID = 10;
const NONE = 255;
const MADE = 0x80;
const PATH_OWN = 1;
const PATH_FOLLOWS = 3;

interface Told {
  readonly number: number;
  readonly kind: number;
  readonly marks?: number;
  readonly flags?: number;
  readonly dev?: number;
  readonly ino?: number;
  readonly more?: Uint8Array;
}

/** A record as the probe writes it. */
function record({ number, kind, marks = 0, flags = 1, dev = 1, ino = 2, more }: Told): Uint8Array {
  const bytes = new Uint8Array(24 + (more?.length ?? 0));
  const view = new DataView(bytes.buffer);
  view.setInt32(0, number, true);
  bytes[4] = kind;
  bytes[5] = marks;
  view.setUint16(6, more?.length ?? 0, true);
  view.setUint32(8, flags, true);
  view.setUint32(12, dev, true);
  view.setBigUint64(16, BigInt(ino), true);
  if (more !== undefined) bytes.set(more, 24);
  return bytes;
}

function own(path: string, ...records: Uint8Array[]): ParamValue[] {
  const files = new Uint8Array(records.flatMap((bytes) => [...bytes]));
  return [path, "", files, new Uint8Array(8), new Uint8Array(1)];
}

/** TCP from 127.0.0.1:`local` to 127.0.0.1:`remote`; a remote of 0: it listens. */
function tcp(local: number, remote: number): Uint8Array {
  const state = remote === 0 ? 10 : 1;
  const ip = remote === 0 ? [0, 0, 0, 0] : [127, 0, 0, 1];
  const at = (port: number) => [port & 255, port >> 8];
  return Uint8Array.of(6, 0, 1, state, 2, 127, 0, 0, 1, ...at(local), ...ip, ...at(remote));
}

function begun(): Scene {
  const scene = new Scene({ paths: "kernel" });
  scene.exec(TID, "sh");
  return scene;
}

const FCHMOD = "SYSCALL_FCHMOD_X";

Deno.test("a file that stands where another was closed unseen has the kernel's name", () => {
  const scene = begun();
  scene.open(TID, 5, "/etc/hostname");
  const context = scene.event(
    FCHMOD,
    TID,
    { res: 0, fd: 5, mode: 0 },
    own("/srv/secret", record({ number: 5, kind: FdKind.File, marks: PATH_OWN, ino: 9 })),
  );
  strictEqual(scene.text(context.fdName), "/srv/secret");
  strictEqual(scene.text(context.fdNameRaw), "/srv/secret");
  strictEqual(context.fd?.ino, 9);
  strictEqual(scene.machine.stats().fdsReplaced, 1);
});

Deno.test("the entry of the same file stays with the name that the program gave", () => {
  const scene = begun();
  scene.event(
    "SYSCALL_OPENAT_2_X",
    TID,
    { fd: 5, dirfd: -100, name: "../etc/a", flags: 1, mode: 0, dev: 1, ino: 2 },
    own("/etc/a", record({ number: 5, kind: FdKind.File, marks: PATH_OWN | MADE })),
  );
  const use = (path: string) =>
    scene.event(
      FCHMOD,
      TID,
      { res: 0, fd: 5, mode: 0 },
      own(path, record({ number: 5, kind: FdKind.File, marks: PATH_OWN })),
    );
  const same = use("/etc/a");
  deepStrictEqual([same.fdName, same.fdNameRaw].map((id) => scene.text(id)), [
    "/etc/a",
    "../etc/a",
  ]);
  const renamed = use("/etc/b");
  deepStrictEqual([renamed.fdName, renamed.fdNameRaw].map((id) => scene.text(id)), [
    "/etc/b",
    "../etc/a",
  ]);
  strictEqual(scene.machine.stats().fdsReplaced, 0);
});

Deno.test("a number without a file shows nothing of what was there", () => {
  const scene = begun();
  scene.open(TID, 5, "/etc/hostname");
  const context = scene.event(
    FCHMOD,
    TID,
    { res: -9, fd: 5, mode: 0 },
    own("", record({ number: 5, kind: NONE })),
  );
  strictEqual(context.fd, undefined);
  strictEqual(scene.text(context.fdName), "");
});

Deno.test("a socket that arrived where a file was is a socket with both its ends", () => {
  const scene = begun();
  scene.open(TID, 5, "/etc/hostname");
  const told = { kind: FdKind.Ipv4, ino: 77, more: tcp(40_000, 9195) };
  const context = scene.event(
    "SYSCALL_DUP2_X",
    TID,
    { res: 0, oldfd: 5, newfd: 0 },
    own("", record({ ...told, number: 0, marks: MADE }), record({ ...told, number: 5 })),
  );
  strictEqual(FD_TYPES[context.fd!.kind], "ipv4");
  strictEqual(scene.text(context.fdName), "127.0.0.1:40000->127.0.0.1:9195");
  deepStrictEqual([context.fd!.l4proto, context.fdNumber], [6, 0]);
  strictEqual(scene.fds(TID)[5], "127.0.0.1:40000->127.0.0.1:9195");
});

Deno.test("a file that arrived where a socket was is no socket", () => {
  const scene = begun();
  scene.event("SOCKET_SOCKET_X", TID, { fd: 5, domain: 2, type: 1, proto: 0 });
  const told = { kind: FdKind.File, marks: PATH_OWN, ino: 9 };
  const context = scene.event(
    "SYSCALL_DUP2_X",
    TID,
    { res: 0, oldfd: 5, newfd: 0 },
    own(
      "/tmp/a",
      record({ ...told, number: 0, marks: PATH_OWN | MADE }),
      record({ ...told, number: 5 }),
    ),
  );
  strictEqual(FD_TYPES[context.fd!.kind], "file");
  strictEqual(scene.text(context.fdName), "/tmp/a");
});

Deno.test("a socket that was connected unseen leads where the kernel says", () => {
  const scene = begun();
  const made = record({ number: 5, kind: FdKind.Ipv4, marks: MADE, ino: 77, more: tcp(0, 0) });
  made[27] = 7;
  scene.event("SOCKET_SOCKET_X", TID, { fd: 5, domain: 2, type: 1, proto: 0 }, own("", made));
  strictEqual(scene.fds(TID)[5], "");
  const context = scene.event(
    "SOCKET_GETSOCKOPT_X",
    TID,
    { res: 0, fd: 5 },
    own("", record({ number: 5, kind: FdKind.Ipv4, ino: 77, more: tcp(4000, 80) })),
  );
  strictEqual(scene.text(context.fdName), "127.0.0.1:4000->127.0.0.1:80");
  strictEqual(context.fd!.flags & FdFlag.Connected, FdFlag.Connected);
});

Deno.test("the end on a port that the process listens on is the server's", () => {
  const scene = begun();
  const told = { kind: FdKind.Ipv4, marks: 0 };
  const listens = record({ ...told, number: 3, ino: 76, more: tcp(9195, 0) });
  scene.event("SOCKET_LISTEN_X", TID, { res: 0, fd: 3, backlog: 5 }, own("", listens));
  strictEqual(scene.fds(TID)[3], "127.0.0.1:9195");
  const context = scene.event(
    "SOCKET_SHUTDOWN_X",
    TID,
    { res: 0, fd: 5, how: 0 },
    own("", record({ ...told, number: 5, ino: 77, more: tcp(9195, 40_000) })),
  );
  strictEqual(scene.text(context.fdName), "127.0.0.1:40000->127.0.0.1:9195");
  strictEqual(context.fd!.flags & FdFlag.RoleServer, FdFlag.RoleServer);
});

Deno.test("mapped addresses are IPv4's and keep their protocol", () => {
  const scene = begun();
  const mapped = (port: number) => [
    ...[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 127, 0, 0, 1],
    ...[port & 255, port >> 8],
  ];
  const more = Uint8Array.of(6, 0, 1, 1, 10, ...mapped(4000), ...mapped(80));
  const context = scene.event(
    "SOCKET_GETSOCKOPT_X",
    TID,
    { res: 0, fd: 5 },
    own("", record({ number: 5, kind: FdKind.Ipv6, ino: 77, more })),
  );
  deepStrictEqual(
    [FD_TYPES[context.fd!.kind], context.fd!.l4proto, scene.text(context.fdName)],
    ["ipv4", 6, "127.0.0.1:4000->127.0.0.1:80"],
  );
});

Deno.test("a working directory and relative names come from what the number is now", () => {
  const scene = begun();
  scene.open(TID, 5, "/etc");
  const directory = record({
    number: 5,
    kind: FdKind.Directory,
    ino: 9,
    marks: PATH_FOLLOWS,
    more: new TextEncoder().encode("/srv/data\0"),
  });
  const at = scene.event(
    "SYSCALL_MKDIRAT_X",
    TID,
    { res: 0, dirfd: 5, path: "new", mode: 0 },
    own("", directory),
  );
  strictEqual(scene.text(at.machine.directoryOf(at.thread!, 5, -1)), "/srv/data/");
  const moved = record({ number: 5, kind: FdKind.Directory, ino: 11, marks: PATH_OWN });
  scene.event("SYSCALL_FCHDIR_X", TID, { res: 0, fd: 5 }, own("/srv/else", moved));
  strictEqual(scene.text(scene.thread(TID).cwd), "/srv/else/");
});

Deno.test("objects without an inode of their own are told by their kind and name", () => {
  const scene = begun();
  scene.open(TID, 5, "/etc/hostname");
  const use = (kind: number, path: string) =>
    scene.event(
      FCHMOD,
      TID,
      { res: 0, fd: 5, mode: 0 },
      own(path, record({ number: 5, kind, marks: PATH_OWN, ino: 3 })),
    );
  const context = use(FdKind.Unsupported, "[fscontext]");
  deepStrictEqual([FD_TYPES[context.fd!.kind], scene.text(context.fdName)], [
    "unsupported",
    "[fscontext]",
  ]);
  strictEqual(scene.text(use(FdKind.Unsupported, "[perf_event]").fdName), "[perf_event]");
  strictEqual(FD_TYPES[use(FdKind.Event, "[eventfd]").fd!.kind], "event");
});

Deno.test("bpf makes a descriptor only where the kernel says so", () => {
  const scene = begun();
  scene.open(TID, 0, "/etc/hostname");
  const none = own("");
  const context = scene.event("SYSCALL_BPF_2_X", TID, { fd: 0, cmd: 1 }, none);
  strictEqual(context.fd, undefined);
  strictEqual(scene.fds(TID)[0], "/etc/hostname");
});

Deno.test("records that are cut short or of any bytes change nothing else", () => {
  const scene = begun();
  scene.open(TID, 5, "/etc/hostname");
  const whole = record({ number: 5, kind: FdKind.Ipv4, ino: 7, more: tcp(1, 2) });
  for (let length = 0; length < whole.length; length++) {
    scene.event(FCHMOD, TID, { res: 0, fd: 5, mode: 0 }, own("", whole.subarray(0, length)));
  }
  strictEqual(scene.fds(TID)[5], "/etc/hostname");
  const noise = Uint8Array.from({ length: 400 }, (_, index) => index * 89 & 255);
  scene.event(FCHMOD, TID, { res: 0, fd: 5, mode: 0 }, own("", noise));
});

Deno.test("a working directory in another root has the host's name under the host's view", () => {
  const KIND_HOST = 64;
  const scene = new Scene({ paths: "both" });
  scene.exec(TID, "sh");
  const host = (path: string) =>
    record({
      ...{ number: 0, kind: KIND_HOST, marks: PATH_FOLLOWS, flags: 0, dev: 0, ino: 0 },
      more: new TextEncoder().encode(`${path}\0`),
    });
  const seen = (tid: number) => {
    const context = scene.event("SYSCALL_SETSID_X", tid, { res: -1 }, own(""));
    const cwd = (view: View) =>
      scene.text(context.under(view, () => context.cwdOf(context.process!)));
    return [
      ...[View.Kernel, View.Host].map(cwd),
      (context.differs & Differs.HostDirectory) !== 0,
    ];
  };
  const chdir = { res: 0, path: "in" };
  scene.event("SYSCALL_CHDIR_X", TID, chdir, own("/in", host("/jail/in")));
  deepStrictEqual(seen(TID), ["/in/", "/jail/in/", true]);
  scene.event("SYSCALL_GETCWD_X", TID, { res: 4, path: "/in" }, own(""));
  scene.forked(TID, 11);
  deepStrictEqual(seen(11), ["/in/", "/jail/in/", true]);
  // Outside of its root it has one name alone.
  scene.event("SYSCALL_CHDIR_X", TID, chdir, own("/srv", host("/srv")));
  deepStrictEqual(seen(TID), ["/srv/", "/srv/", false]);
  scene.event("SYSCALL_CHDIR_X", 11, chdir, own("/srv"));
  deepStrictEqual(seen(11), ["/srv/", "/srv/", false]);
});
