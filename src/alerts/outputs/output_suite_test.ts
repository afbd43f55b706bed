// Outputs of this process and of servers that it makes itself: the suite that every output passes
// (output_suite_fixture.ts), and what is true of some of them alone.
import { deepStrictEqual, rejects, strictEqual } from "node:assert";
import { farFileOutput } from "./far_file.ts";
import { fileOutput } from "./file.ts";
import { httpOutput } from "./http.ts";
import { clientPoster, rawPoster } from "./http_post.ts";
import { otlpOutput } from "./otlp.ts";
import { otlpHttp } from "./otlp_http.ts";
import { OutputClosed, PartlyWritten } from "./output.ts";
import {
  alert,
  type Case,
  type Made,
  messageOf,
  outputsOf,
  passesSuite,
  PATIENCE_MS,
  sequences,
  until,
} from "./output_suite_fixture.ts";
import { type StandardStream, stdoutOutput } from "./stdout.ts";
import { syslogOutput } from "./syslog.ts";

/** A stream that takes few bytes at a time, as a pipe may. */
class ShortStream implements StandardStream {
  readonly isTerminal = () => false;
  readonly #decoder = new TextDecoder();
  text = "";

  write(bytes: Uint8Array): Promise<number> {
    const taken = Math.min(bytes.length, 100);
    this.text += this.#decoder.decode(bytes.subarray(0, taken), { stream: true });
    return Promise.resolve(taken);
  }
}

async function linesOf(read: () => string, lines: number): Promise<string> {
  await until(() => read().split("\n").length > lines);
  return read();
}

function webCase(): Made {
  let text = "";
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    text += `${await request.text()}\n`;
    return new Response();
  });
  const output = httpOutput({
    poster: clientPoster(`http://127.0.0.1:${server.addr.port}/`, { caCerts: [] }),
    headers: {},
    gzip: false,
    timeoutMs: 60_000,
    timeoutsMax: 0,
    now: () => 0,
  });
  return { output, arrived: () => text, end: () => server.shutdown() };
}

/** A server of OTLP in JSON; a line for each record, of what the suite looks at. */
function otlpCase(): Made {
  let text = "";
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { resourceLogs } = await request.json();
    for (const { scopeLogs } of resourceLogs) {
      for (const { attributes } of scopeLogs[0].logRecords) {
        const { value } = attributes.find(({ key }: { key: string }) => key === "seq");
        text += `{"seq":${value.intValue}}\n`;
      }
    }
    return Response.json({});
  });
  const output = otlpOutput({
    open: () =>
      Promise.resolve(otlpHttp({
        poster: rawPoster(`http://127.0.0.1:${server.addr.port}/v1/logs`, { caCerts: [] }),
        about: { version: "0", resource: {} },
        json: true,
        gzip: false,
        headers: () => ({}),
        now: () => 0,
      })),
    timeoutMs: 60_000,
  });
  return { output, arrived: () => text, end: () => server.shutdown() };
}

function syslogCase(directory: string): Made {
  const path = `${directory}/log`;
  const daemon = Deno.listenDatagram({ transport: "unixpacket", path });
  let text = "";
  const reading = (async () => {
    for await (const [bytes] of daemon) {
      const line = new TextDecoder().decode(bytes);
      text += `${line.slice(line.indexOf("{"))}\n`;
    }
  })();
  const output = syslogOutput({
    address: { kind: "local", path },
    names: { facility: 1, ident: "saker", pid: 1 },
    tls: { caCerts: [] },
    timeoutMs: 60_000,
    now: () => new Date(),
  });
  return {
    output,
    arrived: (lines) => linesOf(() => text, lines),
    async end(): Promise<void> {
      daemon.close();
      await reading;
    },
  };
}

const CASES: readonly Case[] = [
  {
    name: "stdout",
    make() {
      const stream = new ShortStream();
      return { output: stdoutOutput(stream), arrived: () => stream.text };
    },
  },
  ...[true, false].flatMap((keepAlive): Case[] =>
    [fileOutput, farFileOutput].map((open): Case => ({
      name: (keepAlive ? "file, kept open" : "file, opened for each batch") +
        (open === farFileOutput ? ", by another thread" : ""),
      make(directory) {
        const path = `${directory}/alerts.txt`;
        return {
          output: open({ path, keepAlive }),
          arrived: () => Deno.readTextFileSync(path),
        };
      },
    }))
  ),
  { name: "http", make: webCase },
  { name: "otlp", make: otlpCase },
  { name: "syslog", make: syslogCase },
];

