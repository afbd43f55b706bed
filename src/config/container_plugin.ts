// What Falco's container plugin is told in `plugins[].init_config`, which saker's own containers go
// by: a Config comes in, plain values go out. Keys, defaults and sockets are the plugin's.
import * as z from "zod";
import { entryOf, readInit } from "./plugin_entry.ts";
import type { Config } from "./schema.ts";
import { bool, choice, integer, map, sequence, text, word } from "./values.ts";

/** Labels of a container may be left out beyond this length, but none is cut. */
const LABEL_MAX = 1_048_576;

const LEVELS = ["trace", "debug", "info", "warn", "err", "critical", "off"] as const;

const engine = (sockets: readonly string[]) =>
  map({ enabled: bool(true), sockets: sequence(word).default([...sockets]) });

const plain = map({ enabled: bool(true) });

export const CONTAINER_INIT = z.strictObject({
  label_max_len: integer(100, { min: 0, max: LABEL_MAX }),
  with_size: bool(false),
  hooks: sequence(choice("create", ["create", "start"])).default(["create"]),
  log_level: choice("warn", LEVELS),
  host_root: text(""),
  engines: map({
    docker: engine(["/var/run/docker.sock"]),
    // Those of users, /run/user/UID/podman/podman.sock, are looked for besides.
    podman: engine(["/run/podman/podman.sock"]),
    containerd: engine(["/run/host-containerd/containerd.sock"]),
    cri: engine([
      "/run/containerd/containerd.sock",
      "/run/crio/crio.sock",
      "/run/k3s/containerd/containerd.sock",
      "/run/host-containerd/containerd.sock",
    ]),
    lxc: plain,
    libvirt_lxc: plain,
    bpm: plain,
    static: map({
      enabled: bool(false),
      container_id: text(""),
      container_name: text(""),
      container_image: text(""),
    }),
  }),
});

export type ContainerSettings = z.output<typeof CONTAINER_INIT>;

/** Of a Config that was read: its values were checked then. */
export function containerSettings(config: Config): ContainerSettings {
  const found = entryOf(config, "container");
  return found === undefined ? CONTAINER_INIT.parse({}) : readInit(CONTAINER_INIT, found).value;
}
