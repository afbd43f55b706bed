// Both names of what live events open, change and go to, as the tables keep them.
import { deepStrictEqual, strictEqual } from "node:assert";
import type { Context } from "../contract/context.ts";
import { Differs, View } from "../contract/views.ts";
import { EMPTY, MISSING } from "../tables/strings.ts";
import { LiveScene } from "../views_fixture.ts";

const PID = 7;
const CHILD = 8;
const SURE = Differs.Fd | Differs.Directory | Differs.Paths | Differs.Program;

function scene(): LiveScene {
  const made = new LiveScene();
  made.executed(PID, "/usr/bin/cat", "/usr/bin/cat");
  return made;
}

/** The names of the event's descriptor: the kernel's, the caller's. */
function names(context: Context): (string | undefined)[] {
  const text = () => context.machine.strings.text(context.fdName);
  return [text(), context.under(View.Caller, text)];
}

/** The directories of the event's process: the kernel's, the caller's. */
function directories(context: Context): (string | undefined)[] {
  const text = () => context.machine.strings.text(context.cwdOf(context.process!));
  return [text(), context.under(View.Caller, text)];
}

Deno.test("a descriptor keeps both names for reads, duplicates, children and failed calls", () => {
  const live = scene();
  const both = ["/etc/shadow", "/tmp/link"];
  deepStrictEqual(names(live.opened(PID, 3, "/tmp/link", "/etc/shadow")), both);
  deepStrictEqual(names(live.read(PID, 3)), both);
  deepStrictEqual(
    names(live.live("SYSCALL_DUP3_X", PID, { res: 5, oldfd: 3, newfd: 5, flags: 0 })),
    both,
  );
  deepStrictEqual(names(live.read(PID, 5)), both);
  live.forked(PID, CHILD);
  deepStrictEqual(names(live.read(CHILD, 3)), both);
  deepStrictEqual(names(live.close(CHILD, 3)), both, "also where the event has no own parameters");
  strictEqual(live.read(PID, 5).differs & SURE, Differs.Fd | Differs.Paths);
});

Deno.test("a name that is the kernel's is kept once", () => {
  const live = scene();
  for (const said of ["/etc/shadow", "/etc/./x/../shadow", "//etc//shadow"]) {
    const context = live.opened(PID, 3, said, "/etc/shadow");
    deepStrictEqual(names(context), ["/etc/shadow", "/etc/shadow"]);
    strictEqual(context.differs & SURE, 0);
    strictEqual(context.fd!.callerName, MISSING);
  }
});

Deno.test("a directory reached through a link has both names, for names that start there", () => {
  const live = scene();
  deepStrictEqual(directories(live.wentTo(PID, "/tmp/d", "/etc/ssl")), ["/etc/ssl/", "/tmp/d/"]);
  deepStrictEqual(names(live.opened(PID, 3, "../shadow", "/etc/shadow")), [
    "/etc/shadow",
    "/tmp/shadow",
  ]);
  const failed = live.opened(PID, -2, "none", "");
  deepStrictEqual(names(failed), ["/etc/ssl/none", "/tmp/d/none"]);
  live.forked(PID, CHILD);
  deepStrictEqual(directories(live.read(CHILD, 3)), ["/etc/ssl/", "/tmp/d/"]);
  deepStrictEqual(directories(live.wentTo(PID, "..", "/etc")), ["/etc/", "/tmp/"]);
  const told = live.live("SYSCALL_GETCWD_X", PID, { res: 5, path: "/etc" });
  deepStrictEqual(directories(told), ["/etc/", "/etc/"], "the process was told the kernel's");
  strictEqual(told.differs & SURE, 0);
});

Deno.test("a descriptor of a directory gives both names to what is below it", () => {
  const live = scene();
  live.opened(PID, 3, "/tmp/d", "/etc");
  deepStrictEqual(names(live.opened(PID, 4, "shadow", "/etc/shadow", 3)), [
    "/etc/shadow",
    "/tmp/d/shadow",
  ]);
  deepStrictEqual(names(live.opened(PID, -2, "none", "", 3)), ["/etc/none", "/tmp/d/none"]);
  const went = live.live("SYSCALL_FCHDIR_X", PID, { res: 0, fd: 3 }, "/etc");
  deepStrictEqual(directories(went), ["/etc/", "/tmp/d/"]);
  const stale = live.live("SYSCALL_FCHDIR_X", PID, { res: 0, fd: 3 }, "/srv");
  deepStrictEqual(directories(stale), ["/srv/", "/srv/"], "the kernel's over the table's");
});

