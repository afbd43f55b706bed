// The Debian package: what is installed, and what dpkg is told of it. In: the layout. Out: the
// bytes of a .deb, the same for the same commit and executable.
import { createHash } from "node:crypto";
import { type About, DESCRIPTION, mailTime } from "./about.ts";
import { gzip, xz } from "./compress.ts";
import { MAINTAINER_SCRIPTS } from "./deb_scripts.ts";
import { CONFFILES, DOCUMENTS } from "./layout.ts";
import { oldestLibc } from "./libc.ts";
import { ar, type Entry, file, tar, withDirectories } from "./tar.ts";

export interface DebOptions {
  /** Of xz, 0 to 9. */
  readonly level: number;
}

export function debName({ version }: About): string {
  return `saker_${version}_amd64.deb`;
}

export async function deb(
  about: About,
  files: readonly Entry[],
  { level }: DebOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const all = [
    ...files,
    file(`${DOCUMENTS}/copyright`, copyright(about)),
    file(`${DOCUMENTS}/changelog.gz`, gzip(new TextEncoder().encode(changelog(about)), 9)),
    // Deno's runtime brings it, and cannot be linked with Debian's.
    file("usr/share/lintian/overrides/saker", "saker: embedded-library lcms2 [usr/bin/saker]\n"),
  ];
  const content = withDirectories(all);
  const control = [
    file("control", await controlFile(about, all)),
    file("conffiles", CONFFILES.map((path) => `/${path}\n`).join("")),
    file("md5sums", md5sums(content)),
    ...Object.entries(MAINTAINER_SCRIPTS).map(([name, text]) => file(name, text, 0o755)),
  ].sort((a, b) => (a.path < b.path ? -1 : 1));
  return ar([
    file("debian-binary", "2.0\n"),
    file("control.tar.xz", await xz(tar(control, about.epoch, "./"), level)),
    file("data.tar.xz", await xz(tar(content, about.epoch, "./"), level)),
  ], about.epoch);
}

async function controlFile(about: About, files: readonly Entry[]): Promise<string> {
  const kilobytes = files.reduce(
    (sum, { bytes }) => sum + Math.ceil((bytes?.length ?? 4096) / 1024),
    0,
  );
  const lines = [
    "Package: saker",
    `Version: ${about.version}`,
    "Architecture: amd64",
    `Maintainer: ${about.maintainer}`,
    `Installed-Size: ${kilobytes}`,
    `Depends: libc6 (>= ${await oldestLibc()}), libgcc-s1 (>= 4.2), init-system-helpers (>= 1.54~)`,
    "Suggests: dkms, jq",
    "Section: admin",
    "Priority: optional",
    `Description: ${about.summary}`,
    ...DESCRIPTION.split("\n").map((line) => ` ${line}`),
  ];
  return `${lines.join("\n")}\n`;
}

function md5sums(content: readonly Entry[]): string {
  return content.filter(({ path, bytes }) => bytes !== undefined && !CONFFILES.includes(path))
    .map(({ path, bytes }) => `${createHash("md5").update(bytes!).digest("hex")}  ${path}\n`)
    .join("");
}

function changelog({ version, commit, maintainer, epoch }: About): string {
  return `saker (${version}) unstable; urgency=medium

  * Built of commit ${commit}.

 -- ${maintainer}  ${mailTime(epoch)}
`;
}

function copyright({ epoch }: About): string {
  return `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: saker

Files: *
Copyright: ${new Date(epoch * 1000).getUTCFullYear()} the saker authors
License: Apache-2.0
Comment: The executable holds Deno's runtime (MIT), V8 (BSD-3-Clause), crates and npm packages
 under licences of their own.

License: Apache-2.0
 On Debian systems the whole text of the licence is in
 /usr/share/common-licenses/Apache-2.0.
`;
}
