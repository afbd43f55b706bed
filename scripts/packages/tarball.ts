// The tarball, for hosts without dpkg: the same files below one directory, to be copied below the
// root. In: the layout. Out: the bytes of a .tar.xz.
import { join } from "node:path";
import { type About, ROOT } from "./about.ts";
import { xz } from "./compress.ts";
import { type Entry, file, tar, withDirectories } from "./tar.ts";

const INSTALL = `saker from this archive, as root, in the directory in which this file is:

    cp -r --no-clobber etc /
    cp -r --remove-destination usr /
    systemctl daemon-reload && systemctl enable --now saker

The first line leaves a configuration that is there as it is. After an upgrade:
systemctl restart saker
`;

export function tarballName({ version }: About): string {
  return `saker-${version}-x86_64.tar.xz`;
}

export async function tarball(
  about: About,
  files: readonly Entry[],
  { level }: { readonly level: number },
): Promise<Uint8Array> {
  const top = `saker-${about.version}/`;
  const all = withDirectories([
    ...files,
    file("INSTALL", INSTALL),
    file("LICENSE", Deno.readFileSync(join(ROOT, "LICENSE"))),
    file("README.md", Deno.readFileSync(join(ROOT, "README.md"))),
  ]);
  const below = all.map((entry) => ({ ...entry, path: top + entry.path }));
  return await xz(tar([{ path: top, mode: 0o755 }, ...below], about.epoch), level);
}
