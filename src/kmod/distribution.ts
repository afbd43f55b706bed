// Which packages of a distribution bring what a build lacks. In: /etc/os-release, the kernel's
// release. Out: one command that installs them.

export type Family = "debian" | "fedora" | "rhel" | "suse" | "arch" | "alpine";

export interface Distribution {
  /** As it calls itself, for people. */
  readonly name: string;
  /** Undefined where nobody knows its packages. */
  readonly family: Family | undefined;
  /** `ID`, such as ubuntu, and the number in front of `VERSION_ID`. */
  readonly id: string;
  readonly major: number;
}

/** What a build needs. */
export type Need =
  | { readonly kind: "headers"; readonly release: string }
  | { readonly kind: "make" }
  /** gcc or clang, and the version that is wanted. */
  | { readonly kind: "compiler"; readonly compiler: "gcc" | "clang"; readonly major: number };

const FAMILIES: ReadonlyMap<string, Family> = new Map([
  ...["debian", "ubuntu"].map((id) => [id, "debian"] as const),
  ...["fedora"].map((id) => [id, "fedora"] as const),
  ...["rhel", "centos", "rocky", "almalinux", "ol", "amzn"].map((id) => [id, "rhel"] as const),
  ...["suse", "opensuse", "sles"].map((id) => [id, "suse"] as const),
  ["arch", "arch"],
  ["alpine", "alpine"],
]);

/** `text` is that of /etc/os-release, "" where there is none. */
export function distributionOf(text: string): Distribution {
  const values = new Map(
    text.split("\n").flatMap((line) => {
      const [, key, value] = /^([A-Z_]+)=(.*)$/.exec(line) ?? [];
      return key === undefined ? [] : [[key, value!.replace(/^(["'])(.*)\1$/, "$2")] as const];
    }),
  );
  const id = values.get("ID") ?? "";
  const ids = [id, id.replace(/-.*/, ""), ...(values.get("ID_LIKE") ?? "").split(" ")];
  return {
    name: values.get("PRETTY_NAME") ?? (id || "this distribution"),
    family: ids.map((one) => FAMILIES.get(one)).find((family) => family !== undefined),
    id,
    major: parseInt(values.get("VERSION_ID") ?? "", 10) || 0,
  };
}

const INSTALL: Readonly<Record<Family, string>> = {
  debian: "apt-get install",
  fedora: "dnf install",
  rhel: "dnf install",
  suse: "zypper install",
  arch: "pacman -S",
  alpine: "apk add",
};

/** One command for all of them; undefined where nobody knows this distribution's packages. */
export function installLine(
  distribution: Distribution,
  needs: readonly Need[],
): string | undefined {
  const { family } = distribution;
  if (family === undefined || needs.length === 0) return undefined;
  const packages = new Set(needs.flatMap((need) => packagesOf(distribution, family, need)));
  const isOldRhel = family === "rhel" && distribution.major > 0 && distribution.major < 8;
  return `${isOldRhel ? "yum install" : INSTALL[family]} ${[...packages].join(" ")}`;
}

function packagesOf(distribution: Distribution, family: Family, need: Need): string[] {
  switch (need.kind) {
    case "headers":
      return [headersOf(distribution, family, need.release)];
    case "make":
      return ["make"];
    case "compiler":
      return compilersOf(family, need);
    default:
      return need satisfies never;
  }
}

function compilersOf(
  family: Family,
  { compiler, major }: Need & { readonly kind: "compiler" },
): string[] {
  // Debian and Ubuntu alone have a package for each version.
  const named = family === "debian" && major > 0 ? `${compiler}-${major}` : compiler;
  if (compiler === "gcc") return [named];
  const versioned = family === "debian" && major > 0 ? `-${major}` : "";
  return [named, `lld${versioned}`, `llvm${versioned}`];
}

function headersOf({ id }: Distribution, family: Family, release: string): string {
  const flavour = /-([a-z]+)$/.exec(release)?.[1];
  switch (family) {
    case "debian":
      return `linux-headers-${release}`;
    case "fedora":
    case "rhel":
      return `kernel-${id === "ol" && release.includes("uek") ? "uek-" : ""}devel-${release}`;
    case "suse":
      return `kernel-${flavour ?? "default"}-devel`;
    case "arch":
      return flavour === undefined ? "linux-headers" : `linux-${flavour}-headers`;
    case "alpine":
      return `linux-${flavour ?? "lts"}-dev`;
    default:
      return family satisfies never;
  }
}
