// The container image: the executable, the C library that it needs and nothing else, no shell, no
// package manager. In: the layout's rules and executable, libraries of the machine that packs. Out:
// an archive that is an OCI layout and what `docker load` takes as well.
import { createHash } from "node:crypto";
import { type About, output, SAKER } from "./about.ts";
import { gzip } from "./compress.ts";
import { defaultRules } from "./layout.ts";
import { type DebianPackage, sbom } from "./sbom.ts";
import { file, tar, withDirectories } from "./tar.ts";

/** What the manifests name too (deploy/helm/saker/values.yaml). */
export const IMAGE = "saker";

export function imageName({ version }: About): string {
  return `saker-${version}-image.tar`;
}

const LIBRARIES = "usr/lib/x86_64-linux-gnu";

export async function image(
  about: About,
  { level }: { readonly level: number },
): Promise<Uint8Array<ArrayBuffer>> {
  const libraries = await neededLibraries();
  const packages = await packagesOf(libraries);
  const base = [
    ...libraries.map((path) => {
      const name = path.split("/").at(-1)!;
      const place = name.startsWith("ld-linux") ? "usr/lib64" : LIBRARIES;
      return file(`${place}/${name}`, Deno.readFileSync(path), 0o755);
    }),
    { path: "lib", mode: 0o777, link: "usr/lib" },
    { path: "lib64", mode: 0o777, link: "usr/lib64" },
    file("etc/passwd", "root:x:0:0:root:/:/usr/sbin/nologin\n"),
    file("etc/group", "root:x:0:\n"),
    file("etc/nsswitch.conf", "hosts: files dns\n"),
    { path: "tmp/", mode: 0o1777 },
    { path: "host/", mode: 0o755 },
  ];
  const own = [
    file("usr/bin/saker", Deno.readFileSync(SAKER), 0o755),
    ...defaultRules(),
    file("usr/share/saker/sbom.cdx.json", await sbom(about, packages)),
  ];
  const layers = [base, own].map((entries) => {
    const plain = tar(withDirectories(entries), about.epoch);
    return { id: sum(plain), packed: gzip(plain, level) };
  });
  return archive(about, layers);
}

interface Layer {
  /** Sum of the archive before it was packed. */
  readonly id: string;
  readonly packed: Uint8Array;
}

function archive(about: About, layers: readonly Layer[]): Uint8Array<ArrayBuffer> {
  const created = new Date(about.epoch * 1000).toISOString();
  const labels = {
    "org.opencontainers.image.title": "saker",
    "org.opencontainers.image.description": about.summary,
    "org.opencontainers.image.version": about.version,
    "org.opencontainers.image.revision": about.commit,
    "org.opencontainers.image.created": created,
    "org.opencontainers.image.licenses": "Apache-2.0",
  };
  const config = json({
    ...{ architecture: "amd64", os: "linux", created },
    config: {
      Entrypoint: ["/usr/bin/saker"],
      Env: ["PATH=/usr/bin", "HOST_ROOT=/host"],
      WorkingDir: "/",
      Labels: labels,
    },
    rootfs: { type: "layers", diff_ids: layers.map(({ id }) => `sha256:${id}`) },
    history: ["libraries", "saker"].map((what) => ({ created, created_by: `saker: ${what}` })),
  });
  const blobs = new Map<string, Uint8Array>();
  const described = (kind: string, bytes: Uint8Array) => {
    const digest = sum(bytes);
    blobs.set(digest, bytes);
    return { mediaType: kind, digest: `sha256:${digest}`, size: bytes.length };
  };
  const of = (kind: string) => `application/vnd.oci.image.${kind}`;
  const manifest = json({
    schemaVersion: 2,
    mediaType: of("manifest.v1+json"),
    config: described(of("config.v1+json"), config),
    layers: layers.map(({ packed }) => described(of("layer.v1.tar+gzip"), packed)),
  });
  const tag = `${IMAGE}:${about.version}`;
  const index = json({
    schemaVersion: 2,
    mediaType: of("index.v1+json"),
    manifests: [{
      ...described(of("manifest.v1+json"), manifest),
      platform: { architecture: "amd64", os: "linux" },
      annotations: {
        "io.containerd.image.name": `docker.io/library/${tag}`,
        "org.opencontainers.image.ref.name": about.version,
      },
    }],
  });
  const place = (bytes: Uint8Array) => `blobs/sha256/${sum(bytes)}`;
  const forDocker = json([{
    Config: place(config),
    RepoTags: [tag],
    Layers: layers.map(({ packed }) => place(packed)),
  }]);
  return tar(
    withDirectories([
      ...[...blobs].map(([digest, bytes]) => file(`blobs/sha256/${digest}`, bytes)),
      file("index.json", index),
      file("manifest.json", forDocker),
      file("oci-layout", json({ imageLayoutVersion: "1.0.0" })),
    ]),
    about.epoch,
  );
}

/** Libraries that the executable asks for, as this machine has them. */
async function neededLibraries(): Promise<string[]> {
  const told = await output("ldd", [SAKER]);
  const paths = [...told.matchAll(/(?:=> )?(\/\S+) \(0x/g)].map((match) => match[1]!);
  if (paths.length < 4) throw new Error(`ldd does not tell what dist/saker needs: ${told}`);
  return [...new Set(paths)].sort();
}

/** Which Debian packages they are of. */
async function packagesOf(libraries: readonly string[]): Promise<DebianPackage[]> {
  const told = await output("dpkg", ["--search", ...libraries]);
  const names = [...told.matchAll(/^(\S+?):/gm)].map((match) => match[1]!);
  return await Promise.all(
    [...new Set(names)].sort().map(async (name) => ({
      name,
      version: await output("dpkg-query", ["-W", "-f", "${Version}", `${name}:amd64`]),
    })),
  );
}

function json(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

function sum(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
