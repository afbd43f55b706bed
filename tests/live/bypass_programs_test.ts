// Programs that are not what they say: names that lie, files that have no name, and calls that do
// what better known ones do. Each alert tells the program that ran. One session.
import { Saker } from "./saker.ts";
import { isRoot, Place, PYTHON } from "./trigger.ts";
import { LIBC, rulesOfWays, tryWays, type Way } from "./ways.ts";

const EXEC = "evt.type in (execve, execveat) and evt.failed = false";
const RULES: Readonly<Record<string, string>> = {
  Ran: `${EXEC} and proc.args contains "-payload"`,
  "From memory": `${EXEC} and proc.is_exe_from_memfd = true`,
  "From shared memory": `${EXEC} and proc.exepath startswith /dev/shm/`,
  Made: "evt.type in (mkdir, mkdirat) and fs.path.name contains PLACE/made",
  Loaded: `evt.type = mmap and evt.arg.prot contains PROT_EXEC and fd.name startswith memfd:hidden`,
  "Given a name": "evt.type = linkat and fs.path.source = PLACE/named",
  "Mode changed": "evt.type in (fchmodat, fchmodat2) and fs.path.name contains PLACE/script",
  "Stream replaced": "evt.type in (dup, dup2, dup3, fcntl) and evt.rawres = 120 and fd.type = ipv4",
  Mounted: "evt.type in (move_mount, fsconfig, open_tree)",
};

const TRUE = `true = os.path.realpath("/bin/true")
payload = sys.argv[1] + "-pay" + "load"
def run(file, name="true"):
    pid = os.fork()
    if pid == 0:
        os.execve(file, [name, sys.argv[1], payload], {})
    assert os.waitpid(pid, 0)[1] == 0
`;
const COPY = `import shutil
`;

