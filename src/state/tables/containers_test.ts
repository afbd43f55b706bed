// Container ids out of cgroup paths, and what container events tell.
import { strictEqual } from "node:assert";
import { containerOf, parseContainer } from "./containers.ts";
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
