// Fields of a thread's pod and of what it belongs to, from events as k8smeta makes them.
import { deepStrictEqual } from "node:assert";
import { Bench, CHILD, exec, nulList } from "../context_fixture.ts";

const UID = "05869489-8c7f-45dc-9abd-1b1620787bb1";
const NA = "<NA>";

function tell(bench: Bench, name: string, json: unknown): void {
  const data = new TextEncoder().encode(JSON.stringify(json));
  bench.apply({ id: "ASYNCEVENT_E", tid: -1, params: { plugin_id: 0, name, data } });
}

function object(kind: string, uid: string, meta: Record<string, unknown>, more = {}) {
  return { reason: "Update", uid, kind, meta: JSON.stringify({ uid, ...meta }), ...more };
}

const OBJECTS = [
  object("Namespace", "n1", { name: "shop", labels: { tier: "gold" } }),
  object("ReplicaSet", "r1", { name: "web-7f", labels: { hash: "7f" } }),
  object("Deployment", "d1", { name: "web", labels: { app: "web", team: "red" } }),
  object("Service", "s1", { name: "front", labels: { a: "1", x: "2" } }),
  object("Service", "s2", { name: "inner", labels: { a: "3" } }),
];
const LISTS = { Namespace: ["n1"], ReplicaSet: ["r1"], Deployment: ["d1"], Service: ["s1", "s2"] };
const POD = object(
  "Pod",
  UID,
  { name: "web-7f-abc", namespace: "shop", labels: { app: "web", "app.io/part": "x" } },
  {
    status: '{"podIP":"10.1.2.3"}',
    refs: {
      resources: Object.fromEntries(Object.entries(LISTS).map(([kind, list]) => [kind, { list }])),
    },
  },
);

function inCgroup(bench: Bench, path: string): void {
  const run = exec(CHILD, "cat", "/usr/bin/cat", []);
  bench.apply({ ...run, params: { ...run.params, cgroups: nulList([`cpu=${path}`]) } });
}

const OF_POD = `/kubepods/besteffort/pod${UID}/${"a".repeat(64)}`;

/** By field, what it shows. */
const SHOWN: Readonly<Record<string, string>> = {
  "k8smeta.pod.name": "web-7f-abc",
  "k8smeta.pod.uid": UID,
  "k8smeta.pod.label[app]": "web",
  "k8smeta.pod.label[app.io/part]": "x",
  "k8smeta.pod.label[nosuch]": NA,
  "k8smeta.pod.labels": "(app:web,app.io/part:x)",
  "k8smeta.pod.ip": "10.1.2.3",
  "k8smeta.ns.name": "shop",
  "k8smeta.ns.uid": "n1",
  "k8smeta.ns.label[tier]": "gold",
  "k8smeta.ns.labels": "(tier:gold)",
  "k8smeta.deployment.name": "web",
  "k8smeta.deployment.uid": "d1",
  "k8smeta.deployment.label[team]": "red",
  "k8smeta.deployment.labels": "(app:web,team:red)",
  "k8smeta.svc.name": "(front,inner)",
  "k8smeta.svc.uid": "(s1,s2)",
  "k8smeta.svc.label[a]": "(1,3)",
  "k8smeta.svc.label[x]": "(2)",
  "k8smeta.svc.label[nosuch]": NA,
  "k8smeta.svc.labels": "(a:1,x:2,a:3)",
  "k8smeta.rs.name": "web-7f",
  "k8smeta.rs.uid": "r1",
  "k8smeta.rs.label[hash]": "7f",
  "k8smeta.rs.labels": "(hash:7f)",
  "k8smeta.rc.name": NA,
  "k8smeta.rc.uid": NA,
  "k8smeta.rc.label[a]": NA,
  "k8smeta.rc.labels": NA,
};

function shown(bench: Bench): Record<string, string> {
  return Object.fromEntries(Object.keys(SHOWN).map((field) => [field, bench.text(field)]));
}

const NOTHING = Object.fromEntries(Object.keys(SHOWN).map((field) => [field, NA]));

Deno.test("a thread's pod, and what it belongs to, are those that its cgroup names", () => {
  const bench = new Bench();
  inCgroup(bench, OF_POD);
  deepStrictEqual(shown(bench), NOTHING);
  for (const one of [...OBJECTS, POD]) tell(bench, "k8s", one);
  inCgroup(bench, OF_POD);
  deepStrictEqual(shown(bench), SHOWN);
  inCgroup(bench, "/user.slice");
  deepStrictEqual(shown(bench), NOTHING);
});

Deno.test("where the cgroup tells no pod, the labels of the container do", () => {
  const bench = new Bench();
  for (const one of [...OBJECTS, POD]) tell(bench, "k8s", one);
  const id = "abcdef012345";
  const labels = { "io.kubernetes.pod.uid": UID };
  tell(bench, "container", { container: { id, full_id: id.padEnd(64, "6"), type: 7, labels } });
  inCgroup(bench, `/docker/${id.padEnd(64, "6")}`);
  deepStrictEqual(shown(bench), SHOWN);
});

Deno.test("an owner that is known by name alone shows it, a deleted one no longer", () => {
  const bench = new Bench();
  for (const one of [...OBJECTS, POD]) tell(bench, "k8s", one);
  tell(bench, "k8s", object("Deployment", "d1", { name: "web" }));
  inCgroup(bench, OF_POD);
  deepStrictEqual(
    bench.texts("k8smeta.deployment.name", "k8smeta.deployment.labels"),
    ["web", NA],
  );
  tell(bench, "k8s", { reason: "Delete", uid: "d1", kind: "Deployment" });
  tell(bench, "k8s", { reason: "Delete", uid: "n1", kind: "Namespace" });
  inCgroup(bench, OF_POD);
  deepStrictEqual(
    bench.texts("k8smeta.deployment.name", "k8smeta.deployment.uid", "k8smeta.ns.name"),
    [NA, "d1", "shop"],
  );
});
