// Where live metadata of pods comes from: what the cluster tells goes into the stream of events,
// and news of a container wait for those of its pod, so that an alert shows both.
import type { Cluster, ClusterState } from "../../../bindings-rs/cluster.d.ts";
import type { BlockBuffer } from "../../events/scap/block_buffer.ts";
import { putCluster } from "../../events/scap/state_events.ts";

/** News taken at once; more wait for the next look. */
const NEWS_MAX = 256;
/** Pods that are known to be told of; a node has a few hundred. */
const PODS_MAX = 8_192;
/** News of containers that wait; more go on without waiting. */
const WAITING_MAX = 1_024;
const POD_UID = /"io\.kubernetes\.pod\.uid":"([^"\\]{1,128})"/;

interface Waiting {
  readonly json: string;
  readonly podUid: string;
  readonly untilMs: number;
}

export class ClusterSource {
  readonly #cluster: Pick<Cluster, "take" | "state">;
  /** How many news wait: the addon keeps it, so that a batch without news costs no call. */
  readonly #news: Uint32Array;
  /** News of a container wait so long. */
  readonly #waitMs: number;
  readonly #pods = new Set<string>();
  #waiting: Waiting[] = [];

  constructor(
    cluster: Pick<Cluster, "take" | "state" | "lend">,
    news: Uint32Array,
    waitMs: number,
  ) {
    cluster.lend(news);
    this.#cluster = cluster;
    this.#news = news;
    this.#waitMs = waitMs;
  }

  get isWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  /** `take` and `released` would have nothing. */
  get isQuiet(): boolean {
    return this.#news[0] === 0 && this.#waiting.length === 0;
  }

  state(): ClusterState {
    return this.#cluster.state();
  }

  /** News of the cluster, as JSON of `k8s` events. */
  take(out: () => BlockBuffer, time: bigint): void {
    for (const json of this.#news[0] === 0 ? NONE : this.#cluster.take(NEWS_MAX)) {
      putCluster(out(), time, json);
      const { kind, reason, uid, static_uid } = JSON.parse(json) as Record<string, string>;
      if (kind !== "Pod") continue;
      for (const one of [uid, static_uid]) {
        if (one === undefined) continue;
        if (reason === "Delete") this.#pods.delete(one);
        else if (this.#pods.size < PODS_MAX) this.#pods.add(one);
      }
    }
  }

  /** Whether the JSON of a container is kept until there is news of its pod. */
  keeps(json: string, nowMs: number): boolean {
    const podUid = POD_UID.exec(json)?.[1];
    if (podUid === undefined || this.#pods.has(podUid)) return false;
    if (this.#waiting.length >= WAITING_MAX || !this.#isExpected()) return false;
    this.#waiting.push({ json, podUid, untilMs: nowMs + this.#waitMs });
    return true;
  }

  /** JSON of the containers that need not wait any more, in the order in which they came. `late`:
   * whether an alert of that container can wait no longer. */
  released(nowMs: number, late: (json: string) => boolean): readonly string[] {
    if (this.#waiting.length === 0) return NONE;
    const isExpected = this.#isExpected();
    const released: string[] = [];
    this.#waiting = this.#waiting.filter((one) => {
      const isOver = !isExpected || one.untilMs <= nowMs || this.#pods.has(one.podUid) ||
        late(one.json);
      if (isOver) released.push(one.json);
      return !isOver;
    });
    return released;
  }

  /** Whether there may be news: the cluster answers, or has only begun to be asked. */
  #isExpected(): boolean {
    const { up, tried } = this.#cluster.state();
    return up || !tried;
  }
}

const NONE: readonly string[] = [];
