// Fields that carry a path under both views of a live event, and saker's own that tell the other.
import { deepStrictEqual, strictEqual } from "node:assert";
import type { Context } from "../../state/contract/context.ts";
import { View } from "../../state/contract/views.ts";
import { LiveScene } from "../../state/views_fixture.ts";
import { FieldSet } from "../field_set.ts";
import type { Value } from "../row/field.ts";

const PID = 7;
const FIELDS = new FieldSet();

function scene(): LiveScene {
  const made = new LiveScene();
  made.executed(PID, "/usr/bin/cat", "/usr/bin/cat");
  return made;
}

function value(context: Context, field: string, view: View): Value {
  const found = FIELDS.resolve(field);
  if ("error" in found) throw new Error(found.error);
  return context.under(view, () => found.bound.extract(context));
}

/** A field's values: the kernel's, the caller's. */
function both(context: Context, field: string): Value[] {
  return [value(context, field, View.Kernel), value(context, field, View.Caller)];
}

Deno.test("fields of the descriptor and of the directory show the view", () => {
  const live = scene();
  live.wentTo(PID, "/tmp/d", "/etc/ssl");
  const context = live.opened(PID, 3, "../shadow", "/etc/shadow");
  deepStrictEqual(both(context, "fd.name"), ["/etc/shadow", "/tmp/shadow"]);
  deepStrictEqual(both(context, "fd.directory"), ["/etc", "/tmp"]);
  deepStrictEqual(both(context, "fd.nameraw"), ["../shadow", "../shadow"]);
  deepStrictEqual(both(context, "proc.cwd"), ["/etc/ssl/", "/tmp/d/"]);
  deepStrictEqual(both(context, "fs.path.name"), ["/etc/shadow", "/tmp/shadow"]);
  deepStrictEqual(both(context, "fs.path.nameraw"), ["../shadow", "../shadow"]);
  deepStrictEqual(both(context, "evt.abspath"), ["/etc/shadow", "/tmp/shadow"]);
  deepStrictEqual(both(context, "evt.arg.fd"), ["<f>/etc/shadow", "<f>/tmp/shadow"]);
  deepStrictEqual(both(context, "evt.arg.name"), ["/etc/shadow", "/tmp/shadow"]);
  deepStrictEqual(both(context, "fd.name.other"), ["/tmp/shadow", "/etc/shadow"]);
  deepStrictEqual(both(context, "fs.path.name.other"), ["/tmp/shadow", "/etc/shadow"]);
  deepStrictEqual(both(context, "proc.cwd.other"), ["/tmp/d/", "/etc/ssl/"]);
  deepStrictEqual(both(context, "proc.exepath.other"), [undefined, undefined]);
  deepStrictEqual(both(context, "evt.view"), ["kernel", "caller"]);
});

Deno.test("both paths of a call that names two show the view", () => {
  const live = scene();
  live.opened(PID, 3, "/tmp/d", "/srv");
  const rename = live.live(
    "SYSCALL_RENAMEAT_X",
    PID,
    {
      res: 0,
      olddirfd: -100,
      oldpath: "/var/run/a",
      newdirfd: 3,
      newpath: "b",
    },
    "/run/a",
    "/srv/b",
  );
  deepStrictEqual(both(rename, "fs.path.source"), ["/run/a", "/var/run/a"]);
  deepStrictEqual(both(rename, "fs.path.target"), ["/srv/b", "/tmp/d/b"]);
  deepStrictEqual(both(rename, "fs.path.sourceraw"), ["/var/run/a", "/var/run/a"]);
  deepStrictEqual(both(rename, "evt.arg.oldpath"), ["/run/a", "/var/run/a"]);
  deepStrictEqual(both(rename, "evt.rawarg.oldpath"), ["/var/run/a", "/var/run/a"]);
  deepStrictEqual(both(rename, "evt.arg.newpath"), ["/srv/b", "/tmp/d/b"]);
  deepStrictEqual(both(rename, "evt.abspath.src"), ["/run/a", "/var/run/a"]);
  deepStrictEqual(both(rename, "evt.abspath.dst"), ["/srv/b", "/tmp/d/b"]);
  deepStrictEqual(both(rename, "fs.path.target.other"), ["/tmp/d/b", "/srv/b"]);
  const link = live.live(
    "SYSCALL_LINK_2_X",
    PID,
    { res: 0, oldpath: "/tmp/d/x", newpath: "/tmp/d/y" },
    "/srv/x",
    "/srv/y",
  );
  deepStrictEqual(both(link, "fs.path.target"), ["/srv/x", "/tmp/d/x"], "what it leads to");
  deepStrictEqual(both(link, "fs.path.source"), ["/srv/y", "/tmp/d/y"]);
});

