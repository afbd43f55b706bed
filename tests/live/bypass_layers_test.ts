// Ways around a rule on a file that change where it is to be found: an overlay over its directory,
// trees of mounts that are in no namespace, roots that a call chooses, paths too long to be told,
// flags that are rewritten, names given to another of its links. One session.
import { assertEquals } from "./expect.ts";
import { Saker } from "./saker.ts";
import { isRoot, Place, run } from "./trigger.ts";
import { LIBC, rulesOfWays, tryWays, UNSUPPORTED, type Way } from "./ways.ts";
import { eventually } from "./saker.ts";

const OPENED = "Secret opened";
const BELOW = "File of the directory opened";
const RAN = "Program of the directory run";
const WRITTEN = "Secret opened to be written";
const CHANGED = "Secret changed";
const MOVED = "Secret moved";
const REMOVED = "File of the directory changed";
const OTHER = "File of another file system opened";

const OPENS = "evt.type in (open, openat, openat2, creat, open_by_handle_at)";
const RULES = {
  [OPENED]: `${OPENS} and fd.name = PLACE/secret`,
  [BELOW]: `${OPENS} and fd.name startswith PLACE/kept/`,
  [RAN]: "evt.type in (execve, execveat) and evt.failed = false and " +
    "proc.exepath startswith PLACE/kept/",
  [WRITTEN]: `${OPENS} and evt.is_open_write = true and fd.name = PLACE/pipe`,
  [CHANGED]: "evt.type in (chmod, fchmodat, chown, fchownat, link, linkat) and " +
    "(fs.path.name in (PLACE/secret, PLACE/layer/secret) or fs.path.source = PLACE/secret)",
  [MOVED]: "evt.type in (rename, renameat, renameat2) and fs.path.source = PLACE/secret",
  [OTHER]: `${OPENS} and fd.name startswith PLACE/own/`,
  [REMOVED]:
    "evt.type in (chmod, fchmodat, unlink, unlinkat, rename, renameat, renameat2, mkdir, " +
    "mkdirat) and (fs.path.name startswith PLACE/layer/ or " +
    "fs.path.target startswith PLACE/layer/ or fs.path.name startswith PLACE/own/)",
};

/** A mount namespace of the script's own. */
const MOUNTS = `def mount(source, target, kind, flags, data=None):
    words = [word and word.encode() for word in (source, target, kind)]
    return libc.mount(*words, flags, data and data.encode())
if libc.unshare(0x20000) != 0 or mount(None, "/", None, 0x44000) != 0: sys.exit(${UNSUPPORTED})
`;
/** An overlay of the place, below a directory of its own. */
const OVERLAY = `${MOUNTS}over = path + "/over" + str(os.getpid())
os.mkdir(over)
done(mount("tmpfs", over, "tmpfs", 0))
for name in ("merged", "upper", "work"): os.mkdir(over + "/" + name)
layers = f"lowerdir={path},upperdir={over}/upper,workdir={over}/work"
if mount("overlay", over + "/merged", "overlay", 0, layers) != 0: sys.exit(${UNSUPPORTED})
`;
/** An overlay whose changes go to a directory of the place. */
const UPPER =
  `${MOUNTS}over, work = path + "/over" + str(os.getpid()), path + "/work" + str(os.getpid())
for name in (over, work): os.mkdir(name)
done(mount("tmpfs", over, "tmpfs", 0))
for name in ("merged", "lower"): os.mkdir(over + "/" + name)
layers = f"lowerdir={over}/lower,upperdir={path}/layer,workdir={work}"
if mount("overlay", over + "/merged", "overlay", 0, layers) != 0: sys.exit(${UNSUPPORTED})
`;
/** A tree of mounts that no name leads to. */
const TREE = `tree = libc.syscall(428, -100, path.encode(), 0x80001)
if tree < 0: sys.exit(${UNSUPPORTED})
`;
const RUN = `def run(program):
    child = os.fork()
    if child == 0: os.execve(program, ["true", sys.argv[1]], {})
    assert os.waitpid(child, 0)[1] == 0
`;
/** A program that ends at once and needs no library: `xor edi, edi; mov eax, 60; syscall`. */
const EXIT = `code = bytes.fromhex("31ff" "b83c000000" "0f05")
size = 120 + len(code)
kind = b"\\x7fELF\\x02\\x01\\x01".ljust(16, b"\\0")
head = struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, 0x400078, 64, 0, 0, 64, 56, 1, 64, 0, 0)
part = struct.pack("<IIQQQQQQ", 1, 5, 0, 0x400000, 0x400000, size, size, 4096)
open(path + "/kept/exit", "wb").write(kind + head + part + code)
os.chmod(path + "/kept/exit", 0o755)
`;
/** Makes directories below the place's, goes there, and leaves a program in the last. */
const deep = (name: string, count: number) =>
  `import shutil
os.chdir(path + "/kept")
for _ in range(${count}):
    os.mkdir("${name}")
    os.chdir("${name}")
shutil.copy("/bin/true", "true")
`;

