// The tarball, for hosts without dpkg: the same files below one directory, and what installs them.
// In: the layout. Out: the bytes of a .tar.xz.
import { join } from "node:path";
import { type About, ROOT } from "./about.ts";
import { xz } from "./compress.ts";
import { type Entry, file, tar, withDirectories } from "./tar.ts";

const INSTALL = `saker from this archive, as root. In the directory in which this file is:

    ./install.sh

puts the files of usr and etc below / , enables the service and starts it; over an earlier version
it upgrades: a configuration that was edited stays (a new default lies beside it, as *.new), and a
service that ran runs the new version. Alerts: journalctl -u saker -o cat

    /usr/share/saker/install.sh remove

stops and removes it, without this archive. Configuration (/etc/saker) and state (/var/lib/saker)
stay; these go too with

    /usr/share/saker/install.sh purge

An image of a host, or any directory, is given as DESTDIR: DESTDIR=/mnt/host ./install.sh
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
    file("install.sh", Deno.readFileSync(new URL("install.sh", import.meta.url)), 0o755),
    file("LICENSE", Deno.readFileSync(join(ROOT, "LICENSE"))),
    file("README.md", Deno.readFileSync(join(ROOT, "README.md"))),
  ]);
  const below = all.map((entry) => ({ ...entry, path: top + entry.path }));
  return await xz(tar([{ path: top, mode: 0o755 }, ...below], about.epoch), level);
}
