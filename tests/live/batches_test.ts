// What one call does many times over, and what no call does: each message of a batch, each buffer
// of a long list, signals that are delivered, pages that are missing; and requests of a ring that
// the kernel refuses, which are no loss. One session.
import { assert, assertEquals } from "./expect.ts";
import { type Alert, eventually, Saker } from "./saker.ts";
import { isRoot, Place, PYTHON, python, ringDefect, run, triggersOf } from "./trigger.ts";

const MESSAGES = 1024;
/** The page that is touched. */
const PAGE = 0x5a00_0000_0000;

function rules(marker: string): string {
  const rule = (name: string, condition: string, output: string) => ({
    rule: name,
    desc: name,
    condition: `${condition} and ${triggersOf(marker)}`,
    output: `${output} %proc.pid %proc.cmdline`,
    priority: "NOTICE",
  });
  const data = (text: string) => `evt.arg.data contains "<${text}>"`;
  return JSON.stringify([
    rule("sent", `evt.type = sendmmsg and (${data("60")} or ${data("1023")})`, "%evt.arg.data"),
    rule("received", `evt.type = recvmmsg and (${data("60")} or ${data("1023")})`, "%evt.arg.data"),
    rule("written", `evt.type = writev and ${data("late")}`, "%evt.arg.data %evt.arg.size"),
    rule("signalled", "evt.type = signaldeliver and evt.arg.sig = SIGUSR1", "%evt.args"),
    {
      ...rule(`faulted ${marker}`, "", "%evt.args"),
      condition: `evt.type = page_fault and evt.arg.addr icontains ${PAGE.toString(16)}`,
    },
    rule("switched", "evt.type = switch and evt.rawarg.next >= 0", "%evt.args"),
    rule("opened", "evt.type in (openat, openat2) and fd.name = /nowhere", "%fd.name"),
  ]);
}

const LIBC = `import ctypes, os, signal, socket, sys, time
libc = ctypes.CDLL(None, use_errno=True)
class Buffer(ctypes.Structure):
    _fields_ = [("at", ctypes.c_char_p), ("bytes", ctypes.c_size_t)]
class Message(ctypes.Structure):
    _fields_ = [("name", ctypes.c_void_p), ("name_bytes", ctypes.c_uint),
        ("buffers", ctypes.POINTER(Buffer)), ("count", ctypes.c_size_t),
        ("control", ctypes.c_void_p), ("control_bytes", ctypes.c_size_t), ("flags", ctypes.c_int),
        ("pad", ctypes.c_int), ("moved", ctypes.c_uint)]
`;

/** Sends and takes all of them, by a connection: a local socket keeps few at a time. */
const BATCH = `${LIBC}listener = socket.create_server(("127.0.0.1", 0))
ours = socket.create_connection(listener.getsockname())
theirs, _ = listener.accept()
count = ${MESSAGES}
def batch(texts):
    buffers = [Buffer(text, len(text)) for text in texts]
    messages = (Message * count)()
    for message, buffer in zip(messages, buffers):
        message.buffers, message.count = ctypes.pointer(buffer), 1
    return messages, buffers
texts = [("<%4d>" % index).replace(" ", "").rjust(8, ".").encode() for index in range(count)]
sent, kept = batch(texts)
assert libc.sendmmsg(ours.fileno(), sent, count, 0) == count, ctypes.get_errno()
taken, room = batch([bytes(8) for _ in range(count)])
assert libc.recvmmsg(theirs.fileno(), taken, count, 0x100, None) == count, ctypes.get_errno()
`;

const LIST = `${LIBC}count = 1024
buffers = (Buffer * count)()
for index in range(count - 1): buffers[index] = Buffer(b"", 0)
buffers[count - 1] = Buffer(b"<late>", 6)
assert libc.writev(os.open("/dev/null", os.O_WRONLY), buffers, count) == 6
`;

const SIGNAL = `${LIBC}signal.signal(signal.SIGUSR1, lambda *_: None)
sender = os.fork()
if sender == 0:
    os.kill(os.getppid(), signal.SIGUSR1)
    os._exit(0)
os.waitpid(sender, 0)
print(os.getpid(), sender)
time.sleep(0.01)
`;

const FAULT = `${LIBC}libc.mmap.restype = ctypes.c_void_p
at = ctypes.c_void_p(${PAGE})
got = libc.mmap(at, ctypes.c_size_t(4096), 3, 0x100032, -1, ctypes.c_long(0))
assert got == ${PAGE}, got
ctypes.memset(at, 1, 1)
`;

