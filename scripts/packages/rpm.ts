// The RPM package, made by rpmbuild: what is installed, and what rpm is told of it. In: the layout.
// Out: the bytes of an .rpm, the same for the same commit and executable.
import { dirname, join } from "node:path";
import { type About, DESCRIPTION, output } from "./about.ts";
import { CONFFILES } from "./layout.ts";
import { oldestLibc } from "./libc.ts";
import { type Entry, withDirectories } from "./tar.ts";

export function rpmName({ version, release }: About): string {
  return `saker-${version}-${release}.x86_64.rpm`;
}

export async function rpm(
  about: About,
  files: readonly Entry[],
  { level }: { readonly level: number },
): Promise<Uint8Array<ArrayBuffer>> {
  const work = Deno.makeTempDirSync({ prefix: "saker-rpm-" });
  try {
    const placed = files.map((entry) => ({ ...entry, path: placeOf(entry.path) }));
    put(placed, `${work}/files`, about.epoch);
    Deno.writeTextFileSync(`${work}/saker.spec`, await spec(about, placed));
    const macros: Readonly<Record<string, string>> = {
      _topdir: `${work}/made`,
      _dbpath: `${work}/db`,
      // Of the machine that packs, nothing is in it.
      _buildhost: "saker",
      use_source_date_epoch_as_buildtime: "1",
      clamp_mtime_to_source_date_epoch: "1",
      _binary_payload: `w${level}.xzdio`,
      // The executable is as it was built: nothing is stripped, and there is no second package.
      __os_install_post: "%{nil}",
      _build_id_links: "none",
      debug_package: "%{nil}",
    };
    const defines = Object.entries(macros).flatMap(([name, value]) => [
      "--define",
      `${name} ${value}`,
    ]);
    await output("rpmbuild", ["-bb", "--quiet", "--target", "x86_64", ...defines, "saker.spec"], {
      SOURCE_DATE_EPOCH: `${about.epoch}`,
    }, work);
    return Deno.readFileSync(`${work}/made/RPMS/x86_64/${rpmName(about)}`);
  } finally {
    Deno.removeSync(work, { recursive: true });
  }
}

/** Where distributions of RPMs have what Debian has elsewhere. */
function placeOf(path: string): string {
  return path.replace(/^usr\/share\/zsh\/vendor-completions\//, "usr/share/zsh/site-functions/");
}

function put(files: readonly Entry[], root: string, epoch: number): void {
  for (const { path, mode, bytes } of withDirectories(files)) {
    const place = join(root, path);
    if (bytes === undefined) Deno.mkdirSync(place, { recursive: true, mode });
    else {
      Deno.mkdirSync(dirname(place), { recursive: true });
      Deno.writeFileSync(place, bytes);
      Deno.chmodSync(place, mode);
    }
    Deno.utimeSync(place, epoch, epoch);
  }
}

/** Directories of ours, and those that others have as well where they are there. */
const DIRECTORIES = [
  ...["etc/saker", "etc/saker/config.d", "etc/saker/rules.d"],
  ...["usr/share/saker", "usr/share/saker/rules", "usr/share/doc/saker"],
  ...["usr/share/fish", "usr/share/fish/vendor_completions.d", "usr/share/zsh/site-functions"],
];

async function spec(about: About, files: readonly Entry[]): Promise<string> {
  const libc = await oldestLibc();
  const listed = files.filter(({ bytes }) => bytes !== undefined).map(({ path, mode }) => {
    const kind = CONFFILES.includes(path)
      ? "%config(noreplace) "
      : path.startsWith("usr/share/doc/")
      ? "%doc "
      : "";
    return `%attr(0${mode.toString(8)},root,root) ${kind}"/${path}"`;
  });
  return `Name: saker
Version: ${about.version}
Release: ${about.release}
Summary: ${about.summary}
License: Apache-2.0
Packager: ${about.maintainer}
AutoReqProv: no
Requires: libc.so.6(GLIBC_${libc})(64bit), libgcc_s.so.1()(64bit)
Requires(post): systemd
Requires(preun): systemd
Requires(postun): systemd
Recommends: jq

%description
${DESCRIPTION}

%install
cp -a "%{_topdir}/../files/." "%{buildroot}"

${SCRIPTS}
%files
${DIRECTORIES.map((path) => `%dir %attr(0755,root,root) "/${path}"`).join("\n")}
${listed.join("\n")}
`;
}

/**
 * What rpm runs, as Fedora's guidelines for services have it: whether a new service is enabled, the
 * distribution's presets say; $1 is how many packages of this name will be there.
 */
const SCRIPTS = `%post
if [ "$1" -eq 1 ] && [ -x /usr/bin/systemctl ]; then
  systemctl --no-reload preset saker.service >/dev/null 2>&1 || :
fi
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload >/dev/null 2>&1 || :
fi

%preun
if [ "$1" -eq 0 ]; then
  if [ -d /run/systemd/system ]; then
    systemctl --no-reload disable --now saker.service >/dev/null 2>&1 || :
  elif [ -x /usr/bin/systemctl ]; then
    systemctl --no-reload disable saker.service >/dev/null 2>&1 || :
  fi
  # What "saker driver" left on this host, which nobody could remove without the program.
  if [ -e /etc/modules-load.d/saker.conf ] || [ -d /sys/module/saker ]; then
    saker driver unload >/dev/null 2>&1 || :
    saker driver uninstall || :
  fi
fi

%postun
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload >/dev/null 2>&1 || :
  if [ "$1" -ge 1 ]; then
    systemctl try-restart saker.service >/dev/null 2>&1 || :
  fi
fi
`;
