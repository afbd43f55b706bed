// What Falco's container plugin is told in `plugins[].init_config`, which saker's own containers go
// by: a Config comes in, plain values go out. Keys, defaults and sockets are the plugin's.
import { entryOf, isOurs, readInit } from "./plugin_entry.ts";
import type { Config } from "./schema.ts";
import { type Held, map, word } from "./shape.ts";
import { bool, choice, integer, sequence, text } from "./values.ts";

/** Labels of a container may be left out beyond this length, but none is cut. */
const LABEL_MAX = 1_048_576;

const LEVELS = ["trace", "debug", "info", "warn", "err", "critical", "off"] as const;

/** Seconds that the plugin gives a runtime at its start. */
const ENGINE_TIMEOUT = 10;

/** No sockets, as the plugin reads it, are those that it knows. */
const SOCKETS = {
  docker: ["/var/run/docker.sock"],
  podman: ["/run/podman/podman.sock"],
  containerd: ["/run/host-containerd/containerd.sock"],
  cri: [
    "/run/containerd/containerd.sock",
    "/run/crio/crio.sock",
    "/run/k3s/containerd/containerd.sock",
    "/run/host-containerd/containerd.sock",
  ],
} as const;

const engine = (sockets: readonly string[]) =>
  map({
    enabled: bool(true),
    sockets: sequence(word).default([]).becomes((given) => given.length > 0 ? given : sockets),
  });

const plain = map({ enabled: bool(true) });

export const CONTAINER_INIT = map({
  label_max_len: integer(100, { min: 0, max: LABEL_MAX }),
  with_size: bool(false),
  hooks: sequence(choice("create", ["create", "start"])).default(["create"]),
  log_level: choice("warn", LEVELS),
  engine_timeout: integer(ENGINE_TIMEOUT, { min: 0, max: 86_400 }),
  host_root: text(""),
  engines: map({
    docker: engine(SOCKETS.docker),
    // Those of users, /run/user/UID/podman/podman.sock, are looked for besides.
    podman: engine(SOCKETS.podman),
    containerd: engine(SOCKETS.containerd),
    cri: engine(SOCKETS.cri),
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

export type ContainerSettings = Held<typeof CONTAINER_INIT>;

const NOBODY_ASKED = withoutRuntimes(CONTAINER_INIT.initial());

function withoutRuntimes(settings: ContainerSettings): ContainerSettings {
  const off = <T extends { enabled: boolean }>(engine: T): T => ({ ...engine, enabled: false });
  const { docker, podman, containerd, cri } = settings.engines;
  const engines = {
    docker: off(docker),
    podman: off(podman),
    containerd: off(containerd),
    cri: off(cri),
  };
  return { ...settings, engines: { ...settings.engines, ...engines } };
}

/** Of a Config that was read: its values were checked then. */
export function containerSettings(config: Config): ContainerSettings {
  const found = entryOf(config, "container");
  if (found === undefined) return CONTAINER_INIT.initial();
  // Falco's own plugin asks the runtimes then.
  return isOurs(config, "container") ? readInit(CONTAINER_INIT, found).value : NOBODY_ASKED;
}

/** Whether Podman's sockets of users are looked for: who names others means those alone. */
export function findsUsersSockets({ engines: { podman } }: ContainerSettings): boolean {
  return podman.enabled && podman.sockets.join() === SOCKETS.podman.join();
}

export interface ContainerRemark {
  /** Below `init_config`. */
  readonly path: readonly string[];
  readonly message: string;
  /** It cannot be meant; else saker does without it. */
  readonly isError: boolean;
}

/** What there is to say of settings that are sound each for itself. */
export function containerRemarks(settings: ContainerSettings): ContainerRemark[] {
  const { engines, log_level, host_root, engine_timeout } = settings;
  const remarks: ContainerRemark[] = [];
  const say = (path: readonly string[], message: string, isError = false) =>
    remarks.push({ path, message, isError });
  for (const key of ["container_id", "container_name", "container_image"] as const) {
    if (!engines.static.enabled || engines.static[key] !== "") continue;
    say(["engines", "static", key], "expected a text, as engines.static is enabled", true);
  }
  if (log_level !== "warn") {
    const where = "/healthz, the metrics and `saker doctor` say how each runtime stands";
    say(["log_level"], `saker keeps no log of containers' runtimes: ${where}`);
  }
  if (host_root !== "") {
    say(["host_root"], "the variable HOST_ROOT says where the host's root is, this is not read");
  }
  if (engine_timeout !== ENGINE_TIMEOUT) {
    const why = "no start waits for a runtime, and each question to one ends after 10 seconds";
    say(["engine_timeout"], `nothing to set: ${why}`);
  }
  return remarks;
}