const WAYS: readonly Way[] = [
  {
    name: "a copy under a daemon's name",
    rule: "Ran",
    script: `${LIBC}${TRUE}${COPY}copy = os.path.dirname(path) + "/systemd-logind"
shutil.copy(true, copy)
run(copy, "systemd-logind")`,
    shows: { "proc.exepath": "PLACE/systemd-logind", "proc.name": "systemd-logind" },
  },
  {
    name: "a link under a daemon's name",
    rule: "Ran",
    script: `${LIBC}${TRUE}link = os.path.dirname(path) + "/sshd"
os.symlink(true, link)
run(link, "sshd")`,
    shows: { "proc.name": "sshd" },
  },
  {
    name: "a first argument that lies",
    rule: "Ran",
    script: `${LIBC}${TRUE}run(true, "[kworker/0:1]")`,
    shows: { "proc.name": "true", "proc.exe": "[kworker/0:1]" },
  },
  {
    name: "a script under a program's name",
    rule: "Ran",
    script: `${LIBC}${TRUE}script = os.path.dirname(path) + "/passwd"
open(script, "w").write("#!/bin/sh\\nexit 0\\n")
os.chmod(script, 0o755)
run(script, "passwd")`,
    shows: { "proc.name": "passwd" },
  },
  {
    name: "a name that the process gave itself",
    rule: "Made",
    script: `${LIBC}libc.prctl(15, b"systemd-logind", 0, 0, 0)
os.mkdir(os.path.dirname(path) + "/made-under-another-name")`,
    shows: { "proc.exe": PYTHON },
  },
  {
    name: "a program that lies in memory",
    rule: "From memory",
    script: `${LIBC}${TRUE}fd = os.memfd_create("hidden", 0)
os.write(fd, open(true, "rb").read())
run(f"/proc/self/fd/{fd}")`,
  },
  {
    name: "a program that lies in memory, run by its descriptor",
    rule: "From memory",
    script: `${LIBC}${TRUE}fd = os.memfd_create("hidden", os.MFD_CLOEXEC)
os.write(fd, open(true, "rb").read())
run(fd)`,
  },
  {
    name: "a program in shared memory",
    rule: "From shared memory",
    script: `${LIBC}${TRUE}${COPY}file = "/dev/shm/" + sys.argv[1]
shutil.copy(true, file)
try: run(file)
finally: os.unlink(file)`,
  },
  {
    name: "a link that leads to shared memory",
    rule: "From shared memory",
    script: `${LIBC}${TRUE}${COPY}file = "/dev/shm/" + sys.argv[1]
shutil.copy(true, file)
os.symlink(file, os.path.dirname(path) + "/shared")
try: run(os.path.dirname(path) + "/shared")
finally: os.unlink(file)`,
  },
  {
    name: "a program whose file is gone",
    rule: "Ran",
    script: `${LIBC}${TRUE}${COPY}file = os.path.dirname(path) + "/gone"
shutil.copy(true, file)
fd = os.open(file, os.O_RDONLY)
os.unlink(file)
run(fd)`,
    shows: { "proc.exepath": "PLACE/gone" },
  },
  {
    name: "a library that lies in memory",
    rule: "Loaded",
    script: `${LIBC}library = next(line.split()[-1] for line in open("/proc/self/maps")
    if "libm" in line or "libc" in line)
fd = os.memfd_create("hidden", 0)
os.write(fd, open(library, "rb").read())
ctypes.CDLL(f"/proc/self/fd/{fd}")`,
  },
  {
    name: "a file without a name that is given one",
    rule: "Given a name",
    script: `${LIBC}folder = os.path.dirname(path)
try: fd = os.open(folder, os.O_TMPFILE | os.O_WRONLY, 0o700)
except OSError: sys.exit(77)
here = os.open(folder, os.O_RDONLY)
source = f"/proc/self/fd/{fd}".encode()
done(libc.linkat(-100, source, here, b"named", 0x400))`,
  },
  {
    name: "the program's own loader",
    rule: "Ran",
    script: `${LIBC}${TRUE}loader = next((line.split()[-1] for line in open("/proc/self/maps")
    if "/ld-" in line), None)
if loader is None: sys.exit(77)
pid = os.fork()
if pid == 0: os.execve(loader, [loader, true, sys.argv[1], payload], {})
assert os.waitpid(pid, 0)[1] == 0`,
  },
  {
    name: "an execution by another thread than the first",
    rule: "Ran",
    script: `${LIBC}${TRUE}import threading
pid = os.fork()
if pid == 0:
    threading.Thread(target=os.execve, args=(true, ["true", sys.argv[1], payload], {})).start()
    import time
    time.sleep(30)
assert os.waitpid(pid, 0)[1] == 0`,
  },
  {
    name: "a child that is gone before its maker knows of it",
    rule: "Made",
    script: `${LIBC}for number in range(50):
    pid = os.fork()
    if pid == 0:
        os.mkdir(os.path.dirname(path) + f"/made-by-a-child-{number}")
        os._exit(0)
    os.waitpid(pid, 0)`,
  },
  {
    name: "a number that was another process's",
    rule: "Made",
    script: `${LIBC}before = os.fork()
if before == 0: os.execv("/bin/true", ["another-program"])
os.waitpid(before, 0)
wanted = (ctypes.c_int * 1)(before)
request = struct.pack("<QQQQQQQQQQQ", 0, 0, 0, 0, 17, 0, 0, 0, ctypes.addressof(wanted), 1, 0)
pid = libc.syscall(435, request, len(request))
if pid == 0:
    os.mkdir(os.path.dirname(path) + "/made-by-a-number-used-again")
    os._exit(0)
if pid < 0: sys.exit(77)
os.waitpid(pid, 0)`,
    shows: { "proc.exe": PYTHON },
  },
  {
    name: "fchmodat2",
    rule: "Mode changed",
    script: `${LIBC}file = os.path.dirname(path) + "/script-of-a-mode"
open(file, "w").close()
done(libc.syscall(452, -100, file.encode(), 0o755, 0))`,
  },
  {
    name: "a socket copied by fcntl",
    rule: "Stream replaced",
    script: `${LIBC}import fcntl
server = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(server.getsockname())
fcntl.fcntl(client, fcntl.F_DUPFD, 120)`,
  },
  {
    name: "a mount that is taken up and put down",
    rule: "Mounted",
    script: `${LIBC}folder = os.path.dirname(path).encode()
tree = done(libc.syscall(428, -100, folder, 1))`,
  },
];

Deno.test({
  name: "a program is known whatever it is called and wherever it lies",
  ignore: !isRoot(),
  async fn(t) {
    await using place = new Place();
    const output = "%evt.type %proc.name %proc.exe %proc.exepath %fs.path.name %fs.path.source " +
      "%fd.name %proc.birth.name[1]";
    const rules = rulesOfWays(place, RULES, output);
    await using saker = await Saker.start([place.marker], {
      args: ["-r", rules, "-o", "rule_matching=all"],
    });
    await tryWays(t, { saker, place }, WAYS, [place.file("file")]);
  },
});
