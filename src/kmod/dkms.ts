// What DKMS is given: it builds a module again for each kernel that is installed. In: the sources,
// saker's version. Out: the files of /usr/src/saker-VERSION.
import { MODULE, type SourceFile } from "./build_module.ts";

/** Where DKMS looks for a module's sources. */
export function dkmsDirectory(version: string): string {
  return `/usr/src/${MODULE}-${version}`;
}

export function dkmsFiles(sources: readonly SourceFile[], version: string): SourceFile[] {
  const config = new TextEncoder().encode(dkmsConfig(version));
  return [...sources, { name: "dkms.conf", bytes: config }];
}

function dkmsConfig(version: string): string {
  return `# saker's kernel module, written by "saker driver install"; "uninstall" undoes it.
PACKAGE_NAME="${MODULE}"
PACKAGE_VERSION="${version}"
BUILT_MODULE_NAME[0]="${MODULE}"
DEST_MODULE_LOCATION[0]="/updates/dkms"
AUTOINSTALL="yes"
MAKE[0]="make -C $kernel_source_dir M=$dkms_tree/$PACKAGE_NAME/$PACKAGE_VERSION/build modules"
CLEAN="true"
`;
}
