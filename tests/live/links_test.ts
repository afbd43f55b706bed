// Names of a file that the path of its open does not tell: other links of its inode, made before
// saker started or since, and what it is called outside of the root that a process has.
import { existsSync } from "node:fs";
import { assertEquals } from "./expect.ts";
import { eventually, Saker } from "./saker.ts";
import { isRoot, ownMounts, Place, PYTHON, python, run, triggersOf } from "./trigger.ts";

const OPENED = "Named file opened";
const READ = "Named file read";
const CHANGED = "Named file changed";
const IN_ROOT = "File of the process's root";
const DIRECTORY = "Directory of the process";

/** Paths below the place, that the rules name. */
const NAMED = ["secret", "jail/hosted", "jail/through", "jail/kept", "elsewhere/bound"];

function rules(place: Place, more: readonly string[] = []): string {
  const rule = (name: string, condition: string) => ({
    rule: name,
    desc: name,
    condition: `${condition} and ${triggersOf(place.marker)}`,
    output: "%evt.type %fd.name %fs.path.name %fs.path.target %proc.cwd %proc.pid %proc.cmdline",
    priority: "NOTICE",
  });
  const files = [...NAMED, ...more].map(place.file.bind(place)).join(", ");
  return JSON.stringify([
    rule(
      OPENED,
      `evt.type in (open, openat, openat2, open_by_handle_at) and fd.name in (${files})`,
    ),
    rule(READ, `evt.type = read and fd.name startswith ${place.file("used")}`),
    rule(
      CHANGED,
      `evt.type in (unlink, unlinkat, rename, renameat2, chmod) and
        (fs.path.name = ${place.file("jail/gone")} or fs.path.target = ${
        place.file("jail/moved")
      })`,
    ),
    rule(DIRECTORY, `evt.type in (open, openat) and proc.cwd = ${place.file("jail/deeper/")}`),
    rule(IN_ROOT, `evt.type in (open, openat) and fd.name = /${place.marker}-own`),
  ]);
}

interface Told {
  readonly rule: string;
  /** The field that the views differ in; absent: fd.name. */
  readonly field?: string;
  /** Empty: nothing is to be told here. */
  readonly name: string;
  readonly view?: string;
  readonly other?: string;
}

interface Way {
  readonly name: string;
  /** The place is the script's second argument. */
  readonly script: string;
  readonly told: (place: Place) => Told;
  /** It makes mounts. */
  readonly mounts?: boolean;
}

const LIBC = `import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
place = sys.argv[2]
def done(result):
    if result < 0: raise OSError(ctypes.get_errno(), "refused")
    return result
`;

