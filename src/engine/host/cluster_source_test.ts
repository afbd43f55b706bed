// News of containers and of their pods: which wait for which, and how long.
import { deepStrictEqual, strictEqual } from "node:assert";
import type { ClusterState } from "../../../bindings-rs/cluster.d.ts";
import { BlockBuffer } from "../../events/scap/block_buffer.ts";
import { ClusterSource } from "./cluster_source.ts";

const CONTAINER = JSON.stringify({
  container: { full_id: "c1", labels: { "io.kubernetes.pod.uid": "p1" } },
});
const POD = JSON.stringify({ reason: "Update", uid: "p1", kind: "Pod", static_uid: "hash" });

function source(state: Partial<ClusterState>) {
  const news: string[] = [];
  const now = { up: true, tried: true, ...state } as ClusterState;
  let words: Uint32Array = new Uint32Array();
  const cluster = {
    take: () => news.splice(0),
    state: () => now,
    lend: (lent: Uint32Array) => void (words = lent),
  };
  const made = new ClusterSource(cluster, new Uint32Array(1), 500);
  const out = new BlockBuffer(1024);
  const take = () => {
    words[0] = news.length;
    made.take(() => out, 0n);
  };
  return { made, news, now, take, out };
}

const never = () => false;

Deno.test("a container's news wait for those of its pod", () => {
  const { made, news, take, out } = source({});
  strictEqual(made.keeps(CONTAINER, 1000), true);
  strictEqual(made.isWaiting, true);
  deepStrictEqual(made.released(1499, never), []);
  news.push(POD);
  take();
  strictEqual(out.bytes.length > 0, true);
  deepStrictEqual(made.released(1499, never), [CONTAINER]);
  strictEqual(made.isWaiting, false);
  strictEqual(made.keeps(CONTAINER, 1500), false);
  news.push('{"reason":"Delete","uid":"p1","kind":"Pod"}');
  take();
  strictEqual(made.keeps(CONTAINER, 1600), true);
});

Deno.test("they wait no longer than alerts do, and not for a cluster that does not answer", () => {
  const late = source({});
  strictEqual(late.made.keeps(CONTAINER, 1000), true);
  deepStrictEqual(late.made.released(1500, never), [CONTAINER]);
  const due = source({});
  due.made.keeps(CONTAINER, 1000);
  deepStrictEqual(due.made.released(1001, (json) => json.includes('"c1"')), [CONTAINER]);
  const down = source({ up: false });
  strictEqual(down.made.keeps(CONTAINER, 1000), false);
  const begun = source({ up: false, tried: false });
  strictEqual(begun.made.keeps(CONTAINER, 1000), true);
  (begun.now as { tried: boolean }).tried = true;
  deepStrictEqual(begun.made.released(1001, never), [CONTAINER]);
});

Deno.test("a container of no pod does not wait, nor one of a pod of the node's files", () => {
  const { made, news, take } = source({});
  strictEqual(made.keeps('{"container":{"labels":{}}}', 1000), false);
  news.push(POD);
  take();
  strictEqual(made.keeps(CONTAINER.replace("p1", "hash"), 1000), false);
});
