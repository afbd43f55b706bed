// Every way to change a file that is no write(2): each is told as the call that it is, with the
// file's name, whether or not anybody asks for the open before it. One session.
import { Saker } from "./saker.ts";
import { isRoot, Place } from "./trigger.ts";
import { LIBC, rulesOfWays, tryWays, type Way } from "./ways.ts";

const FILE = "fd.name = PLACE/protected";
const RULES: Readonly<Record<string, string>> = {
  Mapped: `evt.type = mmap and ${FILE} and evt.arg.flags contains MAP_SHARED
    and evt.arg.prot contains PROT_WRITE`,
  Copied: `evt.type = copy_file_range and ${FILE}`,
  Spliced: `evt.type = splice and ${FILE}`,
  Sent: `evt.type = sendfile and ${FILE}`,
  Cut: `evt.type in (ftruncate, fallocate) and ${FILE}`,
  "Cut by name": "evt.type = truncate and fs.path.name = PLACE/protected",
  Cloned: `evt.type = ioctl and ${FILE} and evt.arg.request = 40049409`,
  Written: `evt.type in (write, pwrite, writev, pwritev) and ${FILE}`,
  "Opened to write": `evt.type in (open, openat, openat2) and ${FILE} and evt.is_open_write = true`,
  Replaced: "evt.type in (rename, renameat, renameat2) and fs.path.target = PLACE/protected",
};

/** The file is open for reading and writing as `fd`, another one for reading as `other`. */
const OPEN = `${LIBC}fd = os.open(path, os.O_RDWR)
other = os.open(path + ".other", os.O_RDWR | os.O_CREAT, 0o600)
os.write(other, b"payload")
os.lseek(other, 0, 0)
`;

const WAYS: readonly Way[] = [
  {
    name: "a shared mapping",
    rule: "Mapped",
    script: `${OPEN}memory = mmap.mmap(fd, 4, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)
memory[:4] = b"evil"`,
  },
  {
    name: "copy_file_range",
    rule: "Copied",
    script: `${OPEN}done(libc.syscall(326, other, 0, fd, 0, 4, 0))`,
  },
  {
    name: "splice out of a pipe",
    rule: "Spliced",
    script: `${OPEN}r, w = os.pipe()
os.write(w, b"evil")
done(libc.splice(r, None, fd, None, 4, 0))`,
  },
  {
    name: "vmsplice into a pipe, and splice out of it",
    rule: "Spliced",
    script: `${OPEN}r, w = os.pipe()
page = mmap.mmap(-1, 4096)
page[:4] = b"evil"
at = ctypes.addressof(ctypes.c_char.from_buffer(page))
vector = struct.pack("<QQ", at, 4)
done(libc.vmsplice(w, vector, 1, 0))
done(libc.splice(r, None, fd, None, 4, 0))`,
  },
  {
    name: "tee from one pipe into another, and splice out of that",
    rule: "Spliced",
    script: `${OPEN}first, second = os.pipe(), os.pipe()
os.write(first[1], b"evil")
done(libc.tee(first[0], second[1], 4, 0))
done(libc.splice(second[0], None, fd, None, 4, 0))`,
  },
  { name: "sendfile", rule: "Sent", script: `${OPEN}os.sendfile(fd, other, 0, 4)` },
  { name: "ftruncate", rule: "Cut", script: `${OPEN}os.ftruncate(fd, 2)` },
  {
    name: "a hole punched with fallocate",
    rule: "Cut",
    script: `${OPEN}done(libc.fallocate(fd, 3, ctypes.c_long(0), ctypes.c_long(4)))`,
  },
  { name: "truncate", rule: "Cut by name", script: `${LIBC}os.truncate(path, 3)` },
  {
    name: "FICLONE, where the file system refuses it too",
    rule: "Cloned",
    script: `${OPEN}libc.ioctl(fd, ctypes.c_ulong(0x40049409), other)`,
  },
  {
    name: "a write past the page cache",
    rule: "Written",
    script: `${LIBC}try: fd = os.open(path, os.O_WRONLY | os.O_DIRECT)
except OSError: sys.exit(77)
page = mmap.mmap(-1, 4096)
try: os.write(fd, page)
except OSError: sys.exit(77)`,
  },
  {
    name: "pwritev2",
    rule: "Written",
    script: `${OPEN}os.pwritev(fd, [b"evil"], 0, os.RWF_DSYNC)`,
  },
  {
    name: "an open that cuts it, and nothing more",
    rule: "Opened to write",
    script: `${LIBC}os.close(os.open(path, os.O_WRONLY | os.O_TRUNC))`,
  },
  {
    name: "writes that the kernel does later (AIO): the open is told",
    rule: "Opened to write",
    script: `${OPEN}context = ctypes.c_ulong(0)
done(libc.syscall(206, 1, ctypes.byref(context)))
data = ctypes.create_string_buffer(b"evil")
request = ctypes.create_string_buffer(
    struct.pack("<QIIHhIQQqQII", 0, 0, 0, 1, 0, fd, ctypes.addressof(data), 4, 0, 0, 0, 0))
list = (ctypes.c_void_p * 1)(ctypes.addressof(request))
assert done(libc.syscall(209, context, 1, list)) == 1
done(libc.syscall(207, context))`,
  },
  {
    name: "another file renamed over it",
    rule: "Replaced",
    script: `${OPEN}os.rename(path + ".other", path)`,
  },
];

Deno.test({
  name: "a file that is changed without write(2) is told by the call that changed it",
  ignore: !isRoot(),
  async fn(t) {
    await using place = new Place();
    const path = place.file("protected");
    await Deno.writeTextFile(path, "contents");
    const rules = rulesOfWays(place, RULES, "%evt.type %fd.name %evt.rawres");
    await using saker = await Saker.start([place.marker], {
      args: ["-r", rules, "-o", "rule_matching=all"],
    });
    await tryWays(t, { saker, place }, WAYS, [path]);
  },
});