Deno.test("a descriptor that is linked by itself has both its names", () => {
  const live = scene();
  live.opened(PID, 3, "/tmp/link", "/srv/x");
  const flags = 1;
  const params = { res: 0, olddir: 3, oldpath: "", newdir: -100, newpath: "/srv/y", flags };
  const link = live.live("SYSCALL_LINKAT_2_X", PID, params, "/srv/x", "/srv/y");
  deepStrictEqual(both(link, "fs.path.target"), ["/srv/x", "/tmp/link"]);
  deepStrictEqual(both(link, "fs.path.source"), ["/srv/y", "/srv/y"]);
  const unknown = live.live("SYSCALL_LINKAT_2_X", PID, params);
  deepStrictEqual(both(unknown, "fs.path.target"), ["/srv/x", "/tmp/link"]);
});

Deno.test("a call without parameters shows both names of the file that it names", () => {
  const live = scene();
  live.wentTo(PID, "/tmp/d", "/etc/ssl");
  const truncate = (path: string, said: string) =>
    live.live("GENERIC_X", PID, { ID: 57, nativeID: 76 }, path, said);
  const known = truncate("/etc/shadow", "../link");
  deepStrictEqual(both(known, "fs.path.name"), ["/etc/shadow", "/tmp/link"]);
  deepStrictEqual(both(known, "fs.path.nameraw"), ["../link", "../link"]);
  deepStrictEqual(both(known, "fs.path.name.other"), ["/tmp/link", "/etc/shadow"]);
  deepStrictEqual(both(known, "fs.path.source"), [undefined, undefined]);
  const unknown = truncate("", "../link");
  deepStrictEqual(both(unknown, "fs.path.name"), ["/etc/link", "/tmp/link"]);
  // From a directory that the event does not tell.
  deepStrictEqual(both(truncate("/etc/shadow", ""), "fs.path.name"), ["/etc/shadow", undefined]);
  deepStrictEqual(both(truncate("", ""), "fs.path.name"), [undefined, undefined]);
});

Deno.test("what a call does to a descriptor's file shows both names of the descriptor", () => {
  const live = scene();
  live.opened(PID, 3, "/tmp/link", "/etc/shadow");
  const chmod = live.live("SYSCALL_FCHMOD_X", PID, { res: 0, fd: 3, mode: 0 }, "/etc/shadow");
  deepStrictEqual(both(chmod, "fs.path.name"), ["/etc/shadow", "/tmp/link"]);
  const poll = live.live("SYSCALL_POLL_X", PID, { res: 1, fds: polled(3), timeout: 0 });
  deepStrictEqual(both(poll, "fdlist.names"), ["/etc/shadow", "/tmp/link"]);
});

/** A list with one descriptor. */
function polled(fd: number): Uint8Array {
  const bytes = new Uint8Array(12);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 1, true);
  view.setBigInt64(2, BigInt(fd), true);
  return bytes;
}

Deno.test("an executed file is the program under the caller's view of it", () => {
  const context = scene().executed(PID, "/bin/sh", "/usr/bin/dash");
  const paths = [View.Kernel, View.Caller, View.CallerProgram]
    .map((view) => value(context, "proc.exepath", view));
  deepStrictEqual(paths, ["/usr/bin/dash", "/usr/bin/dash", "/bin/sh"]);
  strictEqual(value(context, "proc.exepath.other", View.Kernel), "/bin/sh");
  strictEqual(value(context, "proc.exepath.other", View.CallerProgram), "/usr/bin/dash");
});

Deno.test("a parameter of a path stays as the caller gave it where the views do not differ", () => {
  const context = scene().opened(PID, 3, "/etc/../etc/shadow", "/etc/shadow");
  deepStrictEqual(both(context, "evt.arg.name"), Array(2).fill("/etc/../etc/shadow"));
  const executed = scene().executed(PID, "/bin/sh", "/usr/bin/dash");
  deepStrictEqual(both(executed, "evt.arg.filename"), ["/bin/sh", "/bin/sh"]);
  deepStrictEqual(both(executed, "evt.arg.trusted_exepath"), Array(2).fill("/usr/bin/dash"));
});

Deno.test("where the paths are equal no other one is told", () => {
  const context = scene().opened(PID, 3, "/etc/shadow", "/etc/shadow");
  for (const field of ["fd.name.other", "fs.path.name.other", "proc.cwd.other", "evt.view"]) {
    deepStrictEqual(both(context, field), [undefined, undefined], field);
  }
});
