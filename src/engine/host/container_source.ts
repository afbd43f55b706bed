// Where live metadata of containers and pods comes from: new ids are asked about, what the runtimes
// and the cluster tell and what they will not tell in time goes into the stream of events, as
// Falco's container and k8s events do.
import type {
  RuntimeNews,
  Runtimes,
  RuntimeState,
  RuntimeTotals,
} from "../../../bindings-rs/runtimes.d.ts";
import { BlockBuffer } from "../../events/scap/block_buffer.ts";
import { CONTAINER_UNKNOWN, putContainer } from "../../events/scap/state_events.ts";
import type { AwaitedContainers } from "../../state/tables/awaited_containers.ts";
import { shortId } from "../../state/tables/cgroup_owner.ts";
import type { ClusterSource } from "./cluster_source.ts";

export interface ContainerSourceParts {
  readonly runtimes: Runtimes;
  /** Absent: no cluster is asked. */
  readonly cluster?: ClusterSource;
  readonly awaited: AwaitedContainers;
  /** How many news wait: the addon keeps it, so that a batch without news costs no call. */
  readonly news: Uint32Array;
  /** An alert waits so long for what is known of its container. */
  readonly waitMs: number;
  /** Called where containers are new. */
  readonly begun?: () => void;
  /** Called about once a second with how the sockets stand. */
  readonly told: (states: readonly RuntimeState[], totals: RuntimeTotals) => void;
}

/** News taken at once; more wait for the next look. */
const NEWS_MAX = 64;
/** JSON of one container that an event takes; what is longer is left out, and the id unknown. */
const JSON_BYTES_MAX = 400_000;
const TOLD_MS = 1_000;
/** While alerts wait, the engine looks for news this often. */
export const WAITING_MS = 5;

export class ContainerSource {
  readonly #parts: ContainerSourceParts;
  /** In the order in which they end. */
  readonly #waits: { readonly id: string; readonly untilMs: number }[] = [];
  #toldAtMs = 0;

  constructor(parts: ContainerSourceParts) {
    this.#parts = parts;
    parts.runtimes.lend(parts.news);
    parts.awaited.enabled = true;
  }

  get isWaiting(): boolean {
    return this.#waits.length > 0 || this.#parts.cluster?.isWaiting === true;
  }

  /** Asks about what is new; blocks of events that tell what has become known. Asked at each
   * waking of the engine, of which hardly one finds anything. */
  take(nowMs: number): Uint8Array | undefined {
    return this.#isQuiet(nowMs) ? undefined : this.#take(nowMs);
  }

  #isQuiet(nowMs: number): boolean {
    const { awaited, cluster, news } = this.#parts;
    return news[0] === 0 && awaited.isQuiet && this.#waits.length === 0 &&
      cluster?.isQuiet !== false && nowMs - this.#toldAtMs < TOLD_MS;
  }

  #take(nowMs: number): Uint8Array | undefined {
    const { runtimes, cluster, awaited, waitMs, told, news } = this.#parts;
    const fresh = awaited.takeFresh();
    for (const id of fresh) runtimes.ask(id);
    if (fresh.length > 0) this.#parts.begun?.();
    // Since the first alert: a container may be made long before it runs anything.
    for (const id of awaited.takeHeld()) this.#waits.push({ id, untilMs: nowMs + waitMs });
    if (nowMs - this.#toldAtMs >= TOLD_MS) {
      this.#toldAtMs = nowMs;
      told(runtimes.state(), runtimes.totals());
    }
    const late = this.#late(nowMs);
    let made: BlockBuffer | undefined;
    const out = () => made ??= new BlockBuffer(4096);
    const time = BigInt(nowMs) * 1_000_000n;
    // First, so that a container finds its pod.
    cluster?.take(out, time);
    for (const { kind, text } of news[0] === 0 ? NONE : runtimes.take(NEWS_MAX)) {
      if (kind === 0 && text.length < JSON_BYTES_MAX) {
        if (cluster?.keeps(text, nowMs) !== true) putContainer(out(), time, text);
      } else if (kind === 1) putContainer(out(), time, idOnly(text), "container_removed");
      else if (kind === 2) putContainer(out(), time, idOnly(text), CONTAINER_UNKNOWN);
    }
    const isLate = (json: string) => late.some((id) => json.includes(`"full_id":"${id}"`));
    for (const json of cluster?.released(nowMs, isLate) ?? []) putContainer(out(), time, json);
    for (const id of late) putContainer(out(), time, idOnly(id), CONTAINER_UNKNOWN);
    return made?.bytes;
  }

  /** Ids whose alerts can wait no longer. */
  #late(nowMs: number): readonly string[] {
    const { awaited } = this.#parts;
    const late: string[] = [];
    while (this.#waits.length > 0) {
      const { id, untilMs } = this.#waits[0]!;
      if (awaited.has(id) && untilMs > nowMs) break;
      this.#waits.shift();
      if (awaited.has(id)) late.push(id);
    }
    return late;
  }
}

const NONE: readonly RuntimeNews[] = [];

function idOnly(fullId: string): string {
  return JSON.stringify({ container: { id: shortId(fullId), full_id: fullId } });
}
