// Config → which container runtimes are asked, and how: what Falco's container plugin is told in
// falco.yaml is given its meaning here.
import { containerSettings, findsUsersSockets } from "../../config/container_plugin.ts";
import type { Config } from "../../config/schema.ts";
import type { ContainersStart } from "../../engine/contract/messages.ts";
import { imageName } from "../../words/image_name.ts";
import type { MachineOptions } from "../../state/contract/machine_host.ts";

type Socket = ContainersStart["sockets"][number];

/** Podman's sockets of users, who each run it for themselves. */
const OF_USERS = "/run/user/*/podman/podman.sock";

export function containersStart(config: Config): ContainersStart {
  const settings = containerSettings(config);
  const { engines, label_max_len, with_size } = settings;
  const { docker, podman, containerd, cri } = engines;
  const of = (kind: Socket["kind"], paths: readonly string[]): Socket[] =>
    [...new Set(paths)].map((path) => ({ kind, path }));
  // Behind one socket there may be both: containerd's own API and that of Kubernetes.
  const grpc = [...cri.enabled ? cri.sockets : [], ...containerd.enabled ? containerd.sockets : []];
  const podmans = findsUsersSockets(settings) ? [...podman.sockets, OF_USERS] : podman.sockets;
  return {
    // Where all are in one container there is nobody to ask.
    sockets: engines.static.enabled ? [] : [
      ...docker.enabled ? of("docker", docker.sockets) : [],
      ...podman.enabled ? of("podman", podmans) : [],
      ...cri.enabled ? of("cri", grpc) : [],
      ...containerd.enabled ? of("containerd", grpc) : [],
    ],
    labelMaxLen: label_max_len,
    withSize: with_size,
    waitMs: config.engine.container_wait,
  };
}

type KnownContainers = NonNullable<MachineOptions["containers"]>;

/** What the engines that no runtime answers for are told. */
export function knownContainers(config: Config): KnownContainers {
  const { lxc, libvirt_lxc, bpm, static: one } = containerSettings(config).engines;
  const off = [
    ...lxc.enabled ? [] : ["lxc"],
    ...libvirt_lxc.enabled ? [] : ["libvirt-lxc"],
    ...bpm.enabled ? [] : ["bpm"],
  ];
  if (!one.enabled) return { off };
  const { container_id: id, container_name: name, container_image: image } = one;
  const { repository, tag, digest } = imageName(image);
  const info = { id, name, image, imagerepo: repository, imagetag: tag, imagedigest: digest };
  return { off, all: { id, fullId: "", type: "", info } };
}
