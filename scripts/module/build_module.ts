// The module for one of the guests' kernels, built by the built saker, in a root that has Debian's
// headers and compiler for it (scripts/lib/headers.sh). In: the suite. Out: the module's file.
// Needs root: a mount namespace and chroot.

export interface Built {
  readonly file: string;
  readonly release: string;
  /** What saker printed, on both streams. */
  readonly said: string;
  readonly code: number;
}

/** `tools`: where scripts/setup puts them; `args`: further ones of `saker driver build`. */
export async function buildModule(
  tools: string,
  suite: string,
  saker: string,
  args: readonly string[] = [],
): Promise<Built> {
  const directory = `${tools}/headers/${suite}`;
  const root = `${directory}/root`;
  const release = Deno.readTextFileSync(`${directory}/version`).trim();
  const name = `saker-${crypto.randomUUID()}.ko`;
  // What is mounted is seen in this namespace alone, and gone with it.
  const script = `mount --bind /proc "$1/proc" && mount --bind /dev "$1/dev" &&
    mount -t tmpfs none "$1/tmp" && touch "$1/tmp/saker" && mount --bind "$2" "$1/tmp/saker" &&
    root=$1 && shift 2 && exec chroot "$root" /tmp/saker driver build "$@"`;
  const { code, stdout, stderr } = await new Deno.Command("unshare", {
    args: [
      ...["-m", "sh", "-c", script, "sh", root, saker],
      ...["--kernel", release, "--output", `/out/${name}`, ...args],
    ],
    clearEnv: true,
    env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return {
    file: `${root}/out/${name}`,
    release,
    said: decoder.decode(stdout) + decoder.decode(stderr),
    code,
  };
}
