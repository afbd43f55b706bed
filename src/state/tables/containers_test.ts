// Container ids out of cgroup paths, and what container events tell.
import { deepStrictEqual, strictEqual } from "node:assert";
import { containerJson, containerTypeName, parseContainer } from "./containers.ts";
import { containerOf } from "./falco_matchers.ts";
import { nulls, Scene } from "../scene.ts";

const ID = "3ad7b26ded6d8e7b23da7d48fe889434573036c27ae5a74837233de441c3601e";
const SHORT = ID.slice(0, 12);

const CASES: readonly (readonly [path: string, id: string | undefined])[] = [
  [`/docker/${ID}`, SHORT],
  [`/system.slice/docker-${ID}.scope`, SHORT],
  [`/machine.slice/libpod-${ID}.scope`, SHORT],
  [`/machine.slice/libpod-${ID}.scope/container`, SHORT],
  [`/user.slice/user-1000.slice/libpod-payload-${ID}`, SHORT],
  [`/kubepods/besteffort/pod1/crio-${ID}`, SHORT],
  [`/kubepods.slice/cri-containerd-${ID}.scope`, SHORT],
  [`/system.slice/containerd.service/kubepods:cri-containerd:${ID}`, SHORT],
  [`/system.slice/nerdctl-${ID}.scope`, SHORT],
  ["/default/test_container", "test_contain"],
  ["/lxc.payload.web", "web"],
  ["/vm.libvirt-lxc", "vm"],
  // The plugin takes the first component for containerd's namespace, whatever it is.
  ["/lxc/web/init", "web/init"],
  ["/", undefined],
  ["/init.scope", undefined],
  ["/system.slice/sshd.service", undefined],
  ["/user.slice/user-1000.slice/session-1.scope", undefined],
  [`/docker/${ID.slice(1)}`, ID.slice(1, 13)],
];

/** By the kind of container, a path and the id and type that it tells. */
const TYPED: readonly (readonly [path: string, id: string, type: string])[] = [
  ["/lxc.payload.web", "web", "lxc"],
  ["/lxc.payload.web/init.scope", "web", "lxc"],
  ["/lxc/web/a.service", "web", "lxc"],
  ["/lxc.payload/web/init.scope", "web", "lxc"],
  ["/libvirt/lxc/vm/a.slice", "vm", "lxc"],
  ["/vm.libvirt-lxc", "vm", "libvirt-lxc"],
  ["/machine-lxc\\x2dvm.scope", "vm", "libvirt-lxc"],
  ["/machine-lxc\\x2dvm.scope/libvirt", "vm", "libvirt-lxc"],
  ["/bpm-job.scope", "job", "bpm"],
  ["/bpm-job_1.a", "job_1.a", "bpm"],
];

for (const [path, id, type] of TYPED) {
  Deno.test(`cgroup ${path} is of ${id}, a container of ${type}`, () => {
    deepStrictEqual(containerOf(path), { id, type });
  });
}

/** What comes close to a container's path and is none, and what is of none of the layouts. */
const OTHERS = [
  ...["", "x", "/vm.libvirt-lx", "vm.libvirt-lxc", "/bpm-a b", "/machine-lxc\\x2dvm"],
  ...["/lxc", "/bpm-", `/${ID.slice(1)}`, `/docker-${ID.slice(1)}.scope`],
  ...[`/x${ID}`, `/${ID}x`, `/docker-${ID}g.scope`, `/docker-g${ID.slice(1)}.scope`],
];

Deno.test("cgroups that only come close to a container's are the host's", () => {
  const found = OTHERS.filter((path) => containerOf(path) !== undefined);
  deepStrictEqual(found, []);
});

Deno.test("a name below a namespace is a container's up to 64 characters, but for units", () => {
  const of = (path: string) => containerOf(path)?.id;
  strictEqual(of(`/ns/${"a".repeat(64)}`), "a".repeat(12));
  strictEqual(of(`/ns/${"x".repeat(64)}`), "x".repeat(12));
  strictEqual(of(`/ns/${"a".repeat(65)}`), undefined);
  strictEqual(of("/ns/"), undefined);
  strictEqual(of("/ns.a-b_c/id"), "id");
  strictEqual(of("/ns./id"), undefined);
  for (const unit of ["a.service", "a.slice", "a.scope"]) strictEqual(of(`/ns/${unit}`), undefined);
  strictEqual(of("/ns/a.service.d"), "a.service.d");
});