/** Requests whose flags an open has no use for: refused before anything is done. */
const REFUSED = 400;
const RING = `${LIBC}import mmap, struct
places = ctypes.create_string_buffer(120)
ring = libc.syscall(425, 4, places)
if ring < 0: sys.exit(77)
entries, _ = struct.unpack_from("II", places.raw, 0)
head, tail, mask, _, _, _, array = struct.unpack_from("7I", places.raw, 40)
queue = mmap.mmap(ring, array + 4 * entries)
requests = mmap.mmap(ring, 64 * entries, offset=0x10000000)
for index in range(${REFUSED}):
    slot = index % entries
    requests[64 * slot:64 * slot + 64] = struct.pack("BBHiQQIIQHHIQQ",
        18, 0, 0, -100, 0, 0, 0, 0, index, 9, 0, 0, 0, 0)
    struct.pack_into("I", queue, array + 4 * slot, slot)
    struct.pack_into("I", queue, tail, index + 1)
    libc.syscall(426, ring, 1, 0, 0, None, 0)
`;

Deno.test({
  name: "each message and buffer is told, and signals and faults where rules ask for them",
  ignore: !isRoot(),
  async fn(t) {
    await using place = new Place();
    const file = place.file("rules.yaml");
    Deno.writeTextFileSync(file, rules(place.marker));
    await using saker = await Saker.start([place.marker], { args: ["-r", file] });
    const told = (step: string, rule: string) =>
      saker.alertsWith(place.mark(step)).filter((alert) => alert.rule === rule);
    const both = async (step: string, rule: string): Promise<void> => {
      await saker.alert(rule, place.mark(step));
      const data = () => told(step, rule).map(({ output_fields }) => output_fields["evt.arg.data"]);
      await eventually("the other", () => data().length >= 2 || undefined);
      assertEquals(data().map((text) => /<\d+>/.exec(`${text}`)![0]).sort(), ["<1023>", "<60>"]);
    };
    await t.step("the messages of a batch, sent and received", async () => {
      await python(place.mark("batch"), BATCH);
      await both("batch", "sent");
      await both("batch", "received");
    });
    await t.step("the last buffer of a list", async () => {
      await python(place.mark("list"), LIST);
      const { output_fields } = await saker.alert("written", place.mark("list"));
      assertEquals(output_fields["evt.arg.size"], "6");
    });
    await t.step("a signal with its sender", async () => {
      const { stdout } = await python(place.mark("signal"), SIGNAL);
      const [pid, sender] = stdout.split(/\s/);
      const alert: Alert = await saker.alert("signalled", place.mark("signal"));
      const args = `${alert.output_fields["evt.args"]}`;
      assert(
        new RegExp(`spid=${sender}\\b.* dpid=${pid}\\b.* sig=10\\(SIGUSR1\\)`).test(args),
        args,
      );
    });
    await t.step("a page that was missing", async () => {
      await python(place.mark("fault"), FAULT);
      // As in Falco, nobody's thread is known of it.
      const { output_fields } = await eventually(
        "the fault",
        () => saker.alerts().find((alert) => alert.rule === `faulted ${place.marker}`),
      );
      const args = `${output_fields["evt.args"]}`;
      assert(/PAGE_NOT_PRESENT\|WRITE_ACCESS\|USER_FAULT/.test(args), args);
    });
    await t.step("a thread that gives way", async () => {
      await python(place.mark("switch"), `${LIBC}for _ in range(20): time.sleep(0.001)`);
      await saker.alert("switched", place.mark("switch"));
    });
    await t.step("requests that the kernel refuses are no loss", async (step) => {
      if (ringDefect() !== undefined) return;
      const lost = () =>
        eventually("an answer", async () => {
          const health = await saker.health();
          return (health?.body.lost as { critical: number } | undefined)?.critical;
        });
      const before = await lost();
      const args = ["-I", "-S", "-c", RING, place.mark("ring")];
      const { code, stderr } = await run(PYTHON, args);
      if (code === 77) return;
      assertEquals([step.name, code, stderr], [step.name, 0, ""]);
      // What other programs of the machine lose meanwhile is less.
      assert((await lost()) - before < REFUSED, `${before} and ${await lost()}`);
    });
  },
});
