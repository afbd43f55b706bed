// A real syslog daemon for tests, which scripts/setup has unpacked: with a configuration, sockets
// and a working directory of its own; it listens on a local socket, UDP, TCP and TLS.
import { existsSync } from "node:fs";
import { eventually, freePort } from "./place.ts";

const cache = Deno.env.get("SAKER_CACHE") ?? `${Deno.env.get("HOME") ?? ""}/.cache/saker`;
const ROOT = `${cache}/tools/rsyslog`;
const LIBRARIES = `${ROOT}/usr/lib/x86_64-linux-gnu`;
const PROGRAM = `${ROOT}/usr/sbin/rsyslogd`;

/** Why it cannot be had; undefined where it can. */
export function noRsyslog(): string | undefined {
  try {
    const { success } = new Deno.Command(PROGRAM, {
      args: ["-v"],
      env: { LD_LIBRARY_PATH: LIBRARIES },
      stdout: "null",
      stderr: "null",
    }).outputSync();
    return success ? undefined : "rsyslogd does not run here";
  } catch {
    return "scripts/setup could not have rsyslog";
  }
}

export interface Tls {
  readonly certificate: string;
  readonly key: string;
}

export class Rsyslog implements AsyncDisposable {
  readonly local: string;
  readonly udp = freePort();
  readonly tcp = freePort();
  readonly tls = freePort();
  readonly #file: string;
  readonly #directory: string;
  #child: Deno.ChildProcess;

  private constructor(directory: string, { certificate, key }: Tls) {
    this.local = `${directory}/log`;
    this.#directory = directory;
    this.#file = `${directory}/received`;
    const driver = 'StreamDriver.Name="gtls" StreamDriver.Mode="1" StreamDriver.AuthMode="anon"';
    Deno.writeTextFileSync(
      `${directory}/rsyslog.conf`,
      `
global(workDirectory="${directory}" maxMessageSize="64k" net.enableDNS="off"
  defaultNetstreamDriverCAFile="${certificate}"
  defaultNetstreamDriverCertFile="${certificate}" defaultNetstreamDriverKeyFile="${key}")
module(load="imuxsock" SysSock.Use="off")
module(load="imudp")
module(load="imptcp")
module(load="imtcp" ${driver})
input(type="imuxsock" Socket="${this.local}")
input(type="imudp" address="127.0.0.1" port="${this.udp}")
input(type="imptcp" address="127.0.0.1" port="${this.tcp}")
input(type="imtcp" address="127.0.0.1" port="${this.tls}")
template(name="line" type="string" string="%pri% %inputname% %programname% %msg%\\n")
action(type="omfile" file="${this.#file}" template="line")
`,
    );
    this.#child = this.#spawn();
  }

  #spawn(): Deno.ChildProcess {
    return new Deno.Command(PROGRAM, {
      args: [
        ...["-n", "-f", `${this.#directory}/rsyslog.conf`, "-i", `${this.#directory}/pid`],
        ...["-M", `${LIBRARIES}/rsyslog`],
      ],
      env: { LD_LIBRARY_PATH: LIBRARIES },
      stdout: "null",
      stderr: "null",
    }).spawn();
  }

  static async start(directory: string, tls: Tls): Promise<Rsyslog> {
    const daemon = new Rsyslog(directory, tls);
    await daemon.#listens();
    return daemon;
  }

  async #listens(): Promise<void> {
    await eventually("rsyslogd to listen", () => existsSync(this.local) || undefined);
    for (const port of [this.tcp, this.tls]) await reached(port);
  }

  /** Ends it, in the middle of whatever it is sent. */
  async end(): Promise<void> {
    this.#child.kill("SIGTERM");
    await this.#child.status;
    for (const path of [this.local, `${this.#directory}/pid`]) {
      if (existsSync(path)) Deno.removeSync(path);
    }
  }

  /** Starts it after that, at the same places; what it had received is still there. */
  async again(): Promise<void> {
    this.#child = this.#spawn();
    await this.#listens();
  }

  /** What it has written so far. */
  bytes(): number {
    return existsSync(this.#file) ? Deno.statSync(this.#file).size : 0;
  }

  /** Lines that came by that input: `priority inputname program message`. */
  received(input: string): string[] {
    let text: string;
    try {
      text = Deno.readTextFileSync(this.#file);
    } catch {
      return [];
    }
    const lines = text.slice(0, text.lastIndexOf("\n") + 1).split("\n").slice(0, -1);
    return lines.filter((line) => line.split(" ")[1] === input);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGTERM");
    await this.#child.status;
  }
}

async function reached(port: number): Promise<void> {
  await eventually("rsyslog to listen", async () => {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return true;
    } catch {
      return undefined;
    }
  });
}
