// The module for the guests' kernels, built by the built saker in roots that have Debian's headers
// and compiler for them (scripts/lib/headers.sh); and its installation there, by DKMS and without.
// Needs root: a mount namespace and chroot.

export interface Said {
  readonly code: number;
  /** What was printed, on both streams. */
  readonly said: string;
}

export interface Built extends Said {
  readonly file: string;
  readonly release: string;
}

export interface BuildRoot {
  /** Where scripts/setup puts its tools. */
  readonly tools: string;
  readonly suite: string;
  /** The built saker, which is `saker` in the root. */
  readonly saker: string;
}

export async function buildModule(
  root: BuildRoot,
  args: readonly string[] = [],
): Promise<Built> {
  const release = releaseOf(root);
  const name = `saker-${crypto.randomUUID()}.ko`;
  const more = args.map((arg) => `'${arg}'`).join(" ");
  const said = await inRoot(
    root,
    `saker driver build --kernel ${release} --output /out/${name} ${more}`,
  );
  return { ...said, file: `${placeOf(root)}/out/${name}`, release };
}

/** The same, signed with a key that was made for it, and that no kernel knows. */
export async function signModule(root: BuildRoot): Promise<Built> {
  const directory = `${placeOf(root)}/out`;
  const [key, certificate] = ["test-key.pem", "test-certificate.pem"];
  const { success, stderr } = await new Deno.Command("openssl", {
    args: [
      ...["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=nobody"],
      ...["-keyout", `${directory}/${key}`, "-out", `${directory}/${certificate}`],
    ],
    stdin: "null",
  }).output();
  if (!success) throw new Error(`openssl makes no key: ${new TextDecoder().decode(stderr)}`);
  try {
    return await buildModule(root, [
      ...["--sign-key", `/out/${key}`, "--sign-cert", `/out/${certificate}`],
    ]);
  } finally {
    for (const name of [key, certificate]) Deno.removeSync(`${directory}/${name}`);
  }
}

const INSTALLED = `
kernel=$1
saker driver install --kernel "$kernel" $2 >/out/said 2>&1 || { cat /out/said; exit 1; }
found=$(find /lib/modules -name 'saker.ko*')
saker driver uninstall >/out/said 2>&1 || { cat /out/said; exit 1; }
left=$(find /lib/modules /var/lib/dkms /usr/src /etc/modules-load.d -name '*saker*')
rm /out/said
echo "$found|$left"
`;

/** Installs it and undoes that. Out: where it was, and what was left, divided by `|`. */
export async function installModule(root: BuildRoot, options: string): Promise<Said> {
  return await inRoot(root, `set -- ${releaseOf(root)} ${options}\n${INSTALLED}`);
}

export function releaseOf({ tools, suite }: BuildRoot): string {
  return Deno.readTextFileSync(`${tools}/headers/${suite}/version`).trim();
}

/** Whether there is DKMS in it. */
export function hasDkms(root: BuildRoot): boolean {
  try {
    return Deno.statSync(`${placeOf(root)}/usr/sbin/dkms`).isFile;
  } catch {
    return false;
  }
}

function placeOf({ tools, suite }: BuildRoot): string {
  return `${tools}/headers/${suite}/root`;
}

async function inRoot(root: BuildRoot, script: string): Promise<Said> {
  // What is mounted is seen in this namespace alone, and gone with it.
  const enter = `mount --bind /proc "$1/proc" && mount --bind /dev "$1/dev" &&
    mount -t tmpfs none "$1/tmp" && touch "$1/tmp/saker" && mount --bind "$2" "$1/tmp/saker" &&
    exec chroot "$1" sh -c "$3"`;
  const { code, stdout, stderr } = await new Deno.Command("unshare", {
    args: ["-m", "sh", "-c", enter, "sh", placeOf(root), root.saker, script],
    clearEnv: true,
    env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin:/tmp" },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, said: decoder.decode(stdout) + decoder.decode(stderr) };
}
