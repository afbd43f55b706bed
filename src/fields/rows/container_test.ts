// Fields of containers: what each shows of a container that a runtime told of, of one in a pod, of
// one that only a cgroup tells of, and of the host.
import { deepStrictEqual, strictEqual } from "node:assert";
import { Bench, CHILD, exec, nulList } from "../context_fixture.ts";

const ID = "abcdef012345";
const FULL = ID.padEnd(64, "6");
const SANDBOX = "fedcba987654";

const MOUNTS = [
  { Source: "/var/data", Destination: "/data", Mode: "z", RW: true, Propagation: "rprivate" },
  { Source: "/etc/host", Destination: "/conf", Mode: "", RW: false, Propagation: "" },
  "no mount",
  null,
  { Source: 5, RW: "true" },
];

const TOLD: Readonly<Record<string, unknown>> = {
  ...{ id: ID, full_id: FULL, type: 0, name: "web", image: "nginx:1", imageid: "sha", ip: "10.9" },
  ...{ privileged: true, host_pid: true, host_network: false, host_ipc: "true", cni_json: "" },
  ...{ imagerepo: "nginx", imagetag: "1", imagedigest: "dig", Mounts: MOUNTS },
  labels: {
    ...{ b: "2", a: "1", empty: "", "io.kubernetes.pod.name": "pod", number: 5 },
    ...{ "io.kubernetes.pod.namespace": "ns", "io.kubernetes.pod.uid": "uid", "annotation.x": "y" },
  },
};

const IN_POD = { ...TOLD, pod_sandbox_id: SANDBOX.padEnd(64, "7") };
const OF_SANDBOX = {
  ...{ id: SANDBOX, type: 6, ip: "10.8", cni_json: "{}", pod_sandbox_labels: { app: "shop" } },
};

function bench(cgroup: string, ...told: Readonly<Record<string, unknown>>[]): Bench {
  const made = new Bench();
  for (const container of told) {
    const data = new TextEncoder().encode(JSON.stringify({ container }));
    const params = { plugin_id: 0, name: "container", data };
    made.apply({ id: "ASYNCEVENT_E", tid: -1, params });
  }
  const run = exec(CHILD, "cat", "/usr/bin/cat", []);
  made.apply({ ...run, params: { ...run.params, cgroups: nulList([`cpu=${cgroup}`]) } });
  return made;
}

const NA = "<NA>";

/** By field, what it shows of the container alone, of one in a pod, of one of a cgroup, of the
 * host. */
const SHOWN: Readonly<
  Record<string, readonly [alone: string, pod: string, bare: string, host: string]>
> = {
  "container.id": [ID, ID, ID, "host"],
  "container.full_id": [FULL, FULL, NA, "host"],
  "container.name": ["web", "web", NA, "host"],
  "container.type": ["docker", "docker", NA, "host"],
  "container.image": ["nginx:1", "nginx:1", NA, ""],
  "container.image.id": ["sha", "sha", NA, ""],
  "container.image.repository": ["nginx", "nginx", NA, ""],
  "container.image.tag": ["1", "1", NA, ""],
  "container.image.digest": ["dig", "dig", NA, ""],
  "container.ip": ["10.9", "10.9", NA, ""],
  "container.cni.json": ["", "", NA, ""],
  "container.privileged": ["true", "true", NA, "false"],
  "container.host_pid": ["true", "true", NA, "false"],
  "container.host_network": ["false", "false", NA, "false"],
  "container.host_ipc": ["false", "false", NA, "false"],
  "container.labels": ["a:1, b:2, empty, number", "a:1, b:2, empty, number", NA, ""],
  "container.label[a]": ["1", "1", NA, NA],
  "container.label[empty]": ["", "", NA, NA],
  "container.label[number]": [NA, NA, NA, NA],
  "container.label[nosuch]": [NA, NA, NA, NA],
  "container.label[toString]": [NA, NA, NA, NA],
  "container.mounts": [
    "/var/data:/data:z:true:rprivate,/etc/host:/conf::false:,:::false:",
    "/var/data:/data:z:true:rprivate,/etc/host:/conf::false:,:::false:",
    NA,
    "",
  ],
  "container.mount[0]": [
    ...["/var/data:/data:z:true:rprivate", "/var/data:/data:z:true:rprivate", NA, NA] as const,
  ],
  "container.mount[3]": [NA, NA, NA, NA],
  "container.mount[/etc]": ["/etc/host:/conf::false:", "/etc/host:/conf::false:", NA, NA],
  "container.mount[/nosuch]": [NA, NA, NA, NA],
  "container.mount.source[1]": ["/etc/host", "/etc/host", NA, NA],
  "container.mount.source[/data]": ["/var/data", "/var/data", NA, NA],
  "container.mount.dest[/etc/host]": ["/conf", "/conf", NA, NA],
  "container.mount.mode[0]": ["z", "z", NA, NA],
  "container.mount.rdwr[0]": ["true", "true", NA, NA],
  "container.mount.rdwr[1]": ["false", "false", NA, NA],
  "container.mount.rdwr[2]": ["false", "false", NA, NA],
  "container.mount.propagation[/var]": ["rprivate", "rprivate", NA, NA],
  "k8s.pod.name": ["pod", "pod", NA, NA],
  "k8s.ns.name": ["ns", "ns", NA, NA],
  "k8s.pod.uid": ["uid", "uid", NA, NA],
  "k8s.pod.id": ["uid", "uid", NA, NA],
  "k8s.pod.sandbox_id": ["", SANDBOX, NA, ""],
  "k8s.pod.full_sandbox_id": ["", SANDBOX.padEnd(64, "7"), NA, ""],
  "k8s.pod.ip": ["", "10.8", NA, ""],
  "k8s.pod.cni.json": ["", "{}", NA, ""],
  "k8s.pod.labels": ["", "app:shop", NA, ""],
  "k8s.pod.label[app]": [NA, "shop", NA, NA],
  "k8s.rc.name": [NA, NA, NA, NA],
  "container.healthcheck": [NA, NA, NA, NA],
};

Deno.test("each field shows what the runtime told, in a pod that of its sandbox", () => {
  const path = `/docker/${FULL}`;
  const all = [
    bench(path, TOLD),
    bench(path, OF_SANDBOX, IN_POD),
    bench(path),
    bench("/"),
  ];
  for (const [field, expected] of Object.entries(SHOWN)) {
    deepStrictEqual(all.map((one) => one.text(field)), [...expected], field);
  }
});

Deno.test("a pod's own network comes before that of its sandbox", () => {
  const own = { ...IN_POD, cni_json: "own", pod_sandbox_labels: { app: "mine" } };
  const made = bench(`/docker/${FULL}`, OF_SANDBOX, own);
  strictEqual(made.text("k8s.pod.ip"), "10.9");
  strictEqual(made.text("k8s.pod.cni.json"), "own");
  strictEqual(made.text("k8s.pod.labels"), "app:mine");
  strictEqual(bench(`/docker/${FULL}`, IN_POD).text("k8s.pod.ip"), NA, "the sandbox is not known");
});

Deno.test("a container's event shows the container that it tells of", () => {
  const made = new Bench();
  const data = new TextEncoder().encode(JSON.stringify({ container: TOLD }));
  made.apply({ id: "ASYNCEVENT_E", tid: -1, params: { plugin_id: 0, name: "container", data } });
  strictEqual(made.text("container.id"), ID);
  strictEqual(made.text("container.name"), "web");
});

Deno.test("a container's time runs from when its namespace began", () => {
  const made = bench("/");
  strictEqual(made.text("container.duration"), NA);
  strictEqual(made.text("container.start_ts"), NA);
});
