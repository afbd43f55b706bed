// What a service manager hears: a real datagram socket stands for it.
import { deepStrictEqual, match, strictEqual } from "node:assert";
import { Counter, Counters } from "../../engine/contract/counters.ts";
import { startService } from "./service.ts";

/** A socket of a manager, and what it heard. */
class NotifySocket implements Disposable {
  readonly directory = Deno.makeTempDirSync();
  readonly path = `${this.directory}/notify`;
  readonly #socket = Deno.listenDatagram({ transport: "unixpacket", path: this.path });

  async next(): Promise<string> {
    const [bytes] = await this.#socket.receive();
    return new TextDecoder().decode(bytes);
  }

  [Symbol.dispose](): void {
    this.#socket.close();
    Deno.removeSync(this.directory, { recursive: true });
  }
}

function serviceOf(variables: Record<string, string>, counters = new Counters()) {
  const warnings: string[] = [];
  const service = startService({
    environment: (name) => variables[name],
    pid: 42,
    sight: { counters, countForks: () => undefined },
    warn: (line) => warnings.push(line),
  });
  return { service, warnings };
}

Deno.test("a manager hears of start, reloads and end", async () => {
  using manager = new NotifySocket();
  const { service } = serviceOf({ NOTIFY_SOCKET: manager.path });
  service.ready("81 rules\nEXTRA=1");
  strictEqual(await manager.next(), "READY=1\nMAINPID=42\nSTATUS=81 rules EXTRA=1");
  service.reloading();
  match(await manager.next(), /^RELOADING=1\n/);
  service.reloaded("82 rules");
  strictEqual(await manager.next(), "READY=1\nSTATUS=82 rules");
  service.stopping();
  strictEqual(await manager.next(), "STOPPING=1");
  service.close();
});

Deno.test("who watches hears of a saker that sees, and no more of a blind one", async () => {
  using manager = new NotifySocket();
  const counters = new Counters();
  const variables = {
    NOTIFY_SOCKET: manager.path,
    WATCHDOG_USEC: "20000",
    WATCHDOG_PID: "42",
  };
  const { service } = serviceOf(variables, counters);
  strictEqual(await manager.next(), "WATCHDOG=1");
  strictEqual(await manager.next(), "WATCHDOG=1");
  // Its programs are detached: it is blind.
  counters.set(Counter.StartedMs, 1);
  counters.set(Counter.ProgramsWanted, 3);
  counters.set(Counter.ProgramsDetached, 1);
  const heard: string[] = [];
  const until = Date.now() + 300;
  for (;;) {
    service.stopping();
    const one = await manager.next();
    heard.push(one);
    if (one === "STOPPING=1" && Date.now() > until) break;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  // What was under way when it went blind may still come.
  strictEqual(heard.slice(5).includes("WATCHDOG=1"), false);
  service.close();
});

Deno.test("nobody is told where nobody asks, another process is meant, or there is no way", () => {
  for (const variables of [{}, { NOTIFY_SOCKET: "" }]) {
    const { service, warnings } = serviceOf(variables);
    service.ready("x");
    service.close();
    deepStrictEqual(warnings, []);
  }
  const { warnings } = serviceOf({ NOTIFY_SOCKET: "@abstract" });
  match(warnings[0]!, /^Warning: Cannot tell the service manager at @abstract: only sockets/);
});
