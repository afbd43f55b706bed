// What a service manager is told (sd_notify(3)): that saker is ready, reads its configuration anew,
// ends, and, as long as it sees, that it is alive. A saker that has gone blind says nothing more,
// so that the manager ends and starts it again (WatchdogSec=).
import type { Counters } from "../../engine/contract/counters.ts";
import { Sight, type SightOptions } from "../../server/sight.ts";
import { reasonOf } from "../../files/reason.ts";

export interface Service {
  ready(status: string): void;
  reloading(): void;
  /** The reload is over, whatever came of it. */
  reloaded(status: string): void;
  stopping(): void;
  /** Ends what it does by itself. */
  close(): void;
}

export interface ServiceOptions {
  readonly environment: (name: string) => string | undefined;
  readonly pid: number;
  readonly sight: Pick<SightOptions, "countForks"> & { readonly counters: Counters };
  readonly warn: (line: string) => void;
}

const NOBODY: Service = {
  ready() {},
  reloading() {},
  reloaded() {},
  stopping() {},
  close() {},
};
/** How often it is looked whether saker sees. */
const LOOK_MS = 1_000;

/** Tells nobody where nobody asked for it. */
export function startService(options: ServiceOptions): Service {
  const path = options.environment("NOTIFY_SOCKET");
  if (path === undefined || path === "") return NOBODY;
  const send = sender(path, options.warn);
  if (send === undefined) return NOBODY;
  const timers = startWatchdog(options, () => send("WATCHDOG=1"));
  return {
    ready: (status) => send(`READY=1\nMAINPID=${options.pid}\nSTATUS=${oneLine(status)}`),
    reloading: () => send("RELOADING=1\nSTATUS=Reads configuration and rules anew"),
    reloaded: (status) => send(`READY=1\nSTATUS=${oneLine(status)}`),
    stopping: () => send("STOPPING=1"),
    close: () => timers.forEach((timer) => clearInterval(timer)),
  };
}

/** One datagram after the other; what cannot be sent is told once. */
function sender(
  path: string,
  warn: ServiceOptions["warn"],
): ((state: string) => void) | undefined {
  let told = false;
  const fail = (error: unknown) => {
    if (!told) warn(`Warning: Cannot tell the service manager at ${path}: ${reasonOf(error)}`);
    told = true;
  };
  if (!path.startsWith("/")) {
    fail(new Error("only sockets of the file system can be reached from here"));
    return undefined;
  }
  const encoder = new TextEncoder();
  let before: Promise<unknown> = Promise.resolve();
  return (state) => {
    before = before.then(async () => {
      // An empty path: the kernel gives the socket a name that no file has.
      const socket = Deno.listenDatagram({ transport: "unixpacket", path: "" });
      try {
        await socket.send(encoder.encode(state), { transport: "unixpacket", path });
      } finally {
        socket.close();
      }
    }).catch(fail);
  };
}

/** Twice as often as it is asked for, while there is no reason to be blind. */
function startWatchdog(
  { environment, pid, sight }: ServiceOptions,
  alive: () => void,
): readonly number[] {
  const usec = Number(environment("WATCHDOG_USEC") ?? NaN);
  const whose = environment("WATCHDOG_PID");
  if (!(usec > 0) || (whose !== undefined && whose !== "" && Number(whose) !== pid)) return [];
  const looker = new Sight(sight);
  return [
    setInterval(() => looker.tick(Date.now()), LOOK_MS),
    setInterval(() => {
      if (looker.blindness() === undefined) alive();
    }, Math.max(1, Math.floor(usec / 2_000))),
  ];
}

/** A line break would begin another assignment. */
function oneLine(text: string): string {
  return text.replaceAll(/[\r\n]+/g, " ");
}
