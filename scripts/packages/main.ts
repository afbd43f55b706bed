// deno-lint-ignore-file no-console -- A script talks to the person who started it.
// Makes packages of dist/saker: which ones come as arguments, dist/packages/ and SHA256SUMS go out.
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type About, about, OUT, SAKER } from "./about.ts";
import { deb, debName } from "./deb.ts";
import { chart, chartName, manifests, manifestsName } from "./helm.ts";
import { image, imageName } from "./image.ts";
import { layout } from "./layout.ts";
import { rpm, rpmName } from "./rpm.ts";
import type { Entry } from "./tar.ts";
import { tarball, tarballName } from "./tarball.ts";

interface Package {
  readonly name: (about: About) => string;
  /** A program without which there is none; the others are made then. */
  readonly needs?: string;
  readonly make: (about: About, files: Files, packing: Packing) => Promise<Uint8Array>;
}

/** What is installed; made once, and not for packages without it. */
type Files = () => Promise<readonly Entry[]>;

/** Levels of xz and gzip. */
interface Packing {
  readonly xz: number;
  readonly gzip: number;
}

const PACKAGES: Readonly<Record<string, Package>> = {
  deb: {
    name: debName,
    make: async (about, files, { xz }) => await deb(about, await files(), { level: xz }),
  },
  tar: {
    name: tarballName,
    make: async (about, files, { xz }) => await tarball(about, await files(), { level: xz }),
  },
  rpm: {
    name: rpmName,
    needs: "rpmbuild",
    make: async (about, files, { xz }) => await rpm(about, await files(), { level: xz }),
  },
  image: { name: imageName, make: (about, _, { gzip }) => image(about, { level: gzip }) },
  helm: { name: chartName, make: (about) => Promise.resolve(chart(about)) },
  manifests: { name: manifestsName, make: (about) => Promise.resolve(manifests(about)) },
};

/** For a release, and where only sameness or content is looked at. */
const SMALL: Packing = { xz: 6, gzip: 9 };
const FAST: Packing = { xz: 0, gzip: 1 };

const USAGE = `usage: scripts/package [--fast] [--out DIRECTORY] [${
  Object.keys(PACKAGES).join("|")
}|all] …`;

async function main(given: readonly string[]): Promise<number> {
  let out = OUT;
  let packing = SMALL;
  let isAll = false;
  const wanted: string[] = [];
  for (let at = 0; at < given.length; at++) {
    const arg = given[at]!;
    if (arg === "--fast") packing = FAST;
    else if (arg === "--out") out = given[++at] ?? "";
    else if (arg === "all") isAll = true;
    else if (arg in PACKAGES) wanted.push(arg);
    else return refuse(`unknown argument "${arg}"; ${USAGE}`);
  }
  if (out === "") return refuse(`--out: expected a directory; ${USAGE}`);
  try {
    Deno.statSync(SAKER);
  } catch {
    return refuse("there is no dist/saker: run scripts/build first");
  }
  const facts = await about();
  let made: Promise<readonly Entry[]> | undefined;
  const files = () => made ??= layout(facts);
  Deno.mkdirSync(out, { recursive: true });
  for (const kind of Object.keys(PACKAGES)) {
    if (!isAll && wanted.length > 0 && !wanted.includes(kind)) continue;
    const { name, make, needs } = PACKAGES[kind]!;
    if (needs !== undefined && !wanted.includes(kind) && !isThere(needs)) {
      console.error(`saker: no ${kind} package: there is no ${needs} here`);
      continue;
    }
    const bytes = await make(facts, files, packing);
    Deno.writeFileSync(join(out, name(facts)), bytes);
    console.log(`${(bytes.length / 1e6).toFixed(1).padStart(6)} MB  ${join(out, name(facts))}`);
  }
  writeSums(out);
  return 0;
}

function isThere(program: string): boolean {
  const path = Deno.env.get("PATH") ?? "";
  return path.split(":").some((directory) => existsSync(join(directory, program)));
}

/** Of all packages that lie there, as sha256sum -c reads them. */
function writeSums(out: string): void {
  const names = [...Deno.readDirSync(out)]
    .filter(({ name, isFile }) => isFile && /^saker[-_].*\.(deb|rpm|xz|tar|tgz)$/.test(name))
    .map(({ name }) => name).sort();
  const lines = names.map((name) => {
    const sum = createHash("sha256").update(Deno.readFileSync(join(out, name))).digest("hex");
    return `${sum}  ${name}\n`;
  });
  Deno.writeTextFileSync(join(out, "SHA256SUMS"), lines.join(""));
}

function refuse(why: string): number {
  console.error(`saker: ${why}`);
  return 1;
}

if (import.meta.main) {
  try {
    Deno.exit(await main(Deno.args));
  } catch (error) {
    Deno.exit(refuse(error instanceof Error ? error.message : String(error)));
  }
}
