// Hosts that are none: connections to a nats-server that publish what sakers would, in the server's
// own words, so that they cost the machine little beside what is measured. Each asks for the
// stream's answer to each alert, as a saker does.
import { hostToken } from "../../src/nats/names.ts";

/** Seconds between two presences of a host, as sakers have it where nobody says otherwise. */
export const EVERY_S = 30;
const RULES = 12;

export class SimulatedHosts {
  readonly #connections: Connection[];

  private constructor(connections: Connection[]) {
    this.#connections = connections;
  }

  /** So many connections, a few at a time. */
  static async connect(port: number, count: number): Promise<SimulatedHosts> {
    const connections: Connection[] = [];
    while (connections.length < count) {
      const wanted = Math.min(50, count - connections.length);
      const some = Array.from({ length: wanted }, () => Connection.open(port));
      connections.push(...await Promise.all(some));
    }
    return new SimulatedHosts(connections);
  }

  /** Answers of the stream so far. */
  get answered(): number {
    return this.#connections.reduce((sum, { answered }) => sum + answered, 0);
  }

  alert(host: number, number: number): void {
    const of = this.#connections[host % this.#connections.length]!;
    of.publish(`saker.alerts.${hostToken(nameOf(host))}`, alertOf(host, number), [
      ["Nats-Msg-Id", `${nameOf(host)}.${number}`],
      ["Nats-Expected-Stream", "SAKER"],
      ["Saker-Priority", "Warning"],
      ["Saker-Rule", encodeURIComponent(ruleOf(number))],
    ]);
  }

  presence(host: number): void {
    const of = this.#connections[host % this.#connections.length]!;
    of.publish(`$KV.saker_hosts.${hostToken(nameOf(host))}`, presenceOf(host), []);
  }

  /** All that was published has been written to the sockets. */
  async flushed(): Promise<void> {
    await Promise.all(this.#connections.map((connection) => connection.flushed()));
  }

  close(): void {
    for (const connection of this.#connections) connection.close();
  }
}

const encoder = new TextEncoder();

class Connection {
  readonly #conn: Deno.TcpConn;
  /** Where answers go. */
  readonly #inbox = `_INBOX.${crypto.randomUUID()}`;
  #waiting: Uint8Array[] = [];
  #writing: Promise<void> = Promise.resolve();
  #isClosed = false;
  answered = 0;

  private constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
    this.#read();
  }

  static async open(port: number): Promise<Connection> {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port });
    const connection = new Connection(conn);
    const options = { verbose: false, headers: true, no_responders: true, lang: "bench" };
    connection.#write(`CONNECT ${JSON.stringify(options)}\r\nSUB ${connection.#inbox} 1\r\n`);
    return connection;
  }

  publish(subject: string, payload: string, headers: readonly (readonly string[])[]): void {
    const body = encoder.encode(payload);
    const head = encoder.encode(
      `NATS/1.0\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`,
    );
    this.#write(`HPUB ${subject} ${this.#inbox} ${head.length} ${head.length + body.length}\r\n`);
    this.#waiting.push(head, body, CRLF);
  }

  flushed(): Promise<void> {
    return this.#writing;
  }

  close(): void {
    this.#isClosed = true;
    this.#conn.close();
  }

  #write(text: string): void {
    this.#waiting.push(encoder.encode(text));
    if (this.#waiting.length === 1) this.#writing = this.#writing.then(() => this.#flush());
  }

  async #flush(): Promise<void> {
    const all = this.#waiting;
    this.#waiting = [];
    const bytes = new Uint8Array(all.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const one of all) {
      bytes.set(one, at);
      at += one.length;
    }
    for (let from = 0; from < bytes.length;) from += await this.#conn.write(bytes.subarray(from));
  }

  /** What the server says is counted and forgotten; its pings are answered. */
  async #read(): Promise<void> {
    const buffer = new Uint8Array(64 << 10);
    const decoder = new TextDecoder();
    try {
      for (;;) {
        const read = await this.#conn.read(buffer);
        if (read === null) return;
        const text = decoder.decode(buffer.subarray(0, read));
        this.answered += text.split('"stream":"SAKER"').length - 1;
        if (text.includes("PING\r\n")) this.#write("PONG\r\n");
        if (text.includes("-ERR")) throw new Error(text);
      }
    } catch (error) {
      if (!this.#isClosed) throw error;
    }
  }
}

const CRLF = encoder.encode("\r\n");

function nameOf(host: number): string {
  return `web-${String(host).padStart(6, "0")}.example.com`;
}

function ruleOf(number: number): string {
  return `Sensitive file read by an untrusted program, ${number % RULES}`;
}

/** As long as those of the default rules are, with ten fields. */
function alertOf(host: number, number: number): string {
  const message = "Sensitive file read by an untrusted program | file=/etc/shadow process=cat " +
    "parent=bash user=root command=cat /etc/shadow container=host";
  return JSON.stringify({
    hostname: nameOf(host),
    id: `18bd3f8c2d7e0000-${number}`,
    message,
    output: `10:00:00.000000000: Warning ${message}`,
    output_fields: {
      "container.id": "host",
      "container.name": "host",
      "evt.time": 1764237600000000000,
      "evt.type": "openat",
      "fd.name": "/etc/shadow",
      "proc.cmdline": "cat /etc/shadow",
      "proc.name": "cat",
      "proc.pname": "bash",
      "proc.pid": 100000 + (number % 100000),
      "user.name": "root",
    },
    priority: "Warning",
    rule: ruleOf(number),
    source: "syscall",
    tags: ["filesystem", "mitre_credential_access"],
    time: new Date().toISOString(),
  });
}

function presenceOf(host: number): string {
  const rules = Array.from({ length: RULES }, (_, at) => [ruleOf(at), 10]);
  return JSON.stringify({
    host: nameOf(host),
    version: "0.1.0",
    state: "running",
    started: "2026-11-27T09:00:00Z",
    at: new Date().toISOString(),
    every: EVERY_S,
    engine: { kind: "modern_ebpf" },
    rules: { sum: "a".repeat(64), count: 148, rollout: null, refused: null },
    events: { seen: 1e6, lost: 0, kept_back: 0 },
    alerts: {
      total: 120,
      by_priority: { Warning: 70, Error: 50 },
      by_rule: Object.fromEntries(rules),
    },
    outputs: [{ name: "nats", state: "well", waiting: 0, dropped: 0 }],
    cpu_percent: 2.5,
    memory_bytes: 1e8,
  });
}
