// Syslog with sockets that read as receivers do: what arrives is what was written, in order.
import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert";
import { messages, ownCertificate, portOf, texts, within } from "./message_fixture.ts";
import { PartlyWritten } from "./output.ts";
import { syslogOutput } from "./syslog.ts";
import type { SyslogAddress } from "./syslog_link.ts";

function syslogTo(address: SyslogAddress, tls: { caCerts: string[] } = { caCerts: [] }) {
  return syslogOutput({
    address,
    names: { facility: 16, ident: "saker", pid: 42 },
    tls,
    timeoutMs: 5_000,
    now: () => new Date(2026, 0, 2, 3, 4, 5),
  });
}

Deno.test("syslog: the host's socket is given what syslog(3) writes", () =>
  within(async (directory) => {
    const path = `${directory}/log`;
    const daemon = Deno.listenDatagram({ transport: "unixpacket", path });
    const output = syslogTo({ kind: "local", path });
    await output.write(messages(0, 9));
    const decoder = new TextDecoder();
    for (let at = 0; at < 9; at++) {
      const [bytes] = await daemon.receive(new Uint8Array(4096));
      const text = decoder.decode(bytes);
      strictEqual(text, `<${128 + at % 8}>Jan  2 03:04:05 saker: ${texts(at, at + 1)[0]}`);
    }
    output.close();
    daemon.close();
  }));

Deno.test("syslog: a socket of streams gets each message with its end", () =>
  within(async (directory) => {
    const path = `${directory}/log`;
    using daemon = Deno.listen({ transport: "unix", path });
    const output = syslogTo({ kind: "local", path });
    const arrived = daemon.accept().then(async (conn) => {
      const text = await new Response(conn.readable).text();
      return text.split("\0").slice(0, -1).map((one) => one.replace(/^<\d+>.{15} saker: /, ""));
    });
    await output.write(messages(0, 9));
    output.close();
    deepStrictEqual(await arrived, texts(0, 9));
  }));

/** Messages of a stream of RFC 6587, as their lengths part them. */
function parted(bytes: Uint8Array): string[] {
  const decoder = new TextDecoder();
  const found: string[] = [];
  while (bytes.length > 0) {
    const space = bytes.indexOf(32);
    const length = Number(decoder.decode(bytes.subarray(0, space)));
    found.push(decoder.decode(bytes.subarray(space + 1, space + 1 + length)));
    bytes = bytes.subarray(space + 1 + length);
  }
  return found;
}

const HEAD = /^<(\d+)>1 2023-11-14T22:13:20\.123456Z web_1 saker 42 alert - /;

Deno.test("syslog: RFC 5424 over UDP", async () => {
  const daemon = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const output = syslogTo({ kind: "udp", hostname: "127.0.0.1", port: portOf(daemon.addr) });
  await output.write(messages(0, 3));
  for (let at = 0; at < 3; at++) {
    const [bytes] = await daemon.receive(new Uint8Array(4096));
    const text = new TextDecoder().decode(bytes);
    match(text, HEAD);
    strictEqual(text.replace(HEAD, ""), texts(at, at + 1)[0]);
  }
  output.close();
  daemon.close();
});

Deno.test("syslog: over TCP and TLS, with the length in front, and again after a break", () =>
  within(async (directory) => {
    const { certificate, key } = await ownCertificate(directory, "localhost");
    for (const kind of ["tcp", "tls"] as const) {
      const where = { hostname: "127.0.0.1", port: 0 };
      using daemon = kind === "tcp"
        ? Deno.listen(where)
        : Deno.listenTls({ ...where, cert: certificate, key });
      const to = { kind, hostname: "localhost", port: portOf(daemon.addr) };
      const output = syslogTo(to, { caCerts: [certificate] });
      const all = async () => {
        const conn = await daemon.accept();
        return parted(new Uint8Array(await new Response(conn.readable).arrayBuffer()));
      };
      const first = all();
      await output.write(messages(0, 300));
      output.reopen();
      const arrived = await first;
      deepStrictEqual(arrived.map((one) => one.replace(HEAD, "")), texts(0, 300));
      strictEqual(HEAD.exec(arrived[3]!)?.[1], "131");
      // The receiver closes under us: the next write says so, the one after opens anew.
      const cut = daemon.accept().then(async (conn) => {
        await conn.read(new Uint8Array(1 << 16));
        conn.close();
      });
      await output.write(messages(0, 1));
      await cut;
      const again = all();
      for (let tries = 0;; tries++) {
        try {
          await output.write(messages(1, 2));
          if (tries > 0) break;
        } catch (error) {
          ok(error instanceof PartlyWritten);
        }
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      output.close();
      ok((await again).every((one) => one.endsWith(texts(1, 2)[0]!)));
    }
  }));

Deno.test("syslog: a receiver that is not there is told", async () => {
  await rejects(syslogTo({ kind: "local", path: "/nowhere/log" }).write(messages(0, 1)));
  // One that the kernel has just given and taken back may be another's.
  await rejects(syslogTo({ kind: "tcp", hostname: "127.0.0.1", port: 1 }).write(messages(0, 1)));
});
