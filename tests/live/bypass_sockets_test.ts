// Ways to talk without connect(2), and to hide one peer, or one buffer, among many. Each is told
// with the peer that was reached. One session; all traffic stays on 127.0.0.1.
import { freePort, Saker } from "./saker.ts";
import { isRoot, Place } from "./trigger.ts";
import { LIBC, rulesOfWays, tryWays, type Way } from "./ways.ts";

function conditions(port: number): Record<string, string> {
  return {
    Sent: `evt.type in (sendto, sendmsg, sendmmsg, connect) and fd.sport = ${port}`,
    "Sent to a name": `evt.type in (sendto, sendmsg, connect) and fd.name contains "-hidden"`,
    // Falco's names of families end before AF_VSOCK.
    "Odd socket": `evt.type = socket and
      (not evt.arg.domain in (AF_INET, AF_INET6, AF_UNIX, AF_LOCAL) or evt.rawarg.proto = 1)`,
    Payload: "evt.type in (writev, sendmsg) and evt.buffer contains payload",
  };
}

/** A receiver of our own, and a socket to send from. */
const UDP = `${LIBC}port = int(path)
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
target = ("127.0.0.1", port)
`;

/** `sendmmsg` of the messages, each with its address and its data. */
const BATCH = `def batch(fd, messages):
    keep = []
    vectors = b""
    for port, data in messages:
        name = ctypes.create_string_buffer(struct.pack("<H", 2) + struct.pack(">H4s8x", port,
            socket.inet_aton("127.0.0.1")))
        text = ctypes.create_string_buffer(data)
        vector = ctypes.create_string_buffer(struct.pack("<QQ", ctypes.addressof(text), len(data)))
        keep += [name, text, vector]
        vectors += struct.pack("<QI4xQQQQi4xI4x", ctypes.addressof(name), 16,
            ctypes.addressof(vector), 1, 0, 0, 0, 0)
    return libc.syscall(307, fd, vectors, len(messages), 0)
`;

const WAYS: readonly Way[] = [
  { name: "UDP sendto", rule: "Sent", script: `${UDP}sender.sendto(b"x", target)` },
  { name: "UDP sendmsg", rule: "Sent", script: `${UDP}sender.sendmsg([b"x"], [], 0, target)` },
  {
    name: "UDP from an IPv6 socket to a mapped address",
    rule: "Sent",
    script: `${UDP}try: sender = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
except OSError: sys.exit(77)
try: sender.sendto(b"x", ("::ffff:127.0.0.1", port))
except OSError: sys.exit(77)`,
  },
  {
    name: "TCP that begins with its data (MSG_FASTOPEN)",
    rule: "Sent",
    script: `${UDP}listener = socket.create_server(target)
client = socket.socket()
client.sendto(b"x", 0x20000000, target)`,
  },
  {
    name: "MPTCP",
    rule: "Sent",
    script: `${UDP}listener = socket.create_server(target)
try: client = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)
except OSError: sys.exit(77)
client.connect(target)`,
  },
  {
    name: "UDP-Lite",
    rule: "Sent",
    script: `${UDP}try: client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM, 136)
except OSError: sys.exit(77)
client.sendto(b"x", target)`,
  },
  {
    name: "the last of twenty messages",
    rule: "Sent",
    script: `${UDP}${BATCH}
messages = [(9, b"x")] * 19 + [(port, b"x")]
assert batch(sender.fileno(), messages) == 20`,
  },
  {
    name: "an abstract unix socket",
    rule: "Sent to a name",
    script: `${LIBC}receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
name = b"\\0" + sys.argv[1].encode() + b"-hidden"
receiver.bind(name)
socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b"x", name)`,
  },
  {
    name: "a packet socket",
    rule: "Odd socket",
    script: `${LIBC}socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)`,
  },
  {
    name: "a raw socket",
    rule: "Odd socket",
    script: `${LIBC}socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)`,
  },
  {
    name: "a socket to the hypervisor",
    rule: "Odd socket",
    script: `${LIBC}libc.socket(40, socket.SOCK_STREAM, 0)`,
  },
  {
    name: "the last of forty buffers",
    rule: "Payload",
    script: `${LIBC}r, w = os.pipe()
os.writev(w, [b"x"] * 39 + [b"payload"])`,
  },
  {
    name: "the last of forty buffers of a message",
    rule: "Payload",
    script: `${LIBC}near, far = socket.socketpair()
near.sendmsg([b"x"] * 39 + [b"payload"])`,
  },
];

Deno.test({
  name: "who talks without connect(2), or hides a peer among many, is told with the peer",
  ignore: !isRoot(),
  async fn(t) {
    await using place = new Place();
    // Nobody has it, for UDP neither: what is sent there without a listener is thrown away.
    const port = freePort();
    const output = "%evt.type %fd.name %fd.sport %evt.args";
    const rules = rulesOfWays(place, conditions(port), output);
    await using saker = await Saker.start([place.marker], {
      args: ["-r", rules, "-o", "rule_matching=all"],
    });
    await tryWays(t, { saker, place }, WAYS, [`${port}`]);
  },
});
