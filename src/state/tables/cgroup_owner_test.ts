// Whose a cgroup is by its path alone.
import { deepStrictEqual } from "node:assert";
import { Owner, ownerOf } from "./cgroup_owner.ts";

const ID = "3ad7b26ded6d8e7b23da7d48fe889434573036c27ae5a74837233de441c3601e";
const OTHER = `f${ID.slice(1)}`;
const SHORT = ID.slice(0, 12);

const RUNTIMES: readonly (readonly [path: string, id: string, type?: string])[] = [
  [`/docker/${ID}`, SHORT],
  [`/system.slice/docker-${ID}.scope`, SHORT],
  [`/system.slice/docker-${ID}.scope/init.scope`, SHORT],
  [`/docker/${ID}/system.slice/cron.service`, SHORT],
  [`/machine.slice/libpod-${ID}.scope/container`, SHORT],
  [`/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-${ID}.scope`, SHORT],
  [`/libpod_parent/libpod-${ID}`, SHORT],
  [`/kubepods/besteffort/pod1/crio-${ID}`, SHORT],
  [`/kubepods.slice/kubepods-pod1.slice/crio-${ID}.scope/container`, SHORT],
  [`/kubepods.slice/cri-containerd-${ID}.scope`, SHORT],
  [`/kubepods/burstable/pod2f1c0d11-1a2b/${ID}`, SHORT],
  [`/system.slice/containerd.service/kubepods-pod1.slice:cri-containerd:${ID}`, SHORT],
  [`/system.slice/nerdctl-${ID}.scope`, SHORT],
  [`/docker/${OTHER}/kubelet.slice/kubelet-kubepods.slice/cri-containerd-${ID}.scope`, SHORT],
  [`/docker/${OTHER}/docker/${ID}`, SHORT],
  ["/system.slice/runc-by-hand.scope", "by-hand"],
  ["/lxc.payload.web", "web", "lxc"],
  ["/lxc/web/init", "web", "lxc"],
  ["/lxc.payload.web/system.slice/cron.service", "web", "lxc"],
  ["/machine.slice/machine-lxc\\x2d4242\\x2dvm.scope/libvirt", "vm", "libvirt-lxc"],
  ["/machine/vm.libvirt-lxc", "vm", "libvirt-lxc"],
  ["/machine.slice/machine-bookworm\\x2dtest.scope/payload/init.scope", "bookworm-test"],
  ["/machine.slice/systemd-nspawn@sid.service/payload", "sid"],
  ["/bpm-job_1.a", "job_1.a", "bpm"],
];

Deno.test("a runtime's cgroup is known by its name, with all that is below it", () => {
  for (const [path, id, type = ""] of RUNTIMES) {
    deepStrictEqual(ownerOf(path), { owner: Owner.Runtime, id, type }, path);
  }
});

Deno.test("digits alone are less sure, and a name that anybody chose less still", () => {
  deepStrictEqual(ownerOf(`/name/${ID}`), { owner: Owner.Digits, id: SHORT, type: "" });
  const some = [
    ["/process_api/346bf8da42fccf81b9af2702d2eee762", "346bf8da42fccf81b9af2702d2eee762"],
    ["/default/my-container-1", "my-container-1"],
    ["/by-hand", "by-hand"],
    ["/docker/buildkit", "buildkit"],
    ["/system.slice/cron.service/worker", "worker"],
  ] as const;
  for (const [path, id] of some) {
    deepStrictEqual(ownerOf(path), { owner: Owner.Some, id, type: "" }, path);
  }
});

Deno.test("the host's own units, its monitors and the top belong to no container", () => {
  const hosts = ["", "/", "/init.scope", "/system.slice/sshd.service", "/user.slice"];
  for (const path of hosts) deepStrictEqual(ownerOf(path).owner, Owner.None, path);
  const monitors = [
    `/machine.slice/libpod-conmon-${ID}.scope`,
    `/system.slice/crio-conmon-${ID}.scope`,
  ];
  for (const path of monitors) deepStrictEqual(ownerOf(path).owner, Owner.None, path);
});