const WAYS: readonly Way[] = [
  {
    name: "a link that was there before",
    script: `${LIBC}os.open(place + "/link", os.O_RDONLY)`,
    told: (place) => ({
      rule: OPENED,
      name: place.file("secret"),
      view: "inode",
      other: place.file("link"),
    }),
  },
  {
    name: "a link that is made now",
    script: `${LIBC}os.link(place + "/secret", place + "/fresh")
os.open(place + "/fresh", os.O_RDONLY)`,
    told: (place) => ({
      rule: OPENED,
      name: place.file("secret"),
      view: "inode",
      other: place.file("fresh"),
    }),
  },
  {
    name: "a link that is read",
    script: `${LIBC}os.read(os.open(place + "/read by this", os.O_RDONLY), 1)`,
    told: (place) => ({
      rule: READ,
      name: place.file("used"),
      view: "inode",
      other: place.file("read by this"),
    }),
  },
  {
    name: "a file in the root of a process that changed it",
    script: `${LIBC}os.chroot(place + "/jail")
os.open("/hosted", os.O_RDONLY)`,
    told: (place) => ({
      rule: OPENED,
      name: place.file("jail/hosted"),
      view: "host",
      other: "/hosted",
    }),
  },
  {
    name: "a file as its process sees it",
    script: `${LIBC}os.chroot(place + "/jail")
os.open("/" + os.path.basename(place) + "-own", os.O_RDONLY)`,
    told: (place) => ({
      rule: IN_ROOT,
      name: `/${place.marker}-own`,
      view: "kernel",
      other: place.file(`jail/${place.marker}-own`),
    }),
  },
  {
    name: "a working directory in another root, of a child",
    script: `${LIBC}os.chroot(place + "/jail")
os.chdir("/deeper")
os.getcwd()
child = os.fork()
if child == 0:
    os.open("/", os.O_RDONLY)
    os._exit(0)
os.waitpid(child, 0)`,
    told: (place) => ({
      rule: DIRECTORY,
      field: "proc.cwd",
      name: place.file("jail/deeper/"),
      view: "host",
      other: "/deeper/",
    }),
  },
  {
    name: "a file outside of the root by a directory that was open before",
    script: `${LIBC}outside = os.open(place, os.O_RDONLY)
os.chroot(place + "/jail")
os.open("secret", os.O_RDONLY, dir_fd=outside)`,
    told: (place) => ({ rule: OPENED, name: place.file("secret"), view: "kernel" }),
  },
  {
    name: "a file outside of the root by way of ..",
    script: `${LIBC}os.chdir(place + "/jail")
os.chroot("deeper")
os.open("../secret", os.O_RDONLY)`,
    told: (place) => ({ rule: OPENED, name: place.file("secret"), view: "kernel" }),
  },
  {
    name: "a file by its handle",
    script: `${LIBC}class Handle(ctypes.Structure):
    _fields_ = [("size", ctypes.c_uint), ("kind", ctypes.c_int), ("bytes", ctypes.c_ubyte * 128)]
handle, mount = Handle(size=128), ctypes.c_int()
path = (place + "/jail/through").encode()
failed = libc.name_to_handle_at(-100, path, ctypes.byref(handle), ctypes.byref(mount), 0) != 0
if failed: sys.exit(77)
os.chroot(place + "/jail")
root = os.open("/", os.O_RDONLY)
if libc.open_by_handle_at(root, ctypes.byref(handle), os.O_RDONLY) < 0: sys.exit(77)`,
    told: (place) => ({
      rule: OPENED,
      name: place.file("jail/through"),
      view: "host",
      other: "/through",
    }),
  },
  {
    name: "a file by a name of /proc below another root",
    mounts: true,
    script: `${LIBC}done(libc.mount(b"/proc", (place + "/jail/proc").encode(), None, 4096, None))
os.chroot(place + "/jail")
os.open("/proc/" + str(os.getppid()) + "/root" + place + "/secret", os.O_RDONLY)`,
    told: (place) => ({ rule: OPENED, name: place.file("secret"), view: "kernel" }),
  },
  {
    name: "a directory that is bound elsewhere and made the root",
    mounts: true,
    script: `${LIBC}here, there = (place + "/jail").encode(), (place + "/elsewhere").encode()
done(libc.mount(here, there, None, 4096, None))
os.chroot(place + "/elsewhere")
os.open("/bound", os.O_RDONLY)
os.open("/hosted", os.O_RDONLY)`,
    // Of another file system than the root's, the mount's name is that of the file.
    told: (place) => ({ rule: OPENED, name: onRoot(place) ? place.file("jail/hosted") : "" }),
  },
  {
    name: "a directory of the host that becomes the root of a namespace",
    mounts: true,
    script: `${LIBC}jail = (place + "/jail").encode()
done(libc.mount(jail, jail, None, 4096, None))
os.chdir(place + "/jail")
if libc.syscall(155, b".", b".") != 0: sys.exit(77)
done(libc.umount2(b".", 2))
os.chdir("/")
os.open("/kept", os.O_RDONLY)`,
    told: (place) => ({ rule: OPENED, name: onRoot(place) ? place.file("jail/kept") : "" }),
  },
  {
    name: "a file that is removed in another root",
    script: `${LIBC}os.chroot(place + "/jail")
os.unlink("/gone")`,
    told: (place) => ({
      rule: CHANGED,
      field: "fs.path.name",
      name: place.file("jail/gone"),
      view: "host",
      other: "/gone",
    }),
  },
  {
    name: "a file that is moved in another root",
    script: `${LIBC}os.chroot(place + "/jail")
os.rename("/old", "/moved")`,
    told: (place) => ({
      rule: CHANGED,
      field: "fs.path.target",
      name: place.file("jail/moved"),
      view: "host",
      other: "/moved",
    }),
  },
];

/** Whether the place is on the file system of the root. */
function onRoot(place: Place): boolean {
  return Deno.statSync("/").dev === Deno.statSync(place.path).dev;
}

function lay(place: Place): void {
  for (const directory of ["jail", "jail/deeper", "jail/proc", "elsewhere"]) {
    Deno.mkdirSync(place.file(directory));
  }
  const own = `jail/${place.marker}-own`;
  const files = ["secret", "used", "jail/hosted", "jail/through", "jail/kept", "jail/gone"];
  for (const name of [...files, "jail/old", "jail/bound", "other", own]) {
    Deno.writeTextFileSync(place.file(name), name);
  }
  Deno.linkSync(place.file("secret"), place.file("link"));
  Deno.linkSync(place.file("used"), place.file("read by this"));
  Deno.linkSync(place.file(own), place.file("jail/of its own"));
  Deno.mkdirSync(place.file("bound"));
  for (const name of [`bound/${place.marker}-own`, "common"]) {
    Deno.writeTextFileSync(place.file(name), name);
  }
  Deno.linkSync(place.file("common"), place.file("common too"));
}

