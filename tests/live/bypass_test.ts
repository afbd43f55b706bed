// Ways around a rule on a file that have nothing to do with its path: descriptors that came from
// elsewhere, names that lie where they can hardly be read, paths that are very deep. One session;
// each way ends at the same alert. What is done about paths is in paths_test.ts, about parents in
// lineage_test.ts, about padding in long_test.ts.
import { assertEquals } from "./expect.ts";
import { Saker } from "./saker.ts";
import { isRoot, Place, PYTHON } from "./trigger.ts";
import { LIBC, rulesOfWays, tryWays, UNSUPPORTED, type Way } from "./ways.ts";

const READ = "Secret read";
const OPENED = "Secret opened";

const RULES = {
  [READ]: "evt.type in (read, readv) and fd.name = PLACE/secret",
  [OPENED]: "evt.type in (open, openat, openat2, creat) and fd.name endswith /hidden",
};

const WAYS: readonly Way[] = [
  {
    name: "a descriptor that was sent",
    rule: READ,
    script: `${LIBC}near, far = socket.socketpair()
if os.fork() == 0:
    socket.send_fds(far, [b"x"], [os.open(path, os.O_RDONLY)])
    os._exit(0)
far.close()
_, fds, _, _ = socket.recv_fds(near, 1, 1)
os.wait()
assert len(os.read(fds[0], 1)) == 1`,
  },
  {
    name: "a descriptor that was taken from another process",
    rule: READ,
    script: `${LIBC}r, w = os.pipe()
end, held = os.pipe()
child = os.fork()
if child == 0:
    os.dup2(os.open(path, os.O_RDONLY), 100)
    os.write(w, b"x")
    os.close(held)
    os.read(end, 1)
    os._exit(0)
os.read(r, 1)
pidfd = libc.syscall(434, child, 0)
taken = libc.syscall(438, pidfd, 100, 0) if pidfd >= 0 else -1
failed = ctypes.get_errno()
if taken >= 0: assert len(os.read(taken, 1)) == 1
os.close(held)
os.wait()
sys.exit(${UNSUPPORTED} if taken < 0 and failed in (1, 38) else taken < 0)`,
  },
  {
    name: "a descriptor that was inherited through an execution",
    rule: READ,
    script: `${LIBC}fd = os.open(path, os.O_RDONLY)
os.set_inheritable(fd, True)
read = "import os, sys; assert len(os.read(int(sys.argv[3]), 1)) == 1"
os.execv(sys.executable, [sys.executable, "-I", "-S", "-c", read, sys.argv[1], path, str(fd)])`,
  },
  {
    name: "a name that ends where the memory does",
    rule: OPENED,
    script: `${LIBC}name = os.path.dirname(path).encode() + b"/edge/hidden\\0"
os.mkdir(os.path.dirname(path) + "/edge")
pages = mmap.mmap(-1, 8192)
at = ctypes.addressof(ctypes.c_char.from_buffer(pages))
pages[4096 - len(name):4096] = name
assert libc.mprotect(ctypes.c_void_p(at + 4096), 4096, 0) == 0
assert libc.open(ctypes.c_void_p(at + 4096 - len(name)), os.O_CREAT | os.O_WRONLY, 0o600) >= 0
libc.mprotect(ctypes.c_void_p(at + 4096), 4096, 3)`,
  },
  {
    name: "a name that was paged out",
    rule: OPENED,
    script: `${LIBC}name = os.path.dirname(path).encode() + b"/out/hidden\\0"
os.mkdir(os.path.dirname(path) + "/out")
pages = mmap.mmap(-1, 4096)
pages[:len(name)] = name
at = ctypes.addressof(ctypes.c_char.from_buffer(pages))
libc.madvise(ctypes.c_void_p(at), 4096, 21)
assert libc.open(ctypes.c_void_p(at), os.O_CREAT | os.O_WRONLY, 0o600) >= 0`,
  },
  {
    name: "a file below two hundred directories",
    rule: OPENED,
    script: `${LIBC}os.chdir(os.path.dirname(path))
for level in range(200):
    os.mkdir("d")
    os.chdir("d")
os.close(os.open("hidden", os.O_CREAT | os.O_WRONLY, 0o600))`,
  },
  {
    name: "a name on a page that is filled when the kernel asks for it, and then changed",
    rule: OPENED,
    script: `${LIBC}import threading, fcntl
folder = os.path.dirname(path)
os.mkdir(folder + "/stalled")
stall = done(libc.syscall(323, 0))
def ask(number, request):
    try: fcntl.ioctl(stall, number, request)
    except OSError: sys.exit(${UNSUPPORTED})
ask(0xc018aa3f, bytearray(struct.pack("<QQQ", 0xaa, 0, 0)))
pages = mmap.mmap(-1, 4096)
at = ctypes.addressof(ctypes.c_char.from_buffer(pages))
ask(0xc020aa00, bytearray(struct.pack("<QQQQ", at, 4096, 1, 0)))
def serve():
    os.read(stall, 32)
    page = ctypes.create_string_buffer((folder + "/stalled/hidden").encode(), 4096)
    ask(0xc028aa03, bytearray(struct.pack("<QQQQq", at, ctypes.addressof(page), 4096, 0, 0)))
    while not os.path.exists(folder + "/stalled/hidden"): pass
    for _ in range(1000):
        pages[:len(folder) + 16] = (folder + "/harmless/files\\0").encode()
server = threading.Thread(target=serve)
server.start()
assert libc.open(ctypes.c_void_p(at), os.O_CREAT | os.O_WRONLY, 0o600) >= 0
server.join()
os.stat(folder + "/stalled/hidden")`,
  },
];

Deno.test({
  name: "a file is known whatever way a process came by it",
  ignore: !isRoot(),
  async fn(t) {
    await using place = new Place();
    const secret = place.file("secret");
    await Deno.writeTextFile(secret, "secret");
    const before = new Deno.Command(PYTHON, {
      args: ["-I", "-S", "-c", EARLY, place.mark("early"), secret],
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const ready = before.stdout.getReader();
    await ready.read();
    const rules = rulesOfWays(place, RULES, "%evt.type %fd.name %proc.pid");
    await using saker = await Saker.start([place.marker], { args: ["-r", rules] });
    await tryWays(t, { saker, place }, WAYS, [secret]);
    await t.step("a descriptor that was open before saker started", async () => {
      const input = before.stdin.getWriter();
      await input.write(new TextEncoder().encode("x"));
      await input.close();
      assertEquals((await before.status).code, 0);
      await saker.alert(READ, place.mark("early"));
    });
    await ready.cancel();
  },
});

/** Opens the file, says so, and reads it when it is told to. */
const EARLY = `import os, sys
fd = os.open(sys.argv[2], os.O_RDONLY)
os.write(1, b"x")
os.read(0, 1)
assert len(os.read(fd, 1)) == 1`;