Deno.test("the plugin's numbers of container types have their names, both ways", () => {
  const names = {
    ...{ 0: "docker", 1: "lxc", 2: "libvirt-lxc", 3: "mesos", 4: "rkt", 5: "", 6: "cri" },
    ...{ 7: "containerd", 8: "cri-o", 9: "bpm", 10: "", 11: "podman", 65534: "host", 65535: "" },
    ...{ 12: "", [-1]: "" },
  };
  for (const [number, name] of Object.entries(names)) {
    const type = Number(number);
    strictEqual(containerTypeName(type), name, number);
    const told = parseContainer(JSON.stringify({ container: { id: "x", type } }))!;
    strictEqual(told.type, name, number);
    const again = containerJson({ id: "x", fullId: "x", type: name, info: undefined });
    if (name !== "") deepStrictEqual(JSON.parse(again), { container: { id: "x", type } });
  }
  strictEqual(
    containerJson({ id: "x", fullId: "", type: "odd", info: undefined }),
    '{"container":{"id":"x","type":65535}}',
  );
});

Deno.test("a container's JSON may stand alone, or with its type outside", () => {
  deepStrictEqual(parseContainer('{"id":"x","type":1,"full_id":"xy"}'), {
    id: "x",
    fullId: "xy",
    type: "lxc",
    info: { id: "x", type: 1, full_id: "xy" },
  });
  const outside = parseContainer('{"type":7,"container":{"id":"x"}}')!;
  deepStrictEqual([outside.type, outside.fullId], ["containerd", ""]);
  strictEqual(parseContainer('{"id":"x","type":"docker"}')!.type, "");
});

Deno.test("a container that a cgroup tells of has the type of the first that has one", () => {
  const s = new Scene();
  s.exec(5, "sh", {
    cgroups: nulls("no sign", "cpu=/", "io=/lxc.payload.web", "mem=/lxc.payload.b"),
  });
  strictEqual(s.text(s.thread(5).containerId), "web");
  deepStrictEqual(s.machine.container("web"), {
    ...{ id: "web", fullId: "web", type: "lxc", info: undefined },
  });
  strictEqual(s.machine.container("b"), undefined);
  const json = JSON.stringify({ container: { id: "web", type: 1, name: "told" } });
  const data = new TextEncoder().encode(json);
  s.event("ASYNCEVENT_E", -1, { plugin_id: 0, name: "container", data });
  s.exec(6, "sh", { cgroups: nulls("io=/lxc.payload.web") });
  strictEqual(s.machine.container("web")?.info?.["name"], "told", "what was told stays");
});

for (const [path, id] of CASES) {
  Deno.test(`cgroup ${path} is of ${id ?? "the host"}`, () => {
    strictEqual(containerOf(path)?.id, id);
  });
}

Deno.test("a program's container is that of its cgroups, told when it runs", () => {
  const s = new Scene();
  const { thread } = s.exec(5, "sh", { cgroups: nulls("cpuset=/", `cpu=/docker/${ID}`) });
  strictEqual(s.text(thread!.containerId), SHORT);
  s.exec(5, "sh", { cgroups: nulls("cpuset=/") });
  strictEqual(s.text(s.thread(5).containerId), "");
});

Deno.test("a container event tells of a container, its removal is told once more", () => {
  const s = new Scene();
  const json = JSON.stringify({ container: { id: SHORT, type: 7, name: "web", full_id: ID } });
  const tell = (name: string) =>
    s.event("ASYNCEVENT_E", -1, { plugin_id: 0, name, data: new TextEncoder().encode(json) });
  const told = () => s.machine.eventContainer;
  tell("container");
  strictEqual(told()?.type, "containerd");
  strictEqual(s.machine.container(SHORT)?.fullId, ID);
  s.pass();
  strictEqual(told(), undefined);
  tell("container_removed");
  strictEqual(told()?.id, SHORT);
  strictEqual(s.machine.container(SHORT), undefined);
});

Deno.test("what is no container's JSON is passed over", () => {
  for (const json of ["", "{", "null", "7", "[]", '{"container":null}', '{"container":{"id":5}}']) {
    strictEqual(parseContainer(json), undefined);
  }
});