Deno.test({
  name: "a file that a rule names is known by its other links and in any root",
  ignore: !isRoot(),
  async fn(t) {
    await using place = new Place();
    lay(place);
    const file = place.file("rules.yaml");
    Deno.writeTextFileSync(file, rules(place));
    await using saker = await Saker.start([place.marker], {
      args: ["-r", file, "-o", "watch_config_files=false"],
    });
    const mounts = await ownMounts();
    const known = (count: number) =>
      eventually("the files of the rules to be known", async () => {
        const health = await saker.health();
        const names = health?.body.names as { files_of_rules: number } | undefined;
        return (names?.files_of_rules ?? 0) >= count || undefined;
      });
    // One of the place's names there is not; two are named by the other rules.
    await known(NAMED.length + 1);
    for (const [index, way] of WAYS.entries()) {
      await t.step(way.name, async () => {
        const marker = place.mark(`${index}x`);
        const python3 = [PYTHON, "-I", "-S", "-c", way.script, marker, place.path];
        const [program, ...args] = way.mounts ? ["unshare", ...mounts, ...python3] : python3;
        const { code, stderr } = await run(program!, args);
        if (code === 77) return;
        assertEquals([code, stderr], [0, ""]);
        const { rule, field = "fd.name", name, view, other } = way.told(place);
        if (name === "") return;
        const { output_fields: told } = await saker.alert(rule, marker);
        assertEquals(told[field], name);
        if (other !== undefined) {
          assertEquals([told["evt.view"], told[`${field}.other`]], [view, other]);
        }
      });
    }
    await t.step("a second link of what a name leads to in another root", async () => {
      const marker = place.mark("rooted");
      const script = `${LIBC}import time
outside = os.open(place, os.O_RDONLY)
os.chroot(place + "/jail")
while not os.access("stop", os.F_OK, dir_fd=outside):
    os.close(os.open("/of its own", os.O_RDONLY))
    time.sleep(0.1)`;
      // A root of somebody's own, in which the name is a file of the host's.
      const bound = `${LIBC}import time
outside = os.open(place, os.O_RDONLY)
name = (place + "/bound/" + os.path.basename(place) + "-own").encode()
done(libc.mount((place + "/common").encode(), name, None, 4096, None))
os.chroot(place + "/bound")
os.mkdir("ready", dir_fd=outside)
while not os.access("stop", os.F_OK, dir_fd=outside): time.sleep(0.1)`;
      const python3 = [PYTHON, "-I", "-S", "-c", bound, place.mark("bound"), place.path];
      const poisoning = run("unshare", [...mounts, ...python3]);
      await eventually("the other root", () => existsSync(place.file("ready")) || undefined);
      const running = python(marker, script, [place.path]);
      const { output_fields: told } = await saker.alert(IN_ROOT, marker);
      const used = place.mark("used");
      const use = `for name in ("common too", "link"): os.open(place + "/" + name, os.O_RDONLY)`;
      await python(used, LIBC + use, [place.path]);
      await saker.alert(OPENED, used);
      assertEquals(saker.alertsWith(used).map(({ rule }) => rule), [OPENED]);
      Deno.writeTextFileSync(place.file("stop"), "");
      await running;
      const { code, stderr } = await poisoning;
      assertEquals([code, stderr], [0, ""]);
      assertEquals(
        [told["evt.view"], told["fd.name"], told["fd.name.other"]],
        ["inode", `/${place.marker}-own`, "/of its own"],
      );
    });
    await t.step("a file that takes the place of the one that a rule names", async () => {
      const script = `${LIBC}open(place + "/next", "w").close()
os.link(place + "/next", place + "/second")
os.rename(place + "/next", place + "/secret")`;
      await python(place.mark("replaced"), script, [place.path]);
      await eventually("the new file to be known", async () => {
        const marker = place.mark(crypto.randomUUID().slice(0, 8));
        await python(marker, `${LIBC}os.open(place + "/second", os.O_RDONLY)`, [place.path]);
        return saker.alertsWith(marker).find((alert) => alert.rule === OPENED);
      });
      const { output_fields } = saker.alerts().findLast(({ output_fields: told }) =>
        told["fd.name.other"] === place.file("second")
      )!;
      assertEquals(output_fields["fd.name"], place.file("secret"));
    });
    await t.step("a file that only new rules name", async () => {
      Deno.linkSync(place.file("other"), place.file("third"));
      Deno.writeTextFileSync(file, rules(place, ["other"]));
      Deno.kill(saker.pid, "SIGHUP");
      await eventually("the new rules", () => saker.told.includes("Reloaded: ") || undefined);
      await known(NAMED.length + 2);
      const marker = place.mark("reloaded");
      await python(marker, `${LIBC}os.open(place + "/third", os.O_RDONLY)`, [place.path]);
      const { output_fields } = await saker.alert(OPENED, marker);
      assertEquals(output_fields["fd.name"], place.file("other"));
      assertEquals(output_fields["fd.name.other"], place.file("third"));
    });
  },
});
