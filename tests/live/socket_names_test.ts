// Names of sockets as the kernel has them, and opens that read as what they are.
import { assert, assertEquals } from "./expect.ts";
import { type Alert, eventually, Saker } from "./saker.ts";
import { has, isRoot, Place, python, triggersOf } from "./trigger.ts";

const TOLD = "Told";

/** A rule on one process of the marker's. */
function rules(marker: string, condition: string, output: string): string {
  return JSON.stringify([{
    rule: TOLD,
    desc: TOLD,
    condition: `${condition} and ${triggersOf(marker)}`,
    output: `${output} %proc.cmdline`,
    priority: "NOTICE",
  }]);
}

/** A kernel may be without it. */
function hasIpv6(): boolean {
  try {
    Deno.listen({ hostname: "::ffff:127.0.0.1", port: 0 }).close();
    return true;
  } catch {
    return false;
  }
}

/** Fields of the alerts of a script, in the order of its calls. */
async function told(
  condition: string,
  output: string,
  script: string,
  isLast: (fields: Alert["output_fields"]) => boolean,
): Promise<Alert["output_fields"][]> {
  await using place = new Place();
  await Deno.writeTextFile(place.file("rules.yaml"), rules(place.marker, condition, output));
  await using saker = await Saker.start([place.marker], {
    args: ["-r", place.file("rules.yaml"), "-o", "rule_matching=all"],
  });
  await python(place.marker, script, [place.path]);
  return await eventually("the alert of the last call", () => {
    const fields = saker.alertsWith(place.marker).map((alert) => alert.output_fields);
    return fields.some(isLast) ? fields : undefined;
  });
}

Deno.test({
  name: "a unix socket has its name by its length, and nothing of what lies behind it",
  ignore: !isRoot() || !has("python3"),
  async fn() {
    const fields = await told(
      "evt.type in (bind, connect, accept4)",
      "%evt.type %evt.res %fd.type %fd.name %evt.arg.addr %evt.arg.tuple",
      `import os, socket, sys
os.chdir(sys.argv[2])
def both(name):
    waits = socket.socket(socket.AF_UNIX)
    waits.bind(name)
    waits.listen(1)
    socket.socket(socket.AF_UNIX).connect(name)
    waits.accept()
both(b"\\0" + sys.argv[1].encode())
both(b"\\0a\\0" + sys.argv[1].encode())
both(b"own.sock")
both(b"p" * 107)
both(b"last")`,
      (fields) => fields["evt.type"] === "accept4" && String(fields["fd.name"]).endsWith("last"),
    );
    const text = JSON.stringify(fields);
    assert(!text.includes("INVALID"), text);
    for (const known of [/^@saker-live-[^@]*$/, /^@a@saker-live-/, /^own.sock$/, /^p{107}$/]) {
      const ends = (type: string) =>
        fields.filter((of) =>
          of["evt.type"] === type && known.test(String(of["fd.name"]).split(" ").at(-1)!)
        ).length;
      assertEquals([ends("bind"), ends("connect"), ends("accept4")], [1, 1, 1], `${known}`);
    }
  },
});

Deno.test({
  name: "an IPv4 address in an IPv6 socket has its name and its protocol",
  ignore: !isRoot() || !has("python3") || !hasIpv6(),
  async fn() {
    const fields = await told(
      "evt.type in (bind, connect, accept4, getsockopt)",
      "%evt.type %fd.type %fd.l4proto %fd.name",
      `import socket
waits = socket.socket(socket.AF_INET6)
waits.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
waits.bind(("::ffff:127.0.0.1", 0))
waits.listen(1)
calls = socket.socket(socket.AF_INET6)
calls.connect(waits.getsockname())
answers = waits.accept()[0]
calls.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
answers.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)`,
      (fields) => fields["evt.type"] === "accept4",
    );
    const of = (type: string) => fields.filter((field) => field["evt.type"] === type);
    for (const type of ["connect", "accept4"]) {
      assertEquals(of(type).length, 1);
      const { "fd.type": kind, "fd.l4proto": protocol, "fd.name": name } = of(type)[0]!;
      assertEquals([kind, protocol], ["ipv4", "tcp"]);
      assert(/^127\.0\.0\.1:\d+->127\.0\.0\.1:\d+$/.test(String(name)), String(name));
    }
  },
});

Deno.test({
  name: "an open reads as what it is",
  ignore: !isRoot() || !has("python3"),
  async fn() {
    const fields = await told(
      "evt.type in (open, openat) and fd.name contains saker-live and evt.rawres >= 0",
      "%fd.name %fd.type %evt.is_open_read %evt.is_open_write %evt.is_open_create",
      `import os, sys
os.chdir(sys.argv[2])
open("file", "w").close()
os.open(os.getcwd() + "/file", os.O_RDONLY)
os.open(os.getcwd() + "/file", 3)
os.open(os.getcwd() + "/file", os.O_RDONLY | os.O_TRUNC)
os.open(os.getcwd(), os.O_RDONLY | os.O_DIRECTORY)
os.open(os.getcwd(), os.O_RDONLY)
os.open(os.getcwd(), os.O_TMPFILE | os.O_RDWR)
open("last", "w").close()`,
      (fields) => String(fields["fd.name"]).endsWith("/last"),
    );
    const shown = fields.map((of) => [
      of["fd.type"],
      of["evt.is_open_read"],
      of["evt.is_open_write"],
      of["evt.is_open_create"],
    ]);
    assertEquals(shown, [
      ["file", false, true, true],
      ["file", true, false, false],
      ["file", false, false, false],
      ["file", true, true, false],
      ["directory", true, false, false],
      // As in Falco: rules on reads of files take a directory that is read without the flag.
      ["file", true, false, false],
      ["file", true, true, true],
      ["file", false, true, true],
    ]);
  },
});