Deno.test("stdout: a reader or terminal that has gone is told as such", async () => {
  const gone = [new Deno.errors.BrokenPipe(), Object.assign(new Error("I/O"), { code: "EIO" })];
  const failing = (error: Error, isTerminal: boolean) =>
    stdoutOutput({ write: () => Promise.reject(error), isTerminal: () => isTerminal });
  for (const error of gone) {
    const output = failing(error, true);
    await rejects(output.write([messageOf(1)]), OutputClosed);
  }
  await rejects(failing(new Error("no space"), true).write([messageOf(1)]), /no space/);
  // A disk that fails is no terminal that was closed.
  await rejects(failing(gone[1]!, false).write([messageOf(1)]), PartlyWritten);
});

Deno.test("file: a rotated file is left alone after reopening", async () => {
  const directory = Deno.makeTempDirSync();
  const path = `${directory}/alerts.txt`;
  const output = fileOutput({ path, keepAlive: true });
  await output.write([messageOf(1)]);
  Deno.renameSync(path, `${path}.1`);
  output.reopen();
  await output.write([messageOf(2)]);
  output.close();
  deepStrictEqual(sequences(Deno.readTextFileSync(`${path}.1`)), [1]);
  deepStrictEqual(sequences(Deno.readTextFileSync(path)), [2]);
  strictEqual(Deno.statSync(path).mode! & 0o777, 0o600);
  Deno.removeSync(directory, { recursive: true });
});

Deno.test("file: one that ends within a line gets a new one, whoever left it so", async () => {
  const directory = Deno.makeTempDirSync();
  const path = `${directory}/alerts.txt`;
  for (const keepAlive of [true, false]) {
    Deno.writeTextFileSync(path, '{"cut": "of');
    const output = fileOutput({ path, keepAlive });
    await output.write([messageOf(1)]);
    await output.write([messageOf(2)]);
    output.close();
    const [first, ...rest] = Deno.readTextFileSync(path).split("\n");
    strictEqual(first, '{"cut": "of');
    deepStrictEqual(sequences(rest.join("\n")), [1, 2]);
  }
  Deno.removeSync(directory, { recursive: true });
});

Deno.test("file: another thread tells why it cannot be written, and goes on", async () => {
  const directory = Deno.makeTempDirSync();
  const output = farFileOutput({ path: `${directory}/none/alerts`, keepAlive: false });
  await rejects(output.check!(), /no such file or directory/);
  const failing = [output.write([messageOf(1)]), output.check!(), output.write([messageOf(2)])];
  for (const one of failing) await rejects(one, /no such file or directory/);
  Deno.mkdirSync(`${directory}/none`);
  await output.write([messageOf(3)]);
  output.close();
  deepStrictEqual(sequences(Deno.readTextFileSync(`${directory}/none/alerts`)), [3]);
  Deno.removeSync(directory, { recursive: true });
});

Deno.test("file: a directory that is not there is told, and written to when it is", async () => {
  const directory = Deno.makeTempDirSync();
  const events: string[] = [];
  const output = fileOutput({ path: `${directory}/none/alerts`, keepAlive: false });
  const outputs = outputsOf([output], 10, (name, { kind }) => events.push(`${name} ${kind}`));
  outputs.send([alert(1)]);
  await outputs.drained(1);
  deepStrictEqual(events, ["file failed"]);
  Deno.mkdirSync(`${directory}/none`);
  outputs.reopen();
  await outputs.drained(PATIENCE_MS);
  deepStrictEqual(events, ["file failed", "file well"]);
  await outputs.close(0);
  deepStrictEqual(sequences(Deno.readTextFileSync(`${directory}/none/alerts`)), [1]);
  Deno.removeSync(directory, { recursive: true });
});

for (const one of CASES) passesSuite(one);
