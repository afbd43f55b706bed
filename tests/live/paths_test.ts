// A file is known by what the kernel opened: the ways around a path end at the same alert.
import { assert, assertEquals } from "./expect.ts";
import { eventually, Saker } from "./saker.ts";
import {
  compiled,
  covered,
  has,
  isRoot,
  Place,
  python,
  ringDefect,
  run,
  shell,
} from "./trigger.ts";

const RULE = "Sensitive file read by an untrusted program";
const RENAMED = "Sensitive file given another name";
const FILE = "/etc/shadow";

interface Trick {
  readonly name: string;
  /** Opens FILE in a way that the name given to the kernel does not tell. */
  readonly open: (marker: string, place: Place) => Promise<unknown>;
  readonly without?: () => string | undefined;
}

/** Reads the first byte and shows nothing. */
const READ = `import os, sys
def done(fd):
    assert len(os.read(fd, 1)) == 1
`;

const NUMBER = {
  openat2: 437,
  nameToHandle: Deno.build.arch === "x86_64" ? 303 : 264,
  openByHandle: Deno.build.arch === "x86_64" ? 304 : 265,
};

const needsCompiler = () => has("cc") ? undefined : "there is no C compiler";

/** The kernel opens the file for the ring, without a system call of the process. */
const ring = (name: string, args: readonly string[]): Trick => ({
  name,
  async open(marker, place) {
    const { code, stderr } = await run(await compiled(place, "uring"), [FILE, marker, ...args]);
    assertEquals(code, 0, stderr);
  },
  without: ringDefect,
});

const TRICKS: readonly Trick[] = [
  {
    name: "/proc/self/root",
    open: (marker) => shell(marker, `exec 3< /proc/self/root${FILE}`),
  },
  {
    name: "a symbolic link",
    open: (marker, place) => shell(marker, `ln -s ${FILE} "$1/a"; exec 3< "$1/a"`, [place.path]),
  },
  {
    name: ".. through a linked directory",
    open: (marker, place) =>
      shell(marker, `ln -s /etc/ssl "$1/d"; exec 3< "$1/d/../shadow"`, [place.path]),
  },
  {
    name: "the working directory",
    open: (marker) => shell(marker, "cd /etc; exec 3< ./default/.././/shadow"),
  },
  {
    name: "/dev/fd",
    open: (marker) =>
      python(
        marker,
        `${READ}d = os.open("/etc", os.O_RDONLY)
done(os.open(f"/dev/fd/{d}/shadow", os.O_RDONLY))`,
      ),
  },
  {
    name: "openat2",
    open: (marker) =>
      python(
        marker,
        `${READ}import ctypes, struct
how = struct.pack("<QQQ", 0, 0, 0)
done(ctypes.CDLL(None).syscall(${NUMBER.openat2}, -100, b"/etc/../etc/shadow", how, len(how)))`,
      ),
  },
  {
    name: "O_PATH opened again",
    open: (marker) =>
      python(
        marker,
        `${READ}p = os.open("${FILE}", os.O_PATH)
done(os.open(f"/proc/self/fd/{p}", os.O_RDONLY))`,
      ),
  },
  {
    name: "a file handle",
    open: (marker) =>
      python(
        marker,
        `${READ}import ctypes, struct
call = ctypes.CDLL(None, use_errno=True).syscall
handle = ctypes.create_string_buffer(struct.pack("<Ii", 128, 0), 136)
mount = ctypes.c_int()
assert call(${NUMBER.nameToHandle}, -100, b"${FILE}", handle, ctypes.byref(mount), 0) == 0
done(call(${NUMBER.openByHandle}, os.open("/", os.O_RDONLY), handle, 0))`,
      ),
  },
  {
    name: "the 32-bit system call gate",
    async open(marker, place) {
      const program = await compiled(place, "int80", ["-static", "-no-pie"]);
      const { code, stderr } = await run(program, [FILE, marker]);
      assert(code === 0, stderr);
    },
    without: () => Deno.build.arch === "x86_64" ? needsCompiler() : "only x86_64 has one",
  },
  {
    name: "a file bind-mounted in a private namespace",
    open: (marker, place) =>
      covered(
        marker,
        place.path,
        `cd ${place.path}; : > "$0"; mount --bind ${FILE} "$0" && exec 3< "$0"`,
      ),
  },
  {
    name: "a directory bind-mounted in a private namespace",
    open: (marker, place) =>
      covered(
        marker,
        place.path,
        `cd ${place.path}; mkdir e; mount --bind /etc e && exec 3< ${place.path}/e/shadow`,
      ),
  },
  ring("io_uring", []),
  ring("io_uring with a thread that polls", ["polled"]),
];

Deno.test({
  name: "a path trick does not hide which file was opened",
  ignore: !isRoot(),
  async fn(t) {
    await using place = new Place();
    await using saker = await Saker.start([place.marker]);
    for (const [index, { name, open, without }] of TRICKS.entries()) {
      await t.step({
        name,
        ignore: without?.() !== undefined,
        async fn() {
          const marker = place.mark(`${index}x`);
          await open(marker, place);
          const alert = await saker.alert(RULE, marker);
          assertEquals(alert.output_fields["fd.name"], FILE);
        },
      });
    }
  },
});

Deno.test({
  name: "a file that gets another name is told when it gets it",
  ignore: !isRoot(),
  async fn(t) {
    await using place = new Place();
    await using saker = await Saker.start([place.marker]);
    await t.step("by a hard link", async () => {
      const marker = place.mark("link");
      // Only within one file system; a directory beside the file is one for sure.
      await shell(marker, `ln ${FILE} /etc/"$0" && rm /etc/"$0"`);
      const alert = await saker.alert(RENAMED, marker);
      assertEquals(alert.output_fields["fs.path.source"], `/etc/${marker}`);
    });
    await t.step("by a bind mount in a private namespace", async () => {
      const marker = place.mark("bind");
      await covered(
        marker,
        place.path,
        `: > ${place.path}/a; mount --bind ${FILE} ${place.path}/a`,
      );
      const alert = await saker.alert(RENAMED, marker);
      assertEquals(alert.output_fields["fs.path.target"], `${place.path}/a`);
    });
  },
});

Deno.test({
  name: "a path changed during the call is told as the kernel used it",
  ignore: !isRoot() || !has("cc"),
  async fn() {
    await using place = new Place();
    // What the caller's memory says when the call returns is another view, with alerts of its own.
    const kernel = ["-o", "engine.paths=kernel"];
    await using saker = await Saker.start([place.marker], { args: kernel });
    const program = await compiled(place, "race", ["-pthread"]);
    const { code, stdout } = await run(program, [FILE, "/etc/passwd", "3000", place.marker]);
    assertEquals(code, 0);
    const hits = Number(stdout);
    const alerts = await eventually("an alert for every time that the file was opened", () => {
      const seen = saker.alertsWith(place.marker).filter((alert) =>
        alert.rule === RULE && alert.output_fields["fd.name"] === FILE
      );
      return seen.length >= hits ? seen : undefined;
    });
    // A last open, to be sure that no alert is still on its way.
    await shell(place.mark("last"), `exec 3< ${FILE}`);
    await saker.alert(RULE, place.mark("last"));
    assertEquals(alerts.length, hits);
  },
});
