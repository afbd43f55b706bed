// What is known of a cluster: by events as k8smeta makes them, sound and not, and by cgroups as
// kubelets name them.
import { deepStrictEqual, strictEqual } from "node:assert";
import { Cluster } from "./cluster.ts";
import { Strings } from "./strings.ts";

const UID = "05869489-8c7f-45dc-9abd-1b1620787bb1";

export function news(kind: string, uid: string, more: Record<string, unknown> = {}): string {
  const { meta, ...rest } = more;
  const own = { name: `name-of-${uid}`, ...(meta as object | undefined) };
  return JSON.stringify({ reason: "Create", uid, kind, meta: JSON.stringify(own), ...rest });
}

Deno.test("a cgroup's pod is known however the kubelet names it", () => {
  const strings = new Strings();
  const cluster = new Cluster(strings);
  const of = (...paths: string[]) =>
    cluster.podUidOf(strings.internText(paths.map((path) => `cpu=${path}`).join("\0")));
  const under = UID.replaceAll("-", "_");
  strictEqual(of(`/kubepods/besteffort/pod${UID}/${"a".repeat(64)}`), UID);
  strictEqual(of(`/kubepods.slice/kubepods-burstable-pod${under}.slice/x.scope`), UID);
  strictEqual(of("/", `/kubelet.slice/kubelet-kubepods-pod${under}.slice`), UID);
  const hash = "0123456789abcdef0123456789abcdef";
  strictEqual(of(`/kubepods/burstable/pod${hash}/${"b".repeat(64)}`), hash);
  strictEqual(of(`/kubepods.slice/kubepods-burstable-pod${hash}.slice/c.scope`), hash);
  strictEqual(of("/user.slice", "/podman/x"), "");
});

Deno.test("an object replaces what was known of it, and goes when it is deleted", () => {
  const cluster = new Cluster(new Strings());
  strictEqual(cluster.enabled, false);
  const refs = { resources: { Service: { list: ["s1", 7, "s2"] }, Odd: null } };
  const meta = { namespace: "shop", labels: { b: "2", a: "1", odd: {} } };
  strictEqual(
    cluster.apply(news("Pod", UID, { meta, refs, status: '{"podIP":"10.0.0.7"}' })),
    true,
  );
  const pod = cluster.pod(UID)!;
  deepStrictEqual([pod.name, pod.namespace, pod.ip], [`name-of-${UID}`, "shop", "10.0.0.7"]);
  deepStrictEqual([...pod.labels], [["a", "1"], ["b", "2"]]);
  deepStrictEqual([...pod.refs], [["Service", ["s1", "s2"]]]);
  strictEqual(cluster.get("Service", UID), undefined);
  cluster.apply(news("Pod", UID, { meta: { name: "again" } }));
  strictEqual(cluster.pod(UID)!.name, "again");
  strictEqual(cluster.size, 1);
  cluster.apply(news("Pod", "p2", { static_uid: "0123456789abcdef0123456789abcdef" }));
  strictEqual(cluster.pod("0123456789abcdef0123456789abcdef")!.uid, "p2");
  strictEqual(cluster.apply('{"reason":"Delete","uid":"p2","kind":"Pod"}'), true);
  strictEqual(cluster.pod("0123456789abcdef0123456789abcdef"), undefined);
  strictEqual(cluster.enabled, true);
});

Deno.test("what is no event of an object is passed over", () => {
  const cluster = new Cluster(new Strings());
  for (const json of ["", "[", "null", "7", "{}", '{"uid":7}', '{"reason":"Delete","uid":"x"}']) {
    strictEqual(cluster.apply(json), false, json);
  }
  for (const key of ["meta", "refs", "status", "kind", "static_uid"]) {
    for (const value of [null, 7, [], {}, "[", "null", '"x"', { resources: 7 }]) {
      cluster.apply(JSON.stringify({ uid: "x", kind: "Pod", [key]: value }));
    }
  }
  strictEqual(cluster.pod("x")!.name, "");
});

Deno.test("more objects than a bound has room for push the oldest out", () => {
  const cluster = new Cluster(new Strings());
  for (let at = 0; at < 16_400; at++) cluster.apply(news("Service", `s${at}`));
  strictEqual(cluster.size, 16_384);
  strictEqual(cluster.evicted, 16);
  strictEqual(cluster.get("Service", "s0"), undefined);
  strictEqual(cluster.get("Service", "s16399")!.uid, "s16399");
  const large = { meta: { labels: { a: "x".repeat(20 << 20) } } };
  for (const uid of ["l1", "l2", "l3", "l4"]) cluster.apply(news("Service", uid, large));
  strictEqual(cluster.get("Service", "l1"), undefined);
  strictEqual(cluster.get("Service", "l4")!.uid, "l4");
});
