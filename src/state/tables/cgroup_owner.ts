// Which container a cgroup is of, by its path alone, looked at from its end: the innermost one, and
// whatever systemd or the container's own services have made below it. In: a path of any hierarchy.
// Out: the container's id and how sure the path is of it. Captures, which tell nothing but paths,
// are read by Falco's matchers instead (containers.ts).

export const enum Owner {
  /** No container. */
  None = 0,
  /** A cgroup that is not systemd's: a container's where its processes are apart from the host. */
  Some = 1,
  /** 64 hexadecimal digits and nothing else. */
  Digits = 2,
  /** Named as one runtime names them. */
  Runtime = 3,
}

export interface Owned {
  readonly owner: Owner;
  readonly id: string;
  /** Where the path tells all that there is to know of it; else "". */
  readonly type: string;
}

const NOBODY: Owned = { owner: Owner.None, id: "", type: "" };
/** Digits of an id as Falco shows it. */
export const SHORT_ID_LENGTH = 12;
const ID_MAX = 64;
const DIGITS = /^[0-9a-f]{64}$/;
/** docker-…, libpod-…, crio-…, cri-containerd-…, nerdctl-…; but not the monitor of one. */
const NAMED_DIGITS = /^([a-z][a-z-]*)-([0-9a-f]{64})(?:\.scope)?$/;
const SYSTEMD_CRI = /:cri-containerd:([0-9a-f]{64})$/;
const OCI = /^(?:runc|crun|youki)-(.+)\.scope$/;
const LXC = /^lxc\.payload\.(.+)$/;
const NSPAWN = /^(?:machine-(.+)\.scope|systemd-nspawn@(.+)\.service)$/;
const LIBVIRT_LXC = /^machine-lxc\\x2d(?:\d+\\x2d)?(.+)\.scope$/;
const BPM = /^bpm-([A-Za-z0-9._-]+?)(?:\.scope)?$/;
const UNIT = /\.(?:service|slice|scope|mount|socket|swap|target)$/;
/** Who puts containers by their digits alone into a cgroup of that name. */
const PARENTS = /^(?:docker|libpod_parent|moby|k8s\.io|kubepods.*|pod[0-9a-f_-]{8,}|garden)$/;

/** The container of a path. */
export function ownerOf(path: string): Owned {
  const parts = path.split("/");
  for (let at = parts.length - 1; at > 0; at--) {
    const found = ofPart(parts[at]!, parts[at - 1]!);
    if (found !== undefined) return found;
  }
  return ofOthers(parts);
}

function ofPart(part: string, above: string): Owned | undefined {
  const named = NAMED_DIGITS.exec(part);
  if (named !== null && !named[1]!.endsWith("conmon")) return runtimes(shortId(named[2]!));
  if (DIGITS.test(part)) {
    const owner = PARENTS.test(above) ? Owner.Runtime : Owner.Digits;
    return { owner, id: shortId(part), type: "" };
  }
  const id = SYSTEMD_CRI.exec(part)?.[1] ?? OCI.exec(part)?.[1];
  if (id !== undefined) return runtimes(shortId(id));
  const lxc = LXC.exec(part)?.[1] ?? (/^lxc(?:\.payload)?$/.test(above) ? part : undefined);
  if (lxc !== undefined && lxc !== "") return runtimes(lxc, "lxc");
  const libvirt = part.endsWith(".libvirt-lxc")
    ? part.slice(0, -".libvirt-lxc".length)
    : LIBVIRT_LXC.exec(part)?.[1];
  if (libvirt !== undefined) return runtimes(unescaped(libvirt), "libvirt-lxc");
  const machine = NSPAWN.exec(part);
  if (machine !== null) return runtimes(unescaped(machine[1] ?? machine[2]!));
  const bpm = BPM.exec(part)?.[1];
  return bpm === undefined ? undefined : runtimes(bpm, "bpm");
}

/** A cgroup that its maker named as he liked: containerd's /NAMESPACE/ID, runc's /ID. */
function ofOthers(parts: readonly string[]): Owned {
  const last = parts.at(-1)!;
  if (last === "" || UNIT.test(last)) return NOBODY;
  return { owner: Owner.Some, id: last.slice(0, ID_MAX), type: "" };
}

function runtimes(id: string, type = ""): Owned {
  return { owner: Owner.Runtime, id: id.slice(0, ID_MAX), type };
}

/** An id as Falco shows it: of 64 digits the first twelve, other names whole. */
export function shortId(id: string): string {
  return DIGITS.test(id) ? id.slice(0, SHORT_ID_LENGTH) : id;
}

/** systemd writes bytes that its names have no room for as \xNN. */
function unescaped(name: string): string {
  return name.replace(
    /\\x([0-9a-f]{2})/g,
    (_, digits: string) => String.fromCharCode(parseInt(digits, 16)),
  );
}
