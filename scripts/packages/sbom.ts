// What saker is made of, as CycloneDX (JSON): every crate and npm package of the lock files, which
// of them are in the executable, the runtime, and the Debian packages of an image. In: lock files,
// what cargo says of them, packages' own descriptions. Out: one document, the same for one commit.
import { createHash } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { type About, output, ROOT } from "./about.ts";

/** A Debian package whose files an image holds. */
export interface DebianPackage {
  readonly name: string;
  readonly version: string;
}

interface Component {
  readonly type: "library" | "application";
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  /** `required`: it is in the executable; `excluded`: what builds or tests it needs it alone. */
  readonly scope: "required" | "excluded";
  readonly licenses?: readonly { readonly expression: string }[];
}

/** Workspaces by their directory: each has a lock file, and what is linked from it. */
const CRATES: readonly (readonly [directory: string, packages: readonly string[]])[] = [
  ["", ["bindings", "plugin-host"]],
  ["ebpf-rs", []],
  ["kmod", []],
];

export async function sbom(about: About, debian: readonly DebianPackage[]): Promise<string> {
  const components = new Map<string, Component>();
  const found = [...await crates(), ...npmPackages(), ...runtime(), ...debian.map(debianComponent)];
  for (const component of found) {
    const earlier = components.get(component.purl);
    if (earlier?.scope !== "required") components.set(component.purl, component);
  }
  const sorted = [...components.values()].sort((a, b) => (a.purl < b.purl ? -1 : 1));
  const digest = createHash("sha256").update(JSON.stringify([about.commit, sorted])).digest("hex");
  const document = {
    bomFormat: "CycloneDX",
    specVersion: "1.5",
    serialNumber: `urn:uuid:${uuidOf(digest)}`,
    version: 1,
    metadata: {
      timestamp: new Date(about.epoch * 1000).toISOString().replace(".000", ""),
      component: {
        "bom-ref": "saker",
        type: "application",
        name: "saker",
        version: about.version,
        licenses: [{ license: { id: "Apache-2.0" } }],
        properties: [{ name: "saker:commit", value: about.commit }],
      },
    },
    components: sorted.map((component) => ({ "bom-ref": component.purl, ...component })),
  };
  return `${JSON.stringify(document, null, 1)}\n`;
}

/** Names and versions of a lock file of cargo's; those of the workspace itself are left out. */
export function lockedCrates(text: string): (readonly [name: string, version: string])[] {
  return text.split("[[package]]\n").slice(1).filter((part) => part.includes("\nsource = "))
    .map((part) => {
      const [, name, version] = /name = "(.+)"\nversion = "(.+)"/.exec(part)!;
      return [name!, version!] as const;
    });
}

async function crates(): Promise<Component[]> {
  const cargo = Deno.env.get("SAKER_CARGO") ?? "cargo";
  const found: Component[] = [];
  for (const [directory, packages] of CRATES) {
    const manifest = join(ROOT, directory, "Cargo.toml");
    // Edges of normal dependencies alone, for what build and tests need may not be there.
    const told = await output(cargo, [
      ...["tree", "--manifest-path", manifest, "--locked", "--offline", "--edges", "normal"],
      ...["--prefix", "none", "--format", "{p}|{l}"],
      ...packages.flatMap((name) => ["--package", name]),
    ], { RUSTC_BOOTSTRAP: "1" });
    const linked = new Map(
      told.split("\n").map((line) => /^(\S+) v(\S+)[^|]*\|(.*?)(?: \(\*\))?$/.exec(line))
        .filter((parts) => parts !== null)
        .map(([, name, version, licence]) => [`${name}@${version}`, licence!] as const),
    );
    const lock = Deno.readTextFileSync(join(ROOT, directory, "Cargo.lock"));
    for (const [name, version] of lockedCrates(lock)) {
      const licence = linked.get(`${name}@${version}`);
      found.push({
        ...{ type: "library", name, version, purl: `pkg:cargo/${name}@${version}` },
        scope: licence === undefined ? "excluded" : "required",
        // "MIT/Apache-2.0" is what older crates say for "MIT OR Apache-2.0".
        ...licensed(licence?.replaceAll("/", " OR ")),
      });
    }
  }
  return found;
}