const WAYS: readonly Way[] = [
  {
    name: "a file below an overlay",
    rule: OPENED,
    script: `${LIBC}${OVERLAY}os.open(over + "/merged/secret", os.O_RDONLY)`,
  },
  {
    name: "an overlay that becomes the root",
    rule: OPENED,
    script: `${LIBC}${OVERLAY}os.chroot(over + "/merged")
os.open("/secret", os.O_RDONLY)`,
  },
  {
    name: "a program below an overlay",
    rule: RAN,
    script: `${LIBC}${OVERLAY}${RUN}run(over + "/merged/kept/true")`,
  },
  {
    name: "a program in another root",
    rule: RAN,
    script: `${LIBC}${EXIT}os.chroot(path + "/kept")
${RUN}run("/exit")`,
    shows: { "proc.exepath": "PLACE/kept/exit", "evt.view": "host" },
  },
  {
    name: "a program in another root, with long arguments",
    rule: RAN,
    script: `${LIBC}${EXIT}os.chroot(path + "/kept")
child = os.fork()
if child == 0: os.execve("/exit", ["true", sys.argv[1], *["x" * 9000] * 9], {})
assert os.waitpid(child, 0)[1] == 0`,
    shows: { "proc.exepath": "PLACE/kept/exit", "evt.view": "host", "proc.args.truncated": true },
  },
  {
    name: "a mode that is changed by an overlay whose upper layer the file is on",
    rule: REMOVED,
    script: `${LIBC}${UPPER}os.chmod(over + "/merged/file", 0o600)`,
    shows: { "fs.path.name": "PLACE/layer/file", "evt.view": "host" },
  },
  {
    name: "a directory that is made there",
    rule: REMOVED,
    script: `${LIBC}${UPPER}os.mkdir(over + "/merged/made")`,
    shows: { "fs.path.name": "PLACE/layer/made", "evt.view": "host" },
  },
  {
    name: "a file that is moved there",
    rule: REMOVED,
    script: `${LIBC}${UPPER}os.chdir(over + "/merged")
open("fresh", "w").close()
os.rename("fresh", "moved")`,
    shows: { "fs.path.target": "PLACE/layer/moved", "evt.view": "host" },
  },
  {
    name: "a file that is removed there",
    rule: REMOVED,
    script: `${LIBC}${UPPER}os.unlink(over + "/merged/gone")`,
    shows: { "fs.path.name": "PLACE/layer/gone", "evt.view": "host" },
  },
  {
    name: "a file that is changed by its name there, in a root of its own",
    rule: CHANGED,
    script: `${LIBC}${UPPER}os.chroot(over + "/merged")
os.chmod("/secret", 0o600)`,
    shows: { "fs.path.name": "PLACE/layer/secret", "evt.view": "inode" },
  },
  {
    name: "a directory of another file system, bound elsewhere",
    rule: OTHER,
    script: `${LIBC}${MOUNTS}done(mount(path + "/own/inner", path + "/bound", None, 4096))
os.open(path + "/bound/file", os.O_RDONLY)`,
    shows: { "fd.name": "PLACE/own/inner/file", "evt.view": "host" },
  },
  {
    name: "a file of another file system, bound elsewhere",
    rule: OTHER,
    script: `${LIBC}${MOUNTS}done(mount(path + "/own/inner/file", path + "/pipe", None, 4096))
os.open(path + "/pipe", os.O_RDONLY)`,
    shows: { "fd.name": "PLACE/own/inner/file", "fd.name.other": "PLACE/pipe" },
  },
  {
    name: "a part of another file system that becomes the root",
    rule: OTHER,
    script: `${LIBC}${MOUNTS}done(mount(path + "/own/inner", path + "/bound", None, 4096))
os.chroot(path + "/bound")
os.open("/file", os.O_RDONLY)`,
    shows: { "fd.name": "PLACE/own/inner/file", "fd.name.other": "/file" },
  },
  {
    name: "all mounts of the root, once more",
    rule: OTHER,
    script: `${LIBC}${MOUNTS}done(mount("/", path + "/bound", None, 4096 | 16384))
os.open(path + "/bound" + path + "/own/inner/file", os.O_RDONLY)`,
    shows: { "fd.name": "PLACE/own/inner/file", "evt.view": "host" },
  },
  {
    name: "all of another file system, once more, and changed there",
    rule: REMOVED,
    script: `${LIBC}${MOUNTS}done(mount(path + "/own", path + "/bound", None, 4096))
os.chmod(path + "/bound/inner/file", 0o600)`,
    shows: { "fs.path.name": "PLACE/own/inner/file", "evt.view": "host" },
  },
  {
    name: "a tree of mounts that is nowhere attached",
    rule: BELOW,
    script: `${LIBC}${TREE}os.open("kept/file", os.O_RDONLY, dir_fd=tree)`,
  },
  {
    name: "a program in a tree of mounts that is nowhere attached",
    rule: RAN,
    script: `${LIBC}${TREE}${RUN}run(f"/proc/self/fd/{tree}/kept/true")`,
  },
  {
    name: "a mount that is gone, by a directory that is open",
    rule: BELOW,
    script: `${LIBC}${MOUNTS}at = path + "/bound"
done(mount(path, at, None, 4096))
held = os.open(at, os.O_RDONLY)
done(libc.umount2(at.encode(), 2))
os.open("kept/file", os.O_RDONLY, dir_fd=held)`,
  },
  {
    name: "a root that the call chooses",
    rule: OPENED,
    script: `${LIBC}how = struct.pack("<QQQ", 0, 0, 0x10)
held = os.open(path, os.O_RDONLY)
done(libc.syscall(437, held, b"/secret", how, len(how)))`,
  },
  {
    name: "a page of the process's memory",
    rule: OPENED,
    script: `${LIBC}page = mmap.mmap(os.open(path + "/secret", os.O_RDONLY), 1, prot=1)
line = next(line for line in open("/proc/self/maps") if line.endswith("/secret\\n"))
os.open("/proc/self/map_files/" + line.split()[0], os.O_RDONLY)`,
    shows: { "fd.name": "PLACE/secret" },
  },
  {
    name: "a path of more than 4096 bytes",
    rule: BELOW,
    script: `${LIBC}${deep("d".repeat(250), 20)}os.open("true", os.O_RDONLY)`,
  },
  {
    name: "a program at the end of a thousand directories",
    rule: RAN,
    script: `${LIBC}${deep("e", 1000)}${RUN}run("./true")`,
  },
  {
    name: "flags that are rewritten while the call waits",
    rule: WRITTEN,
    script: `${LIBC}import threading
how = ctypes.create_string_buffer(struct.pack("<QQQ", 1, 0, 0))
def rewrite():
    while not open(f"/proc/{os.getpid()}/syscall").read().startswith("437 "): pass
    struct.pack_into("<Q", how, 0, 0)
    os.open(path + "/pipe", os.O_RDONLY)
threading.Thread(target=rewrite).start()
libc.syscall.restype = ctypes.c_long
done(libc.syscall(437, -100, (path + "/pipe").encode(), how, 24))`,
  },
  {
    name: "a link of the file that a call only names",
    rule: CHANGED,
    script: `${LIBC}os.chmod(path + "/second", 0o600)`,
    shows: { "fs.path.name": "PLACE/secret", "evt.view": "inode" },
  },
  {
    name: "a link of the file that is moved",
    rule: MOVED,
    script: `${LIBC}os.rename(path + "/third", path + "/fourth")`,
    shows: { "fs.path.source": "PLACE/secret", "fs.path.source.other": "PLACE/third" },
  },
];

