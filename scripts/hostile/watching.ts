// A saker that watches while its web server, its signals and its rules file are abused: it still
// answers, still sees, still ends. In: a seed and how much. Out: what was wrong.
import { eventually, freePort, PATIENCE_MS } from "../../tests/patience.ts";
import type { Chance } from "./chance.ts";
import { peakOf, textFault } from "./trial.ts";

export interface WatchOptions {
  readonly saker: string;
  readonly directory: string;
  readonly chance: Chance;
  readonly requests: number;
  readonly megabytes: number;
}

/** More than the web server keeps open. */
const AT_ONCE = 100;

export interface Watched {
  /** One for each thing that was tried; undefined where all was well. */
  readonly faults: readonly (readonly [what: string, fault: string | undefined])[];
  readonly seconds: number;
  readonly megabytes: number;
}

export async function abuse(options: WatchOptions): Promise<Watched> {
  const { saker, directory, chance, requests, megabytes } = options;
  const startedMs = performance.now();
  const port = freePort();
  const rules = `${directory}/watched.yaml`;
  const secret = `${directory}/secret`;
  Deno.writeTextFileSync(secret, "");
  const writeRules = (name: string) => Deno.writeTextFileSync(rules, ruleNamed(name, secret));
  writeRules("first");
  const child = new Deno.Command(saker, {
    args: ["--listen", `127.0.0.1:${port}`, "-r", rules],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const faults: [string, string | undefined][] = [];
  let alerts = 0;
  const reading = (async () => {
    for await (const bytes of child.stdout) {
      for (const byte of bytes) if (byte === 10) alerts++;
    }
  })();
  const told = new Response(child.stderr).text();
  const sees = async () => {
    const before = alerts;
    return await until(async () => {
      await Deno.readTextFile(secret);
      return alerts > before;
    });
  };
  const isWell = () => until(async () => (await healthOf(port)) === 200);
  faults.push(["starts", await isWell() ? undefined : "it is never well"]);

  // Many at once, as those who mean harm do it: one that holds its connection is cut off late.
  for (let count = 0; count < requests; count += AT_ONCE) {
    await Promise.all(Array.from({ length: AT_ONCE }, () => hostileRequest(port, chance)));
  }
  faults.push([`answers after ${requests} requests`, await isWell() ? undefined : "no answer"]);
  faults.push(["sees after requests", await sees() ? undefined : "no alert"]);

  const held = await holdConnections(port, Math.min(requests, 500));
  faults.push(["answers beside idle connections", await isWell() ? undefined : "no answer"]);
  faults.push(["sees beside idle connections", await sees() ? undefined : "no alert"]);
  for (const conn of held) close(conn);

  for (let count = 0; count < 30; count++) {
    child.kill(chance.of(["SIGHUP", "SIGUSR1", "SIGHUP"] as const));
    if (chance.below(3) === 0) writeRules(`name ${count}`);
    if (chance.below(5) === 0) Deno.writeFileSync(rules, chance.damaged(Deno.readFileSync(rules)));
    await pause(chance.below(20));
  }
  writeRules("last");
  child.kill("SIGHUP");
  faults.push(["sees after signals", await sees() ? undefined : "no alert"]);
  const peak = peakOf(child.pid);
  faults.push([
    "keeps within its memory",
    peak <= megabytes ? undefined : `${Math.round(peak)} MB of ${megabytes}`,
  ]);
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), PATIENCE_MS);
  const { code, signal } = await child.status;
  clearTimeout(timer);
  await reading;
  const isEnd = code === 0 && signal === null;
  faults.push(["ends when asked", isEnd ? undefined : `code ${code}, signal ${signal}`]);
  faults.push(["speaks in words", textFault(await told)]);
  return { faults, seconds: (performance.now() - startedMs) / 1000, megabytes: peak };
}

function ruleNamed(name: string, path: string): string {
  return `- rule: ${name}\n  desc: d\n  output: o\n  priority: WARNING\n` +
    `  condition: evt.type in (open, openat, openat2) and fd.name = ${path}\n`;
}

/** Beginnings and whole requests that no browser sends. */
const REQUESTS = [
  "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
  "GET /healthz HTTP/1.1\r\nHost: evil.example\r\n\r\n",
  "GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
  "POST /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\nx",
  "GET /healthz HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nfffffffff\r\n",
  "GET //evil/../../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n",
  "OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n",
  "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
  "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
  "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: " + "y".repeat(9000),
  "GET /%00%ff%zz HTTP/1.1\r\nHost: localhost\r\n\r\n",
  "GET /healthz HTTP/1.1\nHost: localhost\n\n",
];

async function hostileRequest(port: number, chance: Chance): Promise<void> {
  const text = new TextEncoder().encode(chance.of(REQUESTS));
  const bytes = chance.below(2) === 0 ? text : chance.damaged(text);
  try {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port });
    await conn.write(bytes);
    if (chance.below(2) === 0) await conn.read(new Uint8Array(4096));
    conn.close();
  } catch {
    // It was cut off, which is its right.
  }
}

async function holdConnections(port: number, count: number): Promise<Deno.Conn[]> {
  const held: Deno.Conn[] = [];
  for (let at = 0; at < count; at++) {
    try {
      held.push(await Deno.connect({ hostname: "127.0.0.1", port }));
    } catch {
      // As above.
    }
  }
  return held;
}

async function healthOf(port: number): Promise<number | undefined> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/healthz`);
    await response.body?.cancel();
    return response.status;
  } catch {
    return undefined;
  }
}

async function until(test: () => Promise<boolean>): Promise<boolean> {
  return await eventually("it", async () => await test() || undefined).catch(() => false);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function close(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch {
    // It is closed already.
  }
}