interface DenoLock {
  readonly specifiers: Readonly<Record<string, string>>;
  readonly npm: Readonly<Record<string, { readonly dependencies?: readonly string[] }>>;
}

function npmPackages(): Component[] {
  const lock: DenoLock = JSON.parse(Deno.readTextFileSync(join(ROOT, "deno.lock")));
  const used = usedPackages(lock);
  return Object.keys(lock.npm).map((key) => {
    const [name, version] = nameAndVersion(key);
    const isUsed = used.has(key);
    return {
      ...{ type: "library", name, version },
      purl: `pkg:npm/${name.replace("@", "%40")}@${version}`,
      scope: isUsed ? "required" : "excluded",
      ...licensed(isUsed ? npmLicence(name, version) : undefined),
    };
  });
}

/** Keys of the lock for what `src/` and plugins import, and all that these need. */
function usedPackages(lock: DenoLock): Set<string> {
  const { imports } = JSON.parse(Deno.readTextFileSync(join(ROOT, "deno.json")));
  const text = ["src", "plugins"].flatMap((room) => sources(join(ROOT, room)))
    .map((path) => Deno.readTextFileSync(path)).join("\n");
  const used = new Set<string>();
  const waiting = Object.entries(imports as Record<string, string>)
    .filter(([name]) =>
      new RegExp(`(from|import\\() ?"${name.replaceAll(/[.]/g, "\\.")}(?:[/"]|(?<=/))`).test(text)
    )
    // Without what of the package is imported.
    .map(([, specifier]) => /^npm:\/?((?:@[^/]+\/)?[^/]+)/.exec(specifier)?.[1] ?? specifier);
  for (let key = waiting.pop(); key !== undefined; key = waiting.pop()) {
    // "sha1" for the only version that there is, "name@npm:other@1" for another's name.
    const wanted = key.replace(/^.*@npm:/, "");
    const full = Object.keys(lock.npm).find((one) =>
      one === wanted || one.startsWith(`${wanted}_`) || nameAndVersion(one)[0] === wanted
    );
    if (full === undefined) throw new Error(`deno.lock has no package ${key}`);
    if (used.has(full)) continue;
    used.add(full);
    waiting.push(...lock.npm[full]!.dependencies ?? []);
  }
  return used;
}

function nameAndVersion(key: string): readonly [name: string, version: string] {
  const at = key.indexOf("@", 1);
  return [key.slice(0, at), key.slice(at + 1).split("_")[0]!];
}

function sources(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) return sources(path);
    return /\.tsx?$/.test(path) && !/_test\.tsx?$/.test(path) ? [path] : [];
  });
}

/** As the package itself says, where Deno keeps it. */
function npmLicence(name: string, version: string): string | undefined {
  const cache = join(Deno.env.get("DENO_DIR") ?? "", "npm");
  if (!existsSync(cache)) return undefined;
  for (const registry of readdirSync(cache).sort()) {
    const path = join(cache, registry, name, version, "package.json");
    if (existsSync(path)) return JSON.parse(Deno.readTextFileSync(path)).license;
  }
  return undefined;
}

/** Deno's runtime, of the version that scripts/setup pins; what it is made of, it does not tell. */
function runtime(): Component[] {
  const text = Deno.readTextFileSync(join(ROOT, "scripts/lib/toolchain.sh"));
  const version = /^readonly DENO_VERSION=(.+)$/m.exec(text)![1]!;
  return [{
    ...{ type: "application", name: "denort", version, scope: "required" },
    purl: `pkg:github/denoland/deno@v${version}`,
    ...licensed("MIT"),
  }];
}

function debianComponent({ name, version }: DebianPackage): Component {
  const purl = `pkg:deb/debian/${name}@${encodeURIComponent(version)}?arch=amd64`;
  return { type: "library", name, version, purl, scope: "required" };
}

function licensed(expression: string | undefined): Pick<Component, "licenses"> {
  return expression ? { licenses: [{ expression }] } : {};
}

function uuidOf(hex: string): string {
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `5${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join("-");
}