Deno.test("paths of calls that change names differ where the kernel acted on another", () => {
  const live = scene();
  const differs = (id: string, params: Record<string, string | number>, ...kernel: string[]) =>
    (live.live(id, PID, { res: 0, ...params }, ...kernel).differs & Differs.Paths) !== 0;
  strictEqual(differs("SYSCALL_UNLINK_2_X", { path: "/tmp/d/a" }, "/etc/a"), true);
  strictEqual(differs("SYSCALL_UNLINK_2_X", { path: "/etc/./a" }, "/etc/a"), false);
  strictEqual(differs("SYSCALL_UNLINK_2_X", { path: "/etc/a" }), false, "the kernel's is unknown");
  const rename = { olddirfd: -100, oldpath: "/etc/a", newdirfd: -100, newpath: "/etc/b" };
  strictEqual(differs("SYSCALL_RENAMEAT_X", rename, "/etc/a", "/etc/b"), false);
  strictEqual(differs("SYSCALL_RENAMEAT_X", rename, "/etc/a", "/srv/b"), true);
  strictEqual(differs("SYSCALL_RENAMEAT_X", rename, "/srv/a", "/etc/b"), true);
  live.wentTo(PID, "/tmp/d", "/etc");
  strictEqual(differs("SYSCALL_MKDIR_2_X", { path: "new", mode: 0 }), true, "by the directory");
});

Deno.test("an executed file has the caller's name where it is a link or a script", () => {
  const live = scene();
  const program = (said: string, kernel: string) => {
    const context = live.executed(PID, said, kernel);
    return context.differs & Differs.Program ? live.text(context.callerProgram) : undefined;
  };
  strictEqual(program("/bin/sh", "/usr/bin/dash"), "/bin/sh");
  strictEqual(program("/usr/bin/../bin/dash", "/usr/bin/dash"), undefined);
  live.wentTo(PID, "/tmp/d", "/opt");
  strictEqual(program("./run", "/opt/run"), "/tmp/d/run");
  strictEqual(live.read(PID, 3).differs & Differs.Program, 0, "only the execution has two");
});

Deno.test("a machine of one view shows one, whatever its descriptors hold", () => {
  const live = new LiveScene({ paths: "kernel" });
  live.executed(PID, "/usr/bin/cat", "/usr/bin/cat");
  const { fd } = live.opened(PID, 3, "/tmp/link", "/etc/shadow");
  fd!.callerName = live.machine.strings.internText("/tmp/link");
  const context = live.read(PID, 3);
  strictEqual(context.differs, 0);
  deepStrictEqual(names(context), ["/etc/shadow", "/etc/shadow"]);
});

Deno.test("both names stay in the table of strings while somebody holds them", () => {
  const live = new LiveScene({ stringBytesMax: 1 });
  live.executed(PID, "/usr/bin/cat", "/usr/bin/cat");
  live.wentTo(PID, "/tmp/d", "/etc/ssl");
  live.opened(PID, 3, "/tmp/link", "/etc/shadow");
  for (let count = 0; count < 600; count++) live.opened(PID, 4, `/tmp/l${count}`, `/srv/${count}`);
  const context = live.read(PID, 3);
  strictEqual(context.machine.stats().stringSweeps > 0, true);
  deepStrictEqual(names(context), ["/etc/shadow", "/tmp/link"]);
  deepStrictEqual(directories(context), ["/etc/ssl/", "/tmp/d/"]);
  strictEqual(context.fdName === EMPTY, false);
});

Deno.test("the first three descriptors, and those of a list, may have two names", () => {
  const live = scene();
  const others = (context: Context) => (context.differs & Differs.Others) !== 0;
  strictEqual(others(live.executed(PID, "/bin/cat", "/usr/bin/cat")), false);
  live.opened(PID, 3, "/tmp/link", "/etc/shadow");
  strictEqual(others(live.executed(PID, "/bin/cat", "/usr/bin/cat")), false);
  for (const number of [0, 1, 2]) {
    const other = scene();
    other.opened(PID, number, "/tmp/link", "/etc/shadow");
    strictEqual(others(other.executed(PID, "/bin/cat", "/usr/bin/cat")), true, `${number}`);
  }
  const fds = Uint8Array.of(1, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0);
  strictEqual(others(live.live("SYSCALL_POLL_X", PID, { res: 1, fds, timeout: 0 })), true);
});