/** A file system of its own there, as the host has it. */
async function mounted(path: string): Promise<AsyncDisposable> {
  assertEquals((await run("mount", ["-t", "tmpfs", "tmpfs", path])).code, 0);
  return {
    async [Symbol.asyncDispose]() {
      await run("umount", ["-l", path]);
    },
  };
}

Deno.test({
  name: "a file is known wherever it is to be found",
  ignore: !isRoot(),
  async fn(t) {
    await using place = new Place();
    for (const directory of ["kept", "bound", "layer", "own"]) {
      Deno.mkdirSync(place.file(directory));
    }
    await using _own = await mounted(place.file("own"));
    Deno.mkdirSync(place.file("own/inner"));
    Deno.writeTextFileSync(place.file("own/inner/file"), "");
    Deno.copyFileSync("/bin/true", place.file("kept/true"));
    const layer = ["file", "gone", "secret"].map((name) => `layer/${name}`);
    for (const name of ["secret", "kept/file", ...layer]) {
      Deno.writeTextFileSync(place.file(name), name);
    }
    for (const link of ["second", "third"]) Deno.linkSync(place.file("secret"), place.file(link));
    new Deno.Command("mkfifo", { args: [place.file("pipe")] }).outputSync();
    const rules = rulesOfWays(
      place,
      RULES,
      "%evt.type %evt.view %fd.name %fs.path.name %fs.path.source %fs.path.target %proc.exepath " +
        "%proc.args.truncated",
    );
    await using saker = await Saker.start([place.marker], { args: ["-r", rules] });
    await eventually("the file that the rules name to be known", async () => {
      const names = (await saker.health())?.body.names as { files_of_rules: number } | undefined;
      return (names?.files_of_rules ?? 0) >= 1 || undefined;
    });
    await tryWays(t, { saker, place }, WAYS, [place.path]);
  },
});
