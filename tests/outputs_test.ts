// Every output with a real counterpart, fed by a replay: all alerts arrive, in order, once. With
// SAKER_TEST_ALERTS=100000 so many of them.
import { deepStrictEqual, match, ok, strictEqual } from "node:assert";
import { ownCertificate } from "../src/alerts/outputs/message_fixture.ts";
import { eventually, inOrder, opened, openedIn, OutputsPlace, receiver } from "./outputs/place.ts";
import { noRsyslog, Rsyslog } from "./outputs/rsyslog.ts";

const ALERTS = Number(Deno.env.get("SAKER_TEST_ALERTS") ?? "1500");

Deno.test("file, program, HTTP and standard output get all alerts, in order, once", async () => {
  using place = new OutputsPlace();
  await using web = receiver(() => 200);
  const { code, out, error } = await place.replayed(place.capture(0, ALERTS), [
    "stdout_output.enabled=true",
    `file_output={enabled: true, filename: ${place.file("alerts")}}`,
    `program_output={enabled: true, keep_alive: true, program: cat > ${place.file("program")}}`,
    `http_output={enabled: true, url: ${web.url}}`,
  ]);
  strictEqual(code, 0, error);
  inOrder(openedIn(out), 0, ALERTS);
  inOrder(openedIn(Deno.readTextFileSync(place.file("alerts"))), 0, ALERTS);
  inOrder(web.taken, 0, ALERTS);
  await eventually("the program to have all", () => {
    return openedIn(wholeLines(place.file("program"))).length === ALERTS || undefined;
  });
  inOrder(openedIn(Deno.readTextFileSync(place.file("program"))), 0, ALERTS);
});

Deno.test("a program that is started for each alert gets all of them", async () => {
  using place = new OutputsPlace();
  const count = Math.ceil(ALERTS / 15);
  const { code, error } = await place.replayed(place.capture(0, count), [
    `program_output={enabled: true, program: cat >> ${place.file("program")}}`,
  ]);
  strictEqual(code, 0, error);
  inOrder(openedIn(Deno.readTextFileSync(place.file("program"))), 0, count);
});

const reason = noRsyslog();

Deno.test({
  name: `rsyslogd gets all alerts by every way${reason === undefined ? "" : ` (${reason})`}`,
  ignore: reason !== undefined,
  async fn() {
    using place = new OutputsPlace();
    const { certificate } = await ownCertificate(place.directory, "localhost");
    const files = { certificate: place.file("certificate.pem"), key: place.file("key.pem") };
    ok(certificate.includes("BEGIN CERTIFICATE"));
    await using daemon = await Rsyslog.start(place.directory, files);
    const capture = place.capture(0, ALERTS);
    const ways: [address: string, input: string, facility: string, pri: number][] = [
      [daemon.local, "imuxsock", "user", 13],
      [`udp://127.0.0.1:${daemon.udp}`, "imudp", "local0", 133],
      [`tcp://127.0.0.1:${daemon.tcp}`, "imptcp", "local0", 133],
      [`tls://localhost:${daemon.tls}`, "imtcp", "local0", 133],
    ];
    for (const [address, input, facility, pri] of ways) {
      // The kernel drops datagrams of UDP that come faster than they are read.
      const few = input === "imudp";
      const { code, error } = await place.replayed(few ? place.capture(0, 50) : capture, [
        `syslog_output={enabled: true, address: "${address}", facility: ${facility}, ` +
        `ca_cert: ${files.certificate}}`,
      ]);
      strictEqual(code, 0, `${address}: ${error}`);
      const count = few ? 50 : ALERTS;
      const lines = await eventually(`all by ${input}`, () => {
        const lines = daemon.received(input);
        return lines.length >= count ? lines : undefined;
      });
      inOrder(lines.map(opened), 0, count);
      match(lines[0]!, new RegExp(`^${pri} ${input} saker `));
    }
  },
});

/** A web server of another language that wants a certificate of who asks. */
const MUTUAL = `
import http.server, ssl, sys
class Taker(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with open(sys.argv[3], "ab") as file: file.write(body + b"\\n")
        self.send_response(200); self.send_header("Content-Length", "0"); self.end_headers()
    def log_message(self, *args): pass
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
context.verify_mode = ssl.CERT_REQUIRED
context.load_verify_locations(sys.argv[1])
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Taker)
server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_address[1], flush=True)
server.serve_forever()
`;

Deno.test("HTTPS with certificates of both sides", async () => {
  using place = new OutputsPlace();
  await ownCertificate(place.directory, "localhost");
  const [certificate, key] = [place.file("certificate.pem"), place.file("key.pem")];
  const server = new Deno.Command("python3", {
    args: ["-c", MUTUAL, certificate, key, place.file("taken")],
    stdout: "piped",
    stderr: "null",
  }).spawn();
  try {
    const reader = server.stdout.getReader();
    const { value } = await reader.read();
    const url = `https://localhost:${new TextDecoder().decode(value).trim()}/`;
    const few = place.capture(0, 20);
    const tls = `ca_cert: ${certificate}, client_cert: ${certificate}, client_key: ${key}`;
    const without = await place.replayed(few, [
      `http_output={enabled: true, url: "${url}", ca_cert: ${certificate}}`,
      "output_timeout=300",
    ]);
    match(without.error, /Cannot write alerts to http_output.url localhost:\d+: .*certificate/i);
    for (const insecure of [false, true]) {
      // Who trusts everybody opens a connection for each alert.
      const count = Math.ceil(ALERTS / (insecure ? 50 : 5));
      const { code, error } = await place.replayed(place.capture(0, count), [
        `http_output={enabled: true, url: "${url}", mtls: true, insecure: ${insecure}, ${tls}}`,
      ]);
      strictEqual(code, 0, error);
      deepStrictEqual(error.includes("Cannot write"), false, error);
      inOrder(openedIn(Deno.readTextFileSync(place.file("taken"))), 0, count);
      Deno.removeSync(place.file("taken"));
    }
    await reader.cancel();
  } finally {
    server.kill("SIGTERM");
    await server.status;
  }
});

/** What a writer may still be within. */
function wholeLines(path: string): string {
  const text = Deno.readTextFileSync(path);
  return text.slice(0, text.lastIndexOf("\n") + 1);
}
