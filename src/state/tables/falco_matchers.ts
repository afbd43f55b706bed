// Falco's matchers, by which captures are read: which container a cgroup path is of, as its
// container plugin would say. In: a path. Out: the container's id and, where the path tells it, its
// kind.
import { SHORT_ID_LENGTH } from "./cgroup_owner.ts";

const ID_LENGTH = 64;
const NOT_HEX = /[^0-9a-fA-F]/;

/** A container, and its type where the path alone tells all that there is to know of it. */
interface Match {
  readonly id: string;
  readonly type: string;
}

/** What a cgroup path says, tried in the container plugin's order. */
export function containerOf(path: string): Match | undefined {
  const id = byLayouts(path) ?? containerdId(path);
  if (id !== undefined) return { id, type: "" };
  const lxc = lxcId(path);
  if (lxc !== undefined) return { id: lxc, type: "lxc" };
  const libvirt = libvirtId(path);
  if (libvirt !== undefined) return { id: libvirt, type: "libvirt-lxc" };
  const bpm = /bpm-(.*?)(?:\.scope|$)/s.exec(path)?.[1];
  if (bpm !== undefined && /^[a-zA-Z0-9._-]+$/.test(bpm)) return { id: bpm, type: "bpm" };
  return undefined;
}

/** Prefix and suffix around a 64-digit id: podman, docker, then the CRI runtimes. */
const LAYOUTS: readonly (readonly [prefix: string, suffix: string])[] = [
  ["/libpod-", ".scope"],
  ["/libpod-", ".scope/container"],
  ["/libpod-", ""],
  ["/libpod-payload-", ".scope"],
  ["/libpod-payload-", ".scope/container"],
  ["/libpod-payload-", ""],
  ["/", ""],
  ["/docker-", ".scope"],
  ["/crio-", ""],
  ["/cri-containerd-", ".scope"],
  ["/crio-", ".scope"],
  [":cri-containerd:", ""],
  ["/nerdctl-", ".scope"],
];

function byLayouts(path: string): string | undefined {
  for (const [prefix, suffix] of LAYOUTS) {
    const between = inside(path, prefix, suffix);
    if (between?.length === ID_LENGTH && hexFrom(path, prefix)) {
      return between.slice(0, SHORT_ID_LENGTH);
    }
  }
  return undefined;
}

function inside(path: string, prefix: string, suffix: string): string | undefined {
  const before = path.lastIndexOf(prefix);
  if (before < 0) return undefined;
  const start = before + prefix.length;
  const end = suffix === "" ? path.length : path.lastIndexOf(suffix);
  return end < start ? undefined : path.slice(start, end);
}

/** Whether the first character that is no hex digit stands at 64 or later in the whole path. */
function hexFrom(path: string, prefix: string): boolean {
  const start = path.lastIndexOf(prefix) + prefix.length;
  const bad = NOT_HEX.exec(path.slice(start));
  return bad === null || start + bad.index >= ID_LENGTH;
}

/** `/namespace/id` as `ctr` makes it; the host's own units are left out. */
function containerdId(path: string): string | undefined {
  const namespace = /\/[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+)*\//.exec(path)?.[0];
  if (namespace === undefined) return undefined;
  const id = inside(path, namespace, "");
  if (id === undefined || id.length === 0 || id.length > ID_LENGTH) return undefined;
  if (id.length === ID_LENGTH && hexFrom(path, namespace)) return id.slice(0, SHORT_ID_LENGTH);
  if (/\.(service|slice|scope)$/.test(path)) return undefined;
  return id.slice(0, SHORT_ID_LENGTH);
}

function lxcId(path: string): string | undefined {
  for (const prefix of ["/lxc/", "/lxc.payload/", "/lxc.payload."]) {
    const at = path.indexOf(prefix);
    if (at >= 0) return path.slice(at + prefix.length).split("/")[0]!;
  }
  return undefined;
}

function libvirtId(path: string): string | undefined {
  if (path.endsWith(".libvirt-lxc") && path.includes("/")) {
    return path.slice(path.lastIndexOf("/") + 1, -".libvirt-lxc".length);
  }
  const systemd = path.indexOf("-lxc\\x2");
  const ending = path.includes(".scope/libvirt") ? ".scope/libvirt" : ".scope";
  if (systemd >= 0 && path.endsWith(ending)) {
    return path.slice(systemd + "-lxc\\x2".length + 1, -ending.length);
  }
  // The older /libvirt/lxc/NAME is one of lxc's by then.
  return undefined;
}
