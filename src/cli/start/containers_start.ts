// Config → which container runtimes are asked, and how: what Falco's container plugin is told in
// falco.yaml is given its meaning here.
import { containerSettings } from "../../config/container_plugin.ts";
import type { Config } from "../../config/schema.ts";
import type { ContainersStart } from "../../engine/contract/messages.ts";

type Socket = ContainersStart["sockets"][number];

/** Podman's sockets of users, who each run it for themselves. */
const OF_USERS = "/run/user/*/podman/podman.sock";

export function containersStart(config: Config): ContainersStart {
  const { engines, label_max_len, with_size } = containerSettings(config);
  const { docker, podman, containerd, cri } = engines;
  const of = (kind: Socket["kind"], paths: readonly string[]): Socket[] =>
    [...new Set(paths)].map((path) => ({ kind, path }));
  // Behind one socket there may be both: containerd's own API and that of Kubernetes.
  const grpc = [...cri.enabled ? cri.sockets : [], ...containerd.enabled ? containerd.sockets : []];
  return {
    sockets: [
      ...docker.enabled ? of("docker", docker.sockets) : [],
      ...podman.enabled ? of("podman", [...podman.sockets, OF_USERS]) : [],
      ...cri.enabled ? of("cri", grpc) : [],
      ...containerd.enabled ? of("containerd", grpc) : [],
    ],
    labelMaxLen: label_max_len,
    withSize: with_size,
    waitMs: config.engine.container_wait,
  };
}
