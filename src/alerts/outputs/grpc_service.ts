// The gRPC server as long as its configuration holds: alerts go in, whether it listens or not;
// where its address cannot be had it is tried again, and what its clients miss is told.
import type { GrpcAlert, GrpcServer } from "../../engine/host/addon.ts";
import { PRIORITY_NAMES } from "../../rules/priority.ts";
import type { ReadersStats } from "../stats.ts";

/** What somebody should know of it: each is told once until it has changed. */
export type GrpcEvent =
  | { readonly kind: "listening"; readonly port: number }
  | { readonly kind: "not listening"; readonly reason: string }
  | { readonly kind: "dropping" }
  /** Nobody misses alerts any more; so many were dropped, by priority. */
  | { readonly kind: "dropped"; readonly byPriority: readonly number[] };

export interface GrpcServiceOptions {
  readonly server: GrpcServer;
  /** The server before it is gone then. */
  readonly after?: Promise<void> | undefined;
  readonly onEvent: (event: GrpcEvent) => void;
}

const AGAIN_MS = 10_000;
/** How often it is looked whether clients miss alerts. */
const LOOK_MS = 1_000;
/** What streams have for their last words, and how often it is looked. */
const END_MS = 800;
const END_LOOK_MS = 10;
/** Clients read megabytes ahead, and take nothing while they work through that. */
const CLIENT_MS = 10_000;
/** Pauses between looks at clients that are waited for: short at first. */
const SETTLE_MS_MAX = 20;

export class GrpcService {
  readonly #server: GrpcServer;
  readonly #onEvent: GrpcServiceOptions["onEvent"];
  readonly #timers: number[];
  /** Why it does not listen; undefined where it does. */
  #problem: string | undefined = "it is about to listen";
  #isTold = false;
  #isMissing = false;
  #toldDropped: readonly number[] = PRIORITY_NAMES.map(() => 0);
  #ended: Promise<void> | undefined;

  constructor({ server, after, onEvent }: GrpcServiceOptions) {
    this.#server = server;
    this.#onEvent = onEvent;
    this.#timers = [
      setInterval(() => this.#listen(), AGAIN_MS),
      setInterval(() => this.#look(), LOOK_MS),
    ];
    if (after === undefined) this.#listen();
    else after.then(() => this.#listen());
  }

  /** Takes alerts; never waits. */
  push(alerts: GrpcAlert[]): void {
    this.#server.push(alerts);
  }

  /** Settles when no client has alerts waiting, but for such that take none for so long, or for
   * CLIENT_MS where that is longer. */
  async settled(patienceMs: number): Promise<void> {
    const clientMs = Math.max(patienceMs, CLIENT_MS);
    for (let ms = 1; !this.#server.settled(clientMs); ms = Math.min(2 * ms, SETTLE_MS_MAX)) {
      await pause(ms);
    }
  }

  stats(): ReadersStats {
    const state = this.#server.state();
    return {
      waiting: state.waiting,
      written: state.sent,
      droppedByPriority: state.dropped,
      ...this.#trouble(state),
      clients: {
        open: state.clients,
        opened: state.opened,
        refused: state.refused,
        connections: state.connections,
        connections_refused: state.connectionsRefused,
      },
    };
  }

  /** Ends all streams, and with them the server; what still waits is dropped and counted. */
  end(): Promise<void> {
    return this.#ended ??= this.#end();
  }

  #trouble({ missed, clients }: ReturnType<GrpcServer["state"]>): Pick<ReadersStats, "trouble"> {
    if (this.#problem !== undefined) {
      return { trouble: { state: "failing", reason: this.#problem } };
    }
    if (missed === 0) return {};
    const reason = clients === 0
      ? `there is no client, and more alerts than may wait for one: ${missed} were dropped`
      : `a client reads too slowly: ${missed} alerts were dropped for it`;
    return { trouble: { state: "slow", reason } };
  }

  #listen(): void {
    if (this.#problem === undefined || this.#ended !== undefined) return;
    try {
      const port = this.#server.listen();
      this.#problem = undefined;
      this.#onEvent({ kind: "listening", port });
    } catch (error) {
      const reason = this.#problem = (error as Error).message;
      if (!this.#isTold) this.#onEvent({ kind: "not listening", reason });
      this.#isTold = true;
    }
  }

  #look(): void {
    const { missed, dropped } = this.#server.state();
    if (missed > 0 && !this.#isMissing) this.#onEvent({ kind: "dropping" });
    if (missed === 0 && this.#isMissing) this.#tellDropped(dropped);
    this.#isMissing = missed > 0;
  }

  #tellDropped(dropped: readonly number[]): void {
    const byPriority = dropped.map((count, at) => count - this.#toldDropped[at]!);
    this.#toldDropped = dropped;
    this.#onEvent({ kind: "dropped", byPriority });
  }

  async #end(): Promise<void> {
    this.#timers.forEach((timer) => clearInterval(timer));
    this.#server.close();
    const untilMs = performance.now() + END_MS;
    while (!this.#server.state().ended && performance.now() < untilMs) await pause(END_LOOK_MS);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
